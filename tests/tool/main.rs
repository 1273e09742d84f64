//! The tool `tarfs`, as scripts use it: its forms, its six modes, its errors.

mod errors;
mod inputs;
mod modes;
mod overlaid;
mod real;
mod run;

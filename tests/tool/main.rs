//! The tool `tarfs`, as scripts use it: its forms, its six modes, its errors.

mod check;
mod endings;
mod errors;
mod inputs;
mod modes;
mod names;
mod outputs;
mod overlaid;
mod picture;
mod quoting;
mod real;
mod run;
mod sealed;
mod sealed_layers;
mod sealing;

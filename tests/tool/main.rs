//! The tool `tarfs`, as scripts use it: its forms, its six modes, its errors.

mod compressed;
mod errors;
mod images;
mod inputs;
mod modes;
mod overlaid;
mod picture;
mod real;
mod run;
mod sealed;
mod sealed_layers;
mod stdin;
mod tags;
mod unmoved;

//! The tool `tarfs`, as scripts use it: its forms, its six modes, its errors.

mod blocks;
mod check;
mod compressed;
mod devices;
mod endings;
mod errors;
mod help;
mod images;
mod inputs;
mod modes;
mod names;
mod outputs;
mod overlaid;
mod picture;
mod quoting;
mod real;
mod rules;
mod run;
mod sealed;
mod sealed_layers;
mod sealing;
mod stdin;
mod tags;
mod unmoved;

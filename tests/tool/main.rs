//! The tool `tarfs`, as scripts use it: its forms, its six modes, its errors.

mod block_devices;
mod blocks;
mod check;
mod compressed;
mod devices;
mod discoverable;
mod endings;
mod errors;
mod images;
mod inputs;
mod modes;
mod names;
mod outputs;
mod overlaid;
mod partitions;
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

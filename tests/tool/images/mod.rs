//! Images in the forms that other tools write: which is meant, what is in it, what is refused.

mod archives;
mod as_erofs;
mod docker;
mod errors;
mod generator;
mod in_place;
mod layouts;
mod names;
mod old;
mod peers;
mod platforms;
mod recognised;

//! The crate `erofs-rs`.

use std::fs::read;

use testkit::erofs_rs::dump;

use crate::forms::Image;
use crate::table::Cell::Right;
use crate::table::{Shown, hold, row};
use crate::{labelled, open_ended, sparse, stacks};

#[test]
fn erofs_rs() {
    let stacks = [stacks(30), sparse(), open_ended(), labelled()].concat();
    hold("erofs-rs", &row([Right; 9]), &stacks, &|stack, form, dir| {
        let image = Image::of(stack, form);
        let files = image.write(dir, "image", form);
        let devices: Vec<_> = files.devices.iter().map(|device| read(device).unwrap()).collect();
        let devices: Vec<_> = devices.iter().map(Vec::as_slice).collect();
        Ok(Shown::all(dump(&read(&files.image).unwrap(), &devices)?, image.dump()))
    });
}

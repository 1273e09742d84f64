//! This machine's kernel.

use testkit::dump::dump;
use testkit::mount::Erofs;

use crate::forms::Image;
use crate::table::Cell::Right;
use crate::table::{Shown, hold, row};
use crate::{labelled, open_ended, sparse, stacks};

#[test]
fn linux() {
    hold(
        "Linux",
        &row([Right; 9]),
        &[stacks(20), sparse(), open_ended(), labelled()].concat(),
        &|stack, form, dir| {
            let image = Image::of(stack, form);
            let files = image.write(dir, "image", form);
            let mounted = Erofs::new(files.image).devices(files.devices).mount_by_fd();
            let mounted = mounted.map_err(|error| error.to_string())?;
            Ok(Shown::all(dump(mounted.path()).unwrap(), image.dump()))
        },
    );
}

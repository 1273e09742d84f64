//! What the library says of an export that it cannot make, in the words of this program.

use erofs_tarfs::export;
use erofs_tarfs::io::Error;

use crate::cli::fail::Fail;
use crate::cli::quote;
use crate::files::protected;
use crate::files::target::Target;
use crate::layers::loaded::Loaded;
use crate::make::image;

pub(super) fn explain(error: Error, target: &Target, layers: &[Loaded]) -> Fail {
    match error {
        Error::Export { file, error: export::Error::Layout(error) } => {
            image::unfit(target.name(&file), error)
        }
        Error::IsInput { file } => match protected::check(target.name(&file), &file) {
            Err(fail) => fail, // it says which input
            Ok(()) => Fail::Usage(Error::IsInput { file }.to_string()),
        },
        Error::SameName { file, layers: (first, second) } => {
            let (first, second) = (&layers[first].name, &layers[second].name);
            let why = format_args!("would be the name of {} too", quote::name(first));
            Fail::of(second, format_args!("{}, its output, {why}", quote::name(&file)))
        }
        error => target.fail(error),
    }
}

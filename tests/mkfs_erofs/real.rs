//! The layers of a real image (Debian, nginx, small files, removals), in each form that containerd mounts.

use std::fs::{self, OpenOptions};
use std::io::Write;

use testkit::dump::dump;
use testkit::fixtures::real_image;
use testkit::mount::Erofs;

use crate::expected::{extracted, same};
use crate::run::{Place, quiet, words};

#[test]
fn layers_of_a_real_image_are_as_gnu_tar_extracts_them() {
    let Some(image) = real_image() else { return };
    let (place, out) = (Place::new(), "layer.erofs");
    for (number, tar) in image.layers.iter().enumerate() {
        let Some(expected) = extracted(tar) else { return };
        let (out, bytes) = (place.path(out), fs::read(tar).unwrap());
        for args in ["--tar=f --quiet -b4096", "--tar=f --quiet -b512", "--tar=i --quiet -b4096"] {
            quiet(&bytes, words(args, &out));
            if args.contains("--tar=i") {
                OpenOptions::new().append(true).open(&out).unwrap().write_all(&bytes).unwrap();
            }
            let shown = dump(Erofs::new(&out).mount().unwrap().path()).unwrap();
            same(&shown, &expected.tree, &expected.ignore, &format!("layer {number}, {args}"));
        }
    }
}

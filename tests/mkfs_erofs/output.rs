//! The output: its bytes, and what it takes the place of.

use std::fs;
use std::os::unix::fs::symlink;

use crate::run::{Place, layer, quiet, run, words};

#[test]
fn the_same_tar_gives_the_same_bytes() {
    let (place, tar) = (Place::new(), layer());
    for args in ["--tar=f --quiet", "--tar=f --quiet -b4096", "--tar=i --quiet"] {
        let made = ["first", "second"].map(|name| {
            quiet(&tar, words(args, &place.path(name)));
            fs::read(place.path(name)).unwrap()
        });
        assert!(made[0] == made[1], "{args}");
    }
}

#[test]
fn a_uuid_is_given_cleared_random_or_of_the_content() {
    let place = Place::new();
    let uuid = |args: &str, tar: &[u8]| -> Vec<u8> {
        quiet(tar, words(args, &place.path("out")));
        fs::read(place.path("out")).unwrap()[1072..][..16].to_vec()
    };
    let tar = layer();
    assert_eq!(uuid("--tar=i --quiet -U clear", &tar), [0; 16]);
    let random = [(); 2].map(|()| uuid("--tar=i --quiet -U random", &tar));
    assert_ne!(random[0], random[1]);
    assert_eq!((random[0][6] >> 4, random[0][8] >> 6), (4, 2));
    let mut other = tar.clone();
    other[1024 + 512] ^= 1; // in the first body
    let at = other.windows(5).position(|bytes| bytes == [7; 5]).unwrap();
    other = tar.clone();
    other[at] = 8;
    assert_ne!(uuid("--tar=i --quiet", &tar), uuid("--tar=i --quiet", &other));
}

#[test]
fn what_is_there_stays_until_the_output_is_whole() {
    let (place, tar) = (Place::new(), layer());
    let out = place.put("out", b"before");
    assert_eq!(run(&tar[..60_000], words("--tar=f", &out)).code, 1);
    assert_eq!(fs::read(&out).unwrap(), b"before");
    // A link is followed to the file that it leads to.
    let link = place.path("link");
    symlink("out", &link).unwrap();
    quiet(&tar, words("--tar=f --quiet", &link));
    assert!(link.is_symlink() && fs::read(&out).unwrap().len() > tar.len());
}

#[test]
fn outputs_that_are_refused() {
    let (place, tar) = (Place::new(), layer());
    let file = place.put("tar", &tar);
    let mut args = words("--tar=f", &file);
    args.push(file.as_os_str());
    let ran = run(b"", args);
    assert!(ran.code == 1 && ran.stderr.contains("is the tar that is read"), "{ran:?}");
    assert!(fs::read(&file).unwrap() == tar);
    for (out, said) in
        [("/dev/null", "no regular file"), ("/", "no regular file"), ("/missing/out", "")]
    {
        let ran = run(&tar, words("--tar=f", out.as_ref()));
        assert!(ran.code == 1 && ran.stderr.contains(said), "{out}: {ran:?}");
    }
}

#[test]
fn a_pipe_may_have_a_name() {
    let (place, tar) = (Place::new(), layer());
    let out = place.path("out");
    let mut args = words("--tar=f --quiet", &out);
    args.push("/dev/stdin".as_ref());
    quiet(&tar, args);
    let named = fs::read(&out).unwrap();
    quiet(&tar, words("--tar=f --quiet", &out));
    assert!(named == fs::read(&out).unwrap());
}

#[test]
fn without_quiet_it_says_what_it_made() {
    let (place, tar) = (Place::new(), layer());
    let ran = run(&tar, words("--tar=f -b4096 -L base", &place.path("out")));
    assert!(ran.code == 0 && ran.stdout.contains("block size 4096"), "{ran:?}");
    assert_eq!(&fs::read(place.path("out")).unwrap()[1088..][..5], b"base\0");
}

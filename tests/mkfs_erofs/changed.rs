//! Owners that are changed, and what is left out, against erofs-utils with the same options.

use testkit::changed::Source;
use testkit::dump::{Ignore, diff, dump};
use testkit::mount::Erofs;
use testkit::oracle;

use crate::run::{Place, program, quiet, run_of, without_holes, words};

/// With a tar, of which erofs-utils leaves nothing out, and with a directory.
#[test]
fn owners_and_paths_are_those_of_erofs_utils() {
    let Some(mkfs) = oracle::erofs_tool("mkfs.erofs") else { return };
    let place = Place::new();
    let tar = without_holes().finish();
    let (ours, theirs) = (place.path("ours"), place.path("theirs"));
    for options in [
        "--all-root",
        "--force-uid=4 --force-gid=5",
        "--all-root --uid-offset=100000 --gid-offset=200000",
        "--uid-offset=1 -L label",
    ] {
        let call = format!("--tar=f --aufs --quiet -Enosbcrc {options}");
        quiet(&tar, words(&call, &ours));
        let made = run_of(&mkfs, &tar, words(&call, &theirs));
        assert_eq!(made.code, 0, "{}", made.stderr);
        expect_same(&place, options);
    }
    let source = Source::new(&place.path("")).unwrap();
    let tar = std::fs::read(&source.tar).unwrap();
    for options in ["--exclude-path=etc/a --force-gid=9", "--exclude-path=var/cache"] {
        for (program, out) in [(program(), &ours), (&mkfs, &theirs)] {
            let call = format!("--quiet {options}");
            let mut args = words(&call, out);
            args.push(source.root.as_os_str());
            let made = run_of(program, b"", args);
            assert_eq!(made.code, 0, "{}", made.stderr);
        }
        expect_same(&place, options);
        // Of a tar too.
        quiet(&tar, words(&format!("--tar=f --quiet {options}"), &ours));
        expect_same(&place, options);
    }
}

/// What both made, mounted.
#[track_caller]
fn expect_same(place: &Place, what: &str) {
    let seen = |name| dump(Erofs::new(place.path(name)).mount().unwrap().path()).unwrap();
    let (want, got) = (seen("theirs"), seen("ours"));
    let differs = diff(&want, &got, &Ignore::nothing().mtime_nanos());
    assert!(differs.is_empty(), "{what}: {differs:#?}");
}

//! Options that are refused, by a word that says why and exit code 1, as `mkfs.erofs` ends.

use testkit::oracle;

use crate::run::{Place, layer, run, run_of, words};

const REFUSED: &[(&str, &str)] = &[
    ("--tar=f -zlz4", "compression is not supported"),
    ("--tar=f -zzstd,level=3 -C 65536", "compression is not supported"),
    ("--tar=f -C65536", "compression is not supported"),
    ("--tar=f -m4096", "compression is not supported"),
    ("--tar=f --ungzip", "compressed tars are not supported"),
    ("--tar=f --unxz=raw", "compressed tars are not supported"),
    ("--tar=f --blobdev=blob", "extra devices are not supported"),
    ("--tar=f --chunksize=4096", "extra devices are not supported"),
    ("--tar=f -Efragments", "-Efragments is not supported"),
    ("--tar=f -Ededupe -Enoinline_data", "-Ededupe is not supported"),
    ("--tar=f -Enoinline_data,dedupe", "-Ededupe is not supported"),
    ("--tar=f -T0", "add --mkfs-time"),
    ("--tar=f -b1000", "no block size"),
    ("--tar=f -U nonsense", "a UUID, clear or random"),
    ("--tar=f -U 0c5e2d5b7a4c-5b0f-9d3e-6f1a2b3c4d5e-", "a UUID, clear or random"),
    ("--tar=f -L sixteen-bytes-it-", "15"),
    ("--tar=headerball", "headerball"),
    ("--tar=f --sort=size", "size"),
    ("--tar=f --oci=f", "--oci"),
    ("--tar=f --uid-offset=-1", "owner 0 and an offset of -1 make no owner"),
    ("--tar=i --gid-offset=4294967295", "make no group: 0 to 4294967294"),
    ("--tar=f --file-contexts=policy", "--file-contexts"),
    ("--quiet", "nothing to make it of"),
];

#[test]
fn what_is_refused_is_said() {
    let tar = layer();
    for (args, said) in REFUSED {
        let place = Place::new();
        let ran = run(&tar, words(args, &place.path("out")));
        assert_eq!((ran.code, &*ran.stdout), (1, ""), "{args}: {ran:?}");
        assert!(ran.stderr.contains(said), "{args}: {}", ran.stderr);
        assert_eq!(place.names(), [""; 0], "{args}: something is left");
    }
}

/// Callers tell by the exit code: erofs-utils has the same for a wrong command line.
#[test]
fn erofs_utils_ends_with_the_same_code() {
    let Some(mkfs) = oracle::erofs_tool("mkfs.erofs") else { return };
    let place = Place::new();
    for args in ["--tar=f --bogus", "--tar=f -Ebogus", "--tar=f -U nonsense"] {
        let out = place.path("out");
        let codes = [run(b"", words(args, &out)).code, run_of(&mkfs, b"", words(args, &out)).code];
        assert_eq!(codes, [1, 1], "{args}");
    }
}

#[test]
fn several_sources_and_files_without_tar() {
    let (place, tar) = (Place::new(), layer());
    let (file, out) = (place.put("tar", &tar), place.path("out"));
    let mut args = words("--tar=f", &out);
    args.extend([file.as_os_str(), file.as_os_str()]);
    assert!(run(b"", args).stderr.contains("several sources"));
    let ran = run(b"", [&out, &file]);
    assert!(ran.code == 1 && ran.stderr.contains("is no directory"), "{ran:?}");
}

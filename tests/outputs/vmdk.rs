//! VMDK descriptors, as QEMU opens them.

use std::path::Path;
use std::process::Command;

use erofs_tarfs::outputs::{Error, FileExtents, NameRule, vmdk};
use testkit::artifact;
use testkit::oracle::{self, Verdict};

use crate::disks::{Files, PLACEMENTS, Source, holds};

fn qemu_img(args: &[&str], files: &[&Path]) -> Option<Verdict> {
    let qemu_img = oracle::tool("qemu-img", "apt-get install qemu-utils")?;
    Some(Verdict::of(Command::new(qemu_img).args(args).args(files)))
}

#[test]
fn qemu_sees_the_disk() {
    for placement in PLACEMENTS {
        for sealed in [false, true] {
            let mut files = Files::new();
            let (mut extents, mut bytes) = files.disk(&Source::image(), placement);
            if sealed {
                files.seal(&mut extents, &mut bytes);
            }
            holds(&files.written(&extents, "written"), &bytes);
            let zeros = extents.longest_zeros();
            let hole = files.add("zeros", &vec![0; zeros as usize]);
            let extents = extents.back_zeros(hole, 0, zeros).unwrap();
            let text = vmdk(&extents.clone().map(|index| files.name(index))).unwrap();
            assert_eq!(text, vmdk(&extents.map(|index| files.name(index))).unwrap());
            let disk = artifact::file(files.dir.path(), "disk.vmdk", text.as_bytes()).unwrap();
            let raw = files.path("raw");
            // QEMU finds out by itself what it is.
            let Some(verdict) = qemu_img(&["info", "--output=json"], &[&disk]) else { return };
            verdict.expect_ok("qemu-img info");
            let info: serde_json::Value = serde_json::from_str(&verdict.output).unwrap();
            assert_eq!(info["format"], "vmdk");
            assert_eq!(info["virtual-size"], bytes.len());
            let verdict = qemu_img(&["convert", "-O", "raw"], &[&disk, &raw]).unwrap();
            verdict.expect_ok("qemu-img convert");
            holds(&raw, &bytes);
            let compare = ["compare", "-f", "vmdk", "-F", "raw"];
            let written = files.path("written");
            qemu_img(&compare, &[&disk, &written]).unwrap().expect_ok("qemu-img compare");
        }
    }
}

#[test]
fn long_files_are_cut_into_extents() {
    let mut files = Files::new();
    let big = files.add("big", b"begin");
    let len = (5 << 30) + 512;
    files.files[big].set_bytes(len).unwrap();
    for at in [2 << 30, (4 << 30) - 3, len - 3] {
        files.files[big].write_all_at(b"abc", at).unwrap();
    }
    let mut extents = FileExtents::default();
    extents.push(len - 1024, big, 1024).unwrap();
    extents.push(1024, big, 0).unwrap();
    let text = vmdk(&extents.map(|index| files.name(index))).unwrap();
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with("RW ")).collect();
    assert_eq!(
        lines,
        [
            "RW 4194304 FLAT \"0-big\" 2",
            "RW 4194304 FLAT \"0-big\" 4194306",
            "RW 2097151 FLAT \"0-big\" 8388610",
            "RW 2 FLAT \"0-big\" 0",
        ]
    );
    let disk = artifact::file(files.dir.path(), "disk.vmdk", text.as_bytes()).unwrap();
    let raw = files.path("raw");
    let Some(verdict) = qemu_img(&["convert", "-O", "raw"], &[&disk, &raw]) else { return };
    verdict.expect_ok("qemu-img convert");
    let raw = erofs_tarfs::io::NamedFile::open(raw).unwrap();
    assert_eq!(raw.bytes().unwrap(), len);
    let mut found = [0; 3];
    for at in [(2 << 30) - 1024, (4 << 30) - 3 - 1024, len - 3 - 1024] {
        raw.read_exact_at(&mut found, at).unwrap();
        assert_eq!(&found, b"abc");
    }
    raw.read_exact_at(&mut found, len - 1024).unwrap();
    assert_eq!(&found, b"beg");
}

#[test]
fn names_that_qemu_takes_and_that_are_refused() {
    let mut extents = FileExtents::default();
    extents.push(512, 0, 0).unwrap();
    let of = |name: &str| vmdk(&extents.clone().map(|_| name));
    let long = "x".repeat(512);
    for (name, rule) in [
        ("", NameRule::Empty),
        ("a\"b", NameRule::Quote),
        ("a\nb", NameRule::Control),
        ("a\rb", NameRule::Control),
        ("a\0b", NameRule::Control),
        (&long, NameRule::Long { limit: 511 }),
    ] {
        assert_eq!(of(name), Err(Error::Name { name: name.to_owned(), rule }));
    }
    let dir = tempfile::tempdir().unwrap();
    for name in [" a b ", "a:b", "sub dir/ä\\c'$x", "#", "nbd:x", "-o", "%s"] {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let bytes = [name.len() as u8; 512];
        std::fs::write(&path, bytes).unwrap();
        let text = of(name).unwrap();
        let disk = artifact::file(dir.path(), "disk.vmdk", text.as_bytes()).unwrap();
        let raw = dir.path().join("raw");
        let Some(verdict) = qemu_img(&["convert", "-O", "raw"], &[&disk, &raw]) else { return };
        verdict.expect_ok(name);
        holds(&raw, &bytes);
    }
    // A long path, but not a long name.
    let name = format!("{0}/{0}/{1}", "y".repeat(250), "z".repeat(9));
    assert_eq!(name.len(), 511);
    std::fs::create_dir_all(dir.path().join(&name).parent().unwrap()).unwrap();
    std::fs::write(dir.path().join(&name), [9; 512]).unwrap();
    let disk = artifact::file(dir.path(), "d", of(&name).unwrap().as_bytes()).unwrap();
    if let Some(verdict) = qemu_img(&["info"], &[&disk]) {
        verdict.expect_ok("511 bytes");
    }
}

#[test]
fn what_readers_would_pass_over_is_refused() {
    let mut extents = FileExtents::default();
    extents.push(1024, "a", 0).unwrap();
    extents.push_zeros(512).unwrap();
    assert_eq!(vmdk(&extents), Err(Error::Zeros { offset: 1024, bytes: 512 }));
    assert_eq!(
        extents.clone().back_zeros("z", 0, 511),
        Err(Error::Length { bytes: 511, expected: 512 })
    );
    extents.push(100, "odd", 0).unwrap();
    let backed = extents.back_zeros("z", 0, 512).unwrap();
    let file = Some("odd".to_owned());
    assert_eq!(vmdk(&backed), Err(Error::Sectors { offset: 1536, bytes: 100, file }));
    assert_eq!(vmdk(&FileExtents::<&str>::default()), Err(Error::Empty));

    // One more extent than there is room for.
    let mut extents = FileExtents::default();
    let limit = loop {
        let at = extents.bytes() * 2;
        extents.push(512, "f", at).unwrap();
        if let Err(error) = vmdk_of_many(&extents) {
            break error;
        }
    };
    assert!(matches!(limit, Error::Descriptor { limit: 1_048_575 }), "{limit}");
}

/// Not at every length, or it would take long.
fn vmdk_of_many(extents: &FileExtents<&str>) -> Result<(), Error> {
    let count = extents.list().len();
    if count.is_multiple_of(10_000) { vmdk(extents).map(drop) } else { Ok(()) }
}

/// To the letter: same disk, same bytes, in every version. The words are those of VMware's "Virtual Disk
/// Format 5.0", and QEMU opens such descriptors in the tests above.
#[test]
fn a_descriptor_is_always_the_same_text() {
    let mut disk = FileExtents::default();
    disk.push(4096, "image.vmdk.metadata", 0).unwrap();
    disk.push(10240, "base.tar", 512).unwrap();
    let text = vmdk(&disk).unwrap();
    let id = text.lines().find_map(|line| line.strip_prefix("CID=")).unwrap();
    let expected = format!(
        "# Disk DescriptorFile\nversion=1\nencoding=\"UTF-8\"\nCID={id}\nparentCID=ffffffff\n\
         createType=\"twoGbMaxExtentFlat\"\n\n# Extent description\n\
         RW 8 FLAT \"image.vmdk.metadata\" 0\nRW 20 FLAT \"base.tar\" 1\n\n\
         # The Disk Data Base\n#DDB\n\nddb.virtualHWVersion = \"4\"\n\
         ddb.geometry.cylinders = \"1\"\nddb.geometry.heads = \"16\"\n\
         ddb.geometry.sectors = \"63\"\nddb.adapterType = \"ide\"\n"
    );
    assert_eq!(text, expected);
    // sha256sum says 0aadb104… of the two lines of extents; the content ID is that without its last bit.
    assert_eq!(id, "0556d882");
}

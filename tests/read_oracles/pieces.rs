//! Images in files, of which only what is asked for is read.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use erofs_tarfs::io::{DeviceFiles, NamedFile};
use erofs_tarfs::read::Image;
use erofs_tarfs::tree::NodeKind;
use testkit::dump::dump;
use testkit::mount;

/// Compares an image that is read piece by piece: names and bytes of files as they are in the mount.
#[track_caller]
pub fn same_in_pieces(image: &Path, devices: &[&Path], mounted: &mount::Mounted) {
    let file = NamedFile::open(image).unwrap();
    let devices: Vec<_> = devices.iter().map(|path| NamedFile::open(*path).unwrap()).collect();
    let image = Image::over(&file).unwrap();
    let files = DeviceFiles::new(&image, &file, &devices).unwrap();
    let (mut walk, mut paths) = (image.walk(), Vec::new());
    while let Some(found) = walk.next().transpose().unwrap() {
        let path = walk.path().to_vec();
        assert_eq!(path.rsplit(|b| *b == b'/').next(), Some(&found.name[..]));
        if found.inode.kind() == NodeKind::Regular {
            let (mut body, mut buf) = (Vec::new(), [0xff; 1000]);
            loop {
                let nid = found.inode.nid();
                let n = files.read(&image, nid, body.len() as u64, &mut buf).unwrap();
                body.extend_from_slice(&buf[..n]);
                if n < buf.len() {
                    break;
                }
            }
            let seen = fs::read(mounted.path().join(OsStr::from_bytes(&path))).unwrap();
            assert!(body == seen, "{}", path.escape_ascii());
        }
        paths.push(path);
    }
    let seen = dump(mounted.path()).unwrap();
    paths.sort();
    assert!(seen.0.into_keys().eq(paths));
}

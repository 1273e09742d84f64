//! Layers with one of everything.

use testkit::layer::{Attr, Op, What};
use testkit::oci::small_image;
use testkit::rng::Rng;
use testkit::stacks::Layer;

/// The small image, and two layers more: large files, and attributes at their limits.
pub(crate) fn rich() -> Vec<Layer> {
    let mut layers = small_image();
    assert_eq!(layers.len(), LARGE);
    layers.push(Layer::plain(large_files()));
    layers.push(Layer::varied(attributes(), 1));
    layers
}

/// The layer of the large files, whose hash trees have several levels.
pub(crate) const LARGE: usize = 4;

fn large_files() -> Vec<Op> {
    let mut rng = Rng::new(7);
    let mut file = |path: &str, len: usize| {
        let bytes = (0..len).map(|_| rng.bits() as u8).collect();
        Op::new(path, What::File(bytes))
    };
    let mut ops = vec![file("srv/large", 560_001), file("srv/block", 4096), file("srv/one", 1)];
    ops.extend((0..100).map(|index| file(&format!("srv/many/{index}"), index * 37)));
    ops
}

/// Attributes at the limits of what EROFS and tars can say.
fn attributes() -> Vec<Op> {
    let attr = |mode, uid, gid, mtime| Attr { uid, gid, mtime, ..Attr::of(mode) };
    let mut ops = Vec::new();
    let mut add = |path: &[u8], what, attr: Attr, xattrs: &[(&str, &[u8])]| {
        let xattrs = xattrs.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec()));
        let attr = Attr { xattrs: xattrs.collect(), ..attr };
        ops.push(Op { path: path.to_vec(), what, attr });
    };
    let content = || What::File(b"content".to_vec());
    add(b"odd", What::Dir, attr(0o1777, 1, 2, (-1, 999_999_999)), &[("user.dir", b"d")]);
    add(b"odd/setuid", content(), attr(0o6755, u32::MAX - 1, 65536, (1 << 33, 1)), &[]);
    add(b"odd/old", content(), attr(0, 65535, 65535, (-(1 << 31), 0)), &[]);
    let bytes: Vec<u8> = (0..=255).cycle().take(3000).collect();
    let acl = b"\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff\x02\0\x04\0\x07\0\0\0\x04\0\x04\0\xff\xff\xff\xff\x10\0\x04\0\xff\xff\xff\xff\x20\0\x04\0\xff\xff\xff\xff";
    let capability = b"\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let xattrs: [(&str, &[u8]); 6] = [
        ("user.bytes", &bytes),
        ("user.empty", b""),
        ("trusted.t", b"\0\n "),
        ("security.capability", capability),
        ("security.selinux", b"system_u:object_r:bin_t:s0\0"),
        ("system.posix_acl_access", acl),
    ];
    add(b"odd/xattrs", content(), attr(0o644, 0, 0, (1, 2)), &xattrs);
    add(b"odd/same", content(), attr(0o644, 0, 0, (1, 2)), &xattrs);
    add(b"odd/again", What::Hardlink(b"odd/xattrs".to_vec()), Attr::of(0), &[]);
    add(b"odd/\xff\n\\ \x01", content(), attr(0o600, 3, 4, (5, 6)), &[]);
    add(&[b"odd/", &[b'n'; 255][..]].concat(), content(), attr(0o600, 3, 4, (5, 6)), &[]);
    add(b"odd/link", What::Symlink(vec![b't'; 4095]), attr(0o777, 9, 9, (7, 8)), &[]);
    add(b"odd/block", What::Block(4095, 1_048_575), attr(0o660, 0, 6, (9, 10)), &[]);
    add(b"odd/char", What::Char(511, 257), attr(0o660, 0, 6, (9, 10)), &[("trusted.c", b"c")]);
    add(b"odd/fifo", What::Fifo, attr(0o4600, 1, 1, (0, 1)), &[]);
    // Attributes that an image has once for many inodes.
    for at in 0..40 {
        let long = vec![b'a' + at % 4; 100 + 110 * usize::from(at % 4)];
        let label = format!("system_u:object_r:type_{}_t:s0\0", at % 5);
        let xattrs = [("security.selinux", label.as_bytes()), ("user.long", &long)];
        add(format!("odd/label-{at}").as_bytes(), content(), attr(0o644, 0, 0, (1, 2)), &xattrs);
    }
    ops
}

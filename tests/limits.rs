//! Each limit at its edge: what is as much as a limit is taken, what is one more is refused, by the limit's name and
//! its value, in every stage that asks for it. The same of the tool is in `tests/tool/limits.rs`, of C in
//! `erofs-tarfs-ffi/tests/c/abuse/limits.h`, of Go in `examples/go/tarfs/limits_test.go`.

use erofs_tarfs::io::Ratio;
use erofs_tarfs::layout::{self, LayoutOptions};
use erofs_tarfs::limits::{Limit, Limits};
use erofs_tarfs::read::{self, DevicesAt, Image, TreeOptions};
use erofs_tarfs::tree::{
    Attributes, Builder, InodeId, LayerBuilder, LayerOptions, MergeOptions, Node, Tree, What,
    XattrSet, merge,
};
use erofs_tarfs::{image, tar};
use testkit::limits::{Edge, edges, tar_at_the_edges};
use testkit::tarball::TarBuilder;

fn layer(tar: &[u8], limits: Limits) -> Result<Tree, String> {
    let mut builder = LayerBuilder::new(LayerOptions::new().limits(limits));
    builder.push(tar).map_err(|error| error.to_string())?;
    Ok(builder.finish().map_err(|error| error.to_string())?.tree)
}

/// A tar on its whole way to an image, whose bytes come out.
fn made(tar: &[u8], limits: Limits) -> Result<Vec<u8>, String> {
    let tree = layer(tar, limits)?;
    let merged = merge(&[&tree], &MergeOptions::new().limits(limits));
    let merged = merged.map_err(|error| error.to_string())?;
    let options = LayoutOptions::new().limits(limits);
    Ok(image::bootstrap(&layout::plan(&merged, &options).map_err(|error| error.to_string())?))
}

#[test]
fn each_limit_holds_at_its_edge() {
    let tar = tar_at_the_edges();
    let bytes = made(&tar, Limits::new()).unwrap();
    let rows = edges(tar.len() as u64, bytes.len() as u64);
    for Edge { limit, most, says } in &rows {
        let at = |most: u64| made(&tar, Limits::new().with(*limit, most));
        let name = limit.name();
        for most in [*most, u64::MAX] {
            assert!(at(most).as_ref() == Ok(&bytes), "{name}, {most}: {:?}", at(most).err());
        }
        let error = at(most - 1).expect_err(name);
        let wanted = format!("{most} {says} are over the limit {name} of {}", most - 1);
        assert!(error.ends_with(&wanted), "{name}: {error}");
    }
    // No limit is without a row. Those that no tar alone shows have their own below.
    let shown = |limit: &&Limit| !rows.iter().any(|row| row.limit == **limit);
    let others: Vec<_> = Limit::ALL.iter().filter(shown).collect();
    assert_eq!(others, [&Limit::Ratio, &Limit::JsonBytes]);
}

/// The parser alone asks for what is of the tar.
#[test]
fn the_parser_has_limits_without_a_tree() {
    let tar = tar_at_the_edges();
    let read = |limits: Limits| {
        let mut parser = tar::Parser::new(tar::ParseOptions::new().limits(limits));
        let mut rest = &tar[..];
        loop {
            let step = parser.push(rest).map_err(|error| error.to_string())?;
            let is_over = matches!(step.event, tar::Event::NeedInput);
            rest = &rest[step.consumed..];
            if is_over {
                return Ok::<_, String>(());
            }
        }
    };
    let of_tars = [Limit::Bytes, Limit::PathBytes, Limit::ExtensionBytes, Limit::XattrBytes];
    let rows = edges(tar.len() as u64, 0);
    for row in rows.iter().filter(|row| of_tars.contains(&row.limit)) {
        let at = |most| read(Limits::new().with(row.limit, most));
        assert_eq!(at(row.most), Ok(()), "{}", row.limit.name());
        assert!(at(row.most - 1).unwrap_err().contains(row.limit.name()));
    }
    // Those of later stages it does not ask for.
    assert_eq!(read(Limits::new().max_inodes(0).max_depth(0).max_metadata_bytes(0)), Ok(()));
}

/// Attributes of one entry count in each form that they come in, also where a global header says them.
#[test]
fn attributes_count_in_each_form() {
    let (list, label) =
        ("user::rw-,user:bin:r--:2,group::r--,mask::r--,other::r--", "system_u:object_r:etc_t:s0");
    // Of base64 what it says is counted.
    for (key, value, bytes) in [
        ("SCHILY.xattr.user.a", "0123456789", "user.a".len() + 10),
        ("LIBARCHIVE.xattr.user.a", "MDEyMzQ1Njc4OQ==", "user.a".len() + 10),
        ("SCHILY.acl.access", list, list.len()),
        ("SCHILY.acl.default", list, list.len()),
        ("RHT.security.selinux", label, label.len()),
    ] {
        let value = value.as_bytes();
        let own = TarBuilder::new().dir("d", 0o755).pax(key, value).finish();
        let global = TarBuilder::new().global(&[(key.as_bytes(), value)]).dir("d", 0o755).finish();
        // One of each entry beside the global one.
        let both = TarBuilder::new()
            .global(&[(key.as_bytes(), value)])
            .dir("d", 0o755)
            .xattr("user.b", "x");
        for (form, tar, bytes) in [
            ("own", own, bytes),
            ("global", global, bytes),
            ("both", both.finish(), bytes + "user.bx".len()),
        ] {
            let at =
                |most: usize| layer(&tar, Limits::new().max_xattr_bytes(most as u64)).map(drop);
            assert_eq!(at(bytes), Ok(()), "{key}, {form}");
            let error = at(bytes - 1).expect_err(&format!("{key}, {form}"));
            let wanted =
                format!("{bytes} bytes of extended attributes are over the limit max_xattr_bytes");
            assert!(error.contains(&wanted), "{key}, {form}: {error}");
        }
    }
    // An entry that takes back what a global header says does not have it.
    let tar =
        TarBuilder::new().global(&[(b"RHT.security.selinux", label.as_bytes())]).dir("d", 0o755);
    let tar =
        tar.pax("RHT.security.selinux", "").xattr("user.a", vec![b'v'; label.len() - 6]).finish();
    assert!(layer(&tar, Limits::new().max_xattr_bytes(label.len() as u64)).is_ok());
}

/// Layers that each are within bounds, and not together.
#[test]
fn layers_together_have_limits() {
    let limits = Limits::new();
    let tars = ["a", "b", "c"].map(|name| TarBuilder::new().file(name, b"").finish());
    let layers = tars.each_ref().map(|tar| layer(tar, limits).unwrap());
    let layers: Vec<&Tree> = layers.iter().collect();
    let merged = |limits| merge(&layers, &MergeOptions::new().limits(limits));
    // The root, and a file of each.
    assert_eq!(merged(limits.max_inodes(4)).unwrap().inode_count(), 4);
    let error = merged(limits.max_inodes(3)).unwrap_err().to_string();
    assert_eq!(error, "layer 3: 4 inodes are over the limit max_inodes of 3");

    // A link of a lower layer puts what is below it at another depth.
    let tars = [
        TarBuilder::new().dir("1/2/3/4", 0o755).symlink("l", "1/2/3/4").finish(),
        TarBuilder::new().file("l/x/f", b"").finish(),
    ];
    let layers = tars.each_ref().map(|tar| layer(tar, limits.max_depth(4)).unwrap());
    let options = MergeOptions::new().follow_lower_links(true);
    let merged = |limits| merge(&[&layers[0], &layers[1]], &options.clone().limits(limits));
    assert!(merged(limits.max_depth(6)).unwrap().lookup(b"1/2/3/4/x/f").is_some());
    let error = merged(limits.max_depth(5)).unwrap_err().to_string();
    assert_eq!(error, "layer 2: 6 names in its path are over the limit max_depth of 5");
}

/// An image that somebody else made is held to what a layer is, as a bootstrap and as a disk.
#[test]
fn images_that_are_read_have_limits() {
    let tree = layer(&tar_at_the_edges(), Limits::new()).unwrap();
    let rows = edges(0, 0);
    for (options, devices) in [
        (LayoutOptions::new(), DevicesAt::Separate),
        (LayoutOptions::disk(), DevicesAt::InFile { tag: Vec::new() }),
        (LayoutOptions::disk(), DevicesAt::WholeFile { tag: Vec::new(), bytes: 1 << 20 }),
    ] {
        let bytes = image::bootstrap(&layout::plan(&tree, &options).unwrap());
        for limit in [Limit::Inodes, Limit::Depth] {
            let Edge { most, says, .. } = rows.iter().find(|row| row.limit == limit).unwrap();
            let at = |most| {
                let options = TreeOptions::new().limits(Limits::new().with(limit, most));
                Image::new(&bytes).unwrap().tree(&options.devices(devices.clone()))
            };
            for most in [*most, u64::MAX] {
                assert_eq!(at(most).unwrap().inode_count(), tree.inode_count());
            }
            let error = at(most - 1).unwrap_err();
            let read::Error::Inode { rule: read::Rule::Limit(over), .. } = error else { panic!() };
            assert_eq!((over.limit, over.value, over.most), (limit, *most, most - 1));
            let wanted =
                format!("{most} {says} are over the limit {} of {}", limit.name(), most - 1);
            assert!(error.to_string().ends_with(&wanted), "{error}");
        }
    }
}

/// What no tar gets past the limits, a writer of images makes; each name of an inode counts.
#[test]
fn images_that_are_deeper_than_layers_are_refused() {
    let node = |what| Node { attributes: Attributes::default(), xattrs: XattrSet::NONE, what };
    let deep = |names: u32| {
        let mut builder = Builder::new();
        let file = builder.add(node(What::Fifo)).unwrap();
        builder.link(InodeId::ROOT, b"f", file).unwrap();
        let mut at = InodeId::ROOT;
        for _ in 1..names {
            let below = builder.add(node(What::Directory)).unwrap();
            builder.link(at, b"d", below).unwrap();
            at = below;
        }
        builder.link(at, b"f2", file).unwrap();
        let tree = builder.finish().unwrap();
        image::bootstrap(&layout::plan(&tree, &LayoutOptions::new()).unwrap())
    };
    let read =
        |bytes: &[u8], options: &TreeOptions| Image::new(bytes).unwrap().tree(options).map(drop);
    assert_eq!(read(&deep(4096), &TreeOptions::new()), Ok(()));
    let bytes = deep(4097);
    let error = read(&bytes, &TreeOptions::new()).unwrap_err().to_string();
    assert!(
        error.ends_with("4097 names in its path are over the limit max_depth of 4096"),
        "{error}"
    );
    assert_eq!(read(&bytes, &TreeOptions::new().limits(Limits::new().max_depth(4097))), Ok(()));
}

/// 300 MiB of one: with a ratio of 300, and not with 299.
#[test]
fn the_ratio_at_its_edge() {
    let at = |most| Ratio::from(Limits::new().max_ratio(most)).check(1 << 20, 300 << 20);
    assert_eq!(at(300), Ok(()));
    let error = at(299).unwrap_err().to_string();
    assert_eq!(error, "314572800 bytes made of 1048576 are over the limit max_ratio of 299");
}

#[test]
fn names_are_those_of_the_fields() {
    for limit in Limit::ALL {
        assert_eq!(Limit::named(limit.name()), Some(*limit));
        assert_eq!(Limits::new().with(*limit, 7).get(*limit), 7);
        assert!(limit.name().starts_with("max_"));
    }
    assert_eq!(Limit::named("max_nothing"), None);
}

//! The commands that write.

/// What a command does to the files of its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writes {
    /// It makes files that are not there before.
    New,
    /// The same, or takes the place of a file that is there.
    Replaces(&'static str),
    /// It writes to a file that is there: a hash tree behind its data.
    Into(&'static str),
}

/// A command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// Program and arguments; `{i}` is the folder of the inputs, `{o}` that of the outputs, which is also where
    /// it runs.
    pub(crate) command: &'static str,
    /// The file on standard input.
    pub(crate) stdin: Option<&'static str>,
    /// Files that are copied from the inputs before it runs.
    pub(crate) has: &'static [&'static str],
    pub(crate) writes: Writes,
    /// Whether its program has an option by which it syncs nothing.
    pub(crate) has_no_sync: bool,
}

const fn row(name: &'static str, command: &'static str, writes: Writes) -> Row {
    Row { name, command, stdin: None, has: &[], writes, has_no_sync: true }
}

use Writes::{Into, New, Replaces};

pub(crate) const ROWS: &[Row] = &[
    row("layer", "tarfs layer -o {o}/base.erofs {i}/base.tar", Replaces("base.erofs")),
    Row {
        stdin: Some("base.tar.zst"),
        ..row("layer, its tar kept", "tarfs layer -o {o}/base.erofs -", New)
    },
    Row {
        stdin: Some("base.tar"),
        ..row(
            "layer, in one pass",
            "tarfs layer --disk --placement data-first --verity -o {o}/base.disk -",
            Replaces("base.disk"),
        )
    },
    row(
        "layer, with a sidecar",
        "tarfs layer --disk --verity --preset containerd --sidecar -o {o}/l.erofs {i}/base.tar",
        New,
    ),
    row(
        "merge",
        "tarfs merge -o {o}/image.erofs {i}/base.tar {i}/app.tar",
        Replaces("image.erofs"),
    ),
    row("tar", "tarfs tar -o {o}/all.tar {i}/base.tar", Replaces("all.tar")),
    row("manual", "tarfs manual {o}/man", New),
    row("merge --disk", "tarfs merge --disk -o {o}/d {i}/base.tar {i}/app.tar.gz", Replaces("d")),
    row(
        "image_block",
        "tarfs export --mode image_block --align 64KiB -o {o}/d {i}/base.tar {i}/app.tar",
        Replaces("d"),
    ),
    row(
        "image_block_with_verity",
        "tarfs export --mode image_block_with_verity -o {o}/d {i}/base.tar {i}/app.tar {i}/fix.tar",
        Replaces("d"),
    ),
    row(
        "image_block_with_verity, unpacked into it",
        "tarfs export --mode image_block_with_verity --placement data-first -o {o}/d {i}/app.tar.gz {i}/base.tar.zst",
        Replaces("d"),
    ),
    row(
        "layer_block_with_verity, several",
        "tarfs export --mode layer_block_with_verity --preset containerd --sidecar -o {o}/disks \
         {i}/base.tar {i}/app.tar {i}/fix.tar",
        New,
    ),
    row(
        "layer_block, several",
        "tarfs export --mode layer_block -o {o}/disks {i}/base.tar {i}/app.tar",
        New,
    ),
    row(
        "layer_verity_only",
        "tarfs export --mode layer_verity_only -o {o}/tree {i}/base.tar",
        Replaces("tree"),
    ),
    row(
        "image_verity_only",
        "tarfs export --mode image_verity_only -o {o}/tree {i}/base.tar {i}/app.tar",
        Replaces("tree"),
    ),
    row(
        "export --gpt",
        "tarfs export --mode layer_block --gpt -o {o}/raw {i}/base.tar {i}/app.tar",
        Replaces("raw"),
    ),
    Row {
        has: &["base.tar"],
        ..row(
            "export --form vmdk",
            "tarfs export --mode image_block --form vmdk -o d.vmdk base.tar",
            New,
        )
    },
    Row {
        has: &["base.tar"],
        ..row(
            "export --form dm-linear",
            "tarfs export --mode image_block_with_verity --form dm-linear -o d.sh base.tar",
            New,
        )
    },
    row("oci", "tarfs oci oci:{o}/layout:erofs oci:{i}/layout:latest", New),
    row("cache", "tarfs cache --verity containerd-4k {o}/cache oci:{i}/layout:latest", New),
    row(
        "fsmeta",
        "tarfs fsmeta -o {o}/fsmeta.erofs {i}/base.disk {i}/app.disk",
        Replaces("fsmeta.erofs"),
    ),
    Row { has: &["data"], ..row("verity format", "tarfs verity format data", Into("data")) },
    Row {
        has: &["base.disk"],
        ..row(
            "verity format --sidecar",
            "tarfs verity format --preset containerd --sidecar base.disk",
            Into("base.disk"),
        )
    },
    Row {
        has: &["data"],
        ..row("verity format --hash", "tarfs verity format --hash tree data", Into("data"))
    },
    row("inspect --svg", "tarfs inspect --svg {o}/image.svg {i}/base.disk", Replaces("image.svg")),
    Row {
        stdin: Some("base.tar"),
        ..row(
            "mkfs.erofs --tar=f",
            "mkfs-erofs --tar=f --quiet {o}/layer.erofs",
            Replaces("layer.erofs"),
        )
    },
    Row {
        stdin: Some("base.tar"),
        ..row(
            "mkfs.erofs -b4096",
            "mkfs-erofs --tar=f -b4096 {o}/layer.erofs",
            Replaces("layer.erofs"),
        )
    },
    Row {
        stdin: Some("base.tar"),
        ..row("mkfs.erofs --tar=i", "mkfs-erofs --tar=i {o}/layer.erofs", Replaces("layer.erofs"))
    },
    row("mkfs.erofs DIRECTORY", "mkfs-erofs {o}/upper.erofs {i}/upper", Replaces("upper.erofs")),
    row(
        "nydus-image create",
        "nydus-image create --type tar-tarfs --bootstrap {o}/b --blob-id base -J {o}/json {i}/base.tar",
        Replaces("b"),
    ),
    row(
        "nydus-image merge",
        "nydus-image merge --bootstrap {o}/b {i}/base.boot {i}/app.boot",
        Replaces("b"),
    ),
    row(
        "nydus-image export",
        "nydus-image export --block --localfs-dir {i}/blobs --bootstrap {i}/image.boot --output {o}/d --verity",
        Replaces("d"),
    ),
    Row {
        has_no_sync: false,
        ..row("nydus-image check", "nydus-image check -J {o}/json {i}/base.boot", Replaces("json"))
    },
    Row {
        has_no_sync: false,
        ..row("the library", "seal_image {o}/d {i}/base.tar {i}/app.tar", Replaces("d"))
    },
    Row {
        has_no_sync: false,
        ..row(
            "C",
            "export_in_c image_block_with_verity {o}/d {i}/base.tar {i}/app.tar",
            Replaces("d"),
        )
    },
    Row {
        has_no_sync: false,
        ..row("C, several", "export_in_c layer_block {o}/disks {i}/base.tar {i}/app.tar", New)
    },
];

//! The presets of hash trees, and more parameters that are tried.

use erofs_tarfs::verity::Params;

/// Parameters of a hash tree: what they are called, the tool's options, and bytes of a data block.
pub(super) struct Preset {
    pub(super) name: &'static str,
    pub(super) options: Vec<&'static str>,
    pub(super) data_block: u32,
    /// Over which blocks of the filesystem it is tried.
    pub(super) blocks: &'static [u32],
}

pub(super) fn presets() -> Vec<Preset> {
    let data_block = |name| Params::named(name).unwrap().data_block().bytes();
    let named = |name| Preset {
        name,
        options: vec!["--preset", name],
        data_block: data_block(name),
        blocks: &[512, 1024, 2048, 4096],
    };
    let more = |name, options: &[&'static str]| Preset {
        name,
        options: options.into(),
        data_block: 512,
        blocks: &[512],
    };
    let mut all: Vec<Preset> = Params::NAMES.map(named).into();
    let salted = ["--preset", "veritysetup", "--data-block-size", "512", "--salt", "00ff10c3"];
    all.push(more("salted", &salted));
    all.push(more("marked", &["--superblock", "--hash-block-size", "1024"]));
    all.push(more("sha512", &["--hash-algorithm", "sha512", "--salt", "ab"]));
    all.push(more("format 0", &["--hash-format", "0", "--salt", "00ff10c3", "--superblock"]));
    all
}

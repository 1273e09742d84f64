//! Texts about sealed data: command lines, device-mapper tables, JSON.

use alloc::{borrow::ToOwned, format, string::String, string::ToString, vec::Vec};
use core::fmt;

use super::value::Hex;
use super::{Error, Sealed};

impl Sealed {
    /// The line for `dmsetup create NAME --readonly --table LINE`, without options.
    ///
    /// Sizes in it: sectors of 512 bytes, then bytes, bytes, data blocks, hash blocks. Spaces and
    /// backslashes in device names are escaped with a backslash, as `dm_split_args` in the kernel
    /// undoes.
    ///
    /// # References
    /// "Construction Parameters" in Linux `Documentation/admin-guide/device-mapper/verity.rst`.
    pub fn table_line(&self, data_device: &str, hash_device: &str) -> String {
        let geometry = self.geometry();
        let escape = |name: &str| name.replace('\\', "\\\\").replace(' ', "\\ ");
        format!(
            "0 {} verity {} {} {} {} {} {} {} {} {} {}",
            geometry.data_bytes() / 512,
            self.params().format().number(),
            escape(data_device),
            escape(hash_device),
            geometry.data_block(),
            geometry.hash_block(),
            geometry.data_blocks(),
            geometry.hash_start(),
            self.params().algorithm(),
            self.root(),
            self.salt_text(),
        )
    }

    /// The kernel command line argument that makes the device at boot, read-only, without UUID
    /// and minor number: `dm-mod.create="NAME,,,ro,TABLE"`.
    ///
    /// # Errors
    /// [`Error::Name`] for an empty name, or one with a comma, semicolon, quote, space or control
    /// character.
    ///
    /// # References
    /// Linux `Documentation/admin-guide/device-mapper/dm-init.rst`.
    pub fn dm_mod_create(
        &self,
        name: &str,
        data_device: &str,
        hash_device: &str,
    ) -> Result<String, Error> {
        for name in [name, data_device, hash_device] {
            let bad = |c: char| matches!(c, ',' | ';' | '"' | '\'' | '\\' | ' ') || c.is_control();
            if let Some(found) = name.chars().find(|&c| bad(c)) {
                return Err(Error::Name { found });
            }
            if name.is_empty() {
                return Err(Error::Name { found: '\0' });
            }
        }
        Ok(format!("dm-mod.create=\"{name},,,ro,{}\"", self.table_line(data_device, hash_device)))
    }

    /// The `veritysetup format` command that makes the same hash area over `data` in `hash`; the
    /// same file twice if they are one.
    pub fn format_command(&self, data: &str, hash: &str) -> CommandLine {
        let mut line = CommandLine::new(["veritysetup", "format", data, hash]);
        match self.uuid() {
            Some(uuid) => line.push(format!("--uuid={uuid}")),
            None => line.push("--no-superblock".to_owned()),
        }
        self.push_params(&mut line);
        line
    }

    /// The `veritysetup verify` command. It reads the parameters from the superblock if there is
    /// one, from options else.
    pub fn verify_command(&self, data: &str, hash: &str) -> CommandLine {
        let root = self.root().to_string();
        let mut line = CommandLine::new(["veritysetup", "verify", data, hash, &root]);
        self.push_open_params(&mut line);
        line
    }

    /// The `veritysetup open` command that makes `/dev/mapper/NAME`.
    pub fn open_command(&self, data: &str, name: &str, hash: &str) -> CommandLine {
        let root = self.root().to_string();
        let mut line = CommandLine::new(["veritysetup", "open", data, name, hash, &root]);
        self.push_open_params(&mut line);
        line
    }

    /// The sidecar that containerd keeps beside a layer as `layer.erofs.dmverity`, byte for byte as it
    /// writes it: `roothash`, and in `hashoffset` the byte where the superblock is. containerd reads all
    /// other parameters from the superblock, so a tree without one can't be opened by it.
    ///
    /// # References
    /// `FormatLayer` in containerd's `internal/dmverity`.
    ///
    /// # Examples
    /// ```
    /// use erofs_tarfs::verity::{Digest, Geometry, Params, HashPlacement, Sealed};
    ///
    /// let geometry = Geometry::new(&Params::containerd(), 1 << 20, HashPlacement::BehindData)?;
    /// let text = Sealed::new(geometry, Digest([0xab; 32])).containerd_sidecar();
    /// assert!(text.starts_with("{\n  \"roothash\": \"abab"));
    /// assert!(text.ends_with("\",\n  \"hashoffset\": 1048576\n}"));
    /// # Ok::<(), erofs_tarfs::verity::Error>(())
    /// ```
    pub fn containerd_sidecar(&self) -> String {
        let (root, offset) = (self.root(), self.geometry().hash_offset());
        format!("{{\n  \"roothash\": \"{root}\",\n  \"hashoffset\": {offset}\n}}")
    }

    /// The string that Nydus puts in labels: `BLOCKS,OFFSET,sha256:ROOT`, the offset in bytes. Nydus knows no other
    /// algorithm, and format 1 alone.
    pub fn nydus_label(&self) -> String {
        let (blocks, offset) = (self.geometry().data_blocks(), self.geometry().hash_offset());
        format!("{blocks},{offset},{}:{}", self.params().algorithm(), self.root())
    }

    /// The dm-verity options of Kata's and nydus-snapshotter's volumes: block sizes and offset in
    /// bytes. The form has no place for a salt or a superblock.
    pub fn kata_json(&self) -> String {
        let geometry = self.geometry();
        format!(
            "{{\"hashtype\":\"{}\",\"hash\":\"{}\",\"blocknum\":{},\"blocksize\":{},\
             \"hashsize\":{},\"offset\":{}}}",
            self.params().algorithm(),
            self.root(),
            geometry.data_blocks(),
            geometry.data_block(),
            geometry.hash_block(),
            geometry.tree_offset(),
        )
    }

    fn salt_text(&self) -> String {
        match self.params().salt() {
            [] => "-".to_owned(),
            salt => Hex(salt).to_string(),
        }
    }

    fn push_open_params(&self, line: &mut CommandLine) {
        match self.params().has_superblock() {
            true => line.push(format!("--hash-offset={}", self.geometry().hash_offset())),
            false => {
                line.push("--no-superblock".to_owned());
                self.push_params(line);
            }
        }
    }

    fn push_params(&self, line: &mut CommandLine) {
        let geometry = self.geometry();
        line.push(format!("--format={}", self.params().format().number()));
        line.push(format!("--hash={}", self.params().algorithm()));
        line.push(format!("--data-block-size={}", geometry.data_block()));
        line.push(format!("--hash-block-size={}", geometry.hash_block()));
        line.push(format!("--data-blocks={}", geometry.data_blocks()));
        line.push(format!("--salt={}", self.salt_text()));
        line.push(format!("--hash-offset={}", geometry.hash_offset()));
    }
}

/// A command: its words as they are for [`CommandLine::words`], quoted for a shell by `Display`.
///
/// ```
/// use erofs_tarfs::verity::{Digest, Geometry, Params, HashPlacement, Sealed};
///
/// let geometry = Geometry::new(&Params::containerd(), 1 << 20, HashPlacement::OwnFile)?;
/// let open = Sealed::new(geometry, Digest([7; 32])).open_command("my data", "image", "tree");
/// assert_eq!(open.words()[..3], ["veritysetup", "open", "my data"]);
/// assert!(open.to_string().starts_with("veritysetup open 'my data' image tree"));
/// # Ok::<(), erofs_tarfs::verity::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    words: Vec<String>,
}

impl CommandLine {
    fn new<const N: usize>(words: [&str; N]) -> Self {
        Self { words: words.map(ToOwned::to_owned).into() }
    }

    fn push(&mut self, word: String) {
        self.words.push(word);
    }

    /// The program and its arguments.
    pub fn words(&self) -> &[String] {
        &self.words
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, word) in self.words.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{}", Word(word))?;
        }
        Ok(())
    }
}

/// A word as a shell reads it back: in quotes, if it has to be.
pub(crate) struct Word<'a>(pub(crate) &'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_=./:,+@%".contains(&b);
        match !self.0.is_empty() && self.0.bytes().all(plain) {
            true => f.write_str(self.0),
            false => write!(f, "'{}'", self.0.replace('\'', "'\\''")),
        }
    }
}

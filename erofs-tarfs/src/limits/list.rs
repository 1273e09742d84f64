//! The limits: what each is called, what it bounds, and which attack it stops.

/// Makes [`Limit`] and [`Limits`] of the rows below, so that a limit is one row: its variant, its name, what it
/// counts, its default, and the default in words.
macro_rules! limits {
    ($(
        $(#[doc = $doc:literal])*
        $limit:ident, $name:ident: $what:literal, $default:expr, $says:literal;
    )*) => {
        /// Which limit: the names are those of the fields of [`Limits`], in C, in Go and in the tool's `--limit`.
        ///
        /// ```
        /// use erofs_tarfs::limits::Limit;
        ///
        /// assert_eq!(Limit::named("max_depth"), Some(Limit::Depth));
        /// assert!(Limit::ALL.iter().all(|limit| Limit::named(limit.name()) == Some(*limit)));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Limit {
            $(
                #[doc = concat!("[`Limits::", stringify!($name), "`]: ", $what, ".")]
                $limit,
            )*
        }

        impl Limit {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$limit,)*];

            /// The name of its field and of its option.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$limit => stringify!($name),)*
                }
            }

            /// What it counts, in words.
            pub const fn what(self) -> &'static str {
                match self {
                    $(Self::$limit => $what,)*
                }
            }

            /// The limit of this name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|limit| limit.name() == name)
            }
        }

        /// How much an input may cost. What is exactly as much as a limit is taken, what is one more is refused, with an
        /// [`OverLimit`](super::OverLimit); [`u64::MAX`] is no limit.
        ///
        /// ```
        /// use erofs_tarfs::limits::{Limit, Limits};
        ///
        /// // What somebody decompresses who does not know what will come.
        /// let limits = Limits::new().max_bytes(10 << 30).max_entries(1_000_000);
        /// assert!(limits.check(Limit::Entries, 1_000_000).is_ok());
        /// assert!(limits.check(Limit::Entries, 1_000_001).is_err());
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Limits {
            $(
                $(#[doc = $doc])*
                #[doc = ""]
                #[doc = concat!("Default: ", $says, ".")]
                pub $name: u64,
            )*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Limits {
            /// The default: for layers of strangers.
            pub fn new() -> Self {
                Self::default()
            }

            $(
                #[doc = concat!("Sets how many ", $what, " there may be; ", $says, " by default.")]
                #[must_use]
                pub fn $name(self, $name: u64) -> Self {
                    Self { $name, ..self }
                }
            )*

            /// The value of a limit.
            #[inline]
            pub const fn get(&self, limit: Limit) -> u64 {
                match limit {
                    $(Limit::$limit => self.$name,)*
                }
            }

            /// Sets the limit that is named by a value, as where the name comes from a command line.
            #[must_use]
            pub const fn with(mut self, limit: Limit, most: u64) -> Self {
                match limit {
                    $(Limit::$limit => self.$name = most,)*
                }
                self
            }
        }
    };
}

limits! {
    /// Most bytes of a tar, uncompressed, its end and what follows that counted; of the tool, of an image on standard
    /// input too.
    ///
    /// Stops a tar that fills the disk it is written to, or never ends: 2 MB of gzip are 2 GiB of zeros. Whoever reads
    /// a tar from a file has its bytes already; set it for tars that are decompressed.
    Bytes, max_bytes: "bytes of the tar", u64::MAX, "none";

    /// How many times as long as the compressed bytes that were read a stream may be, once it is over 256 MiB.
    ///
    /// Stops the same, where the user knows no length: a few bytes of gzip, zstd, xz or bzip2, or the hole of a
    /// sparse file in an archive, become any number. gzip makes 1,032 of one at most; layers of real images are
    /// below 20.
    Ratio, max_ratio: "bytes for each compressed one", 200, "200";

    /// Most entries of a tar, markers and those that replace one another counted.
    ///
    /// Stops a tar of headers alone, of which each takes about 150 bytes of memory, and 512 that compress to nearly
    /// nothing. Whoever reads a tar from a file has its bytes already; set it for tars that are decompressed.
    Entries, max_entries: "entries", u64::MAX, "none";

    /// Most inodes of a layer, of an image that is read, and of layers that are merged: its files, implied directories
    /// and the root.
    ///
    /// Stops what stands when nothing else did: layers that each are within bounds, and are gigabytes of memory when a
    /// hundred of them are one image. An inode with its name takes about 92 bytes of memory.
    Inodes, max_inodes: "inodes", 1 << 24, "16,777,216, which is 1.5 GB of memory; the largest images have some millions";

    /// Most directories that no entry is about, but which the paths of entries imply, beyond 4 for each entry.
    ///
    /// Stops a tar of few deep paths: one of 64 KiB implies 32,768 directories, each an inode and a name.
    Implied, max_implied: "directories that no entry is about, beyond 4 for each entry,", 1 << 16, "65,536";

    /// Most names in the path of an entry, symbolic links on the way followed, of a name in an image that is read, and
    /// when layers are merged.
    ///
    /// Stops trees that cost those who come later: what goes to each directory by its path takes time with the
    /// square of the depth, what goes down by recursion its stack.
    Depth, max_depth: "names in its path", 1 << 12, "4,096; a path of Linux, of 4,095 bytes, has at most 2,048";

    /// Most bytes of a path or of a link's target.
    ///
    /// Stops long names, each of which is kept: by the parser until its entry comes, by a layer until it is written.
    PathBytes, max_path_bytes: "bytes of a path or link target", 1 << 16,
        "65,536, sixteen times Linux's `PATH_MAX`, as what extracts below a directory can still reach longer ones";

    /// Most bytes of one name in a path. EROFS and Linux have none over 255, so a higher number changes nothing.
    ///
    /// Stops names that what comes later can't handle: eCryptfs, for example, takes 143.
    NameBytes, max_name_bytes: "bytes of a name", 255, "255";

    /// Most bytes of extension headers (types `x`, `L`, `K`) before one entry, in sum, and of any global header.
    ///
    /// Stops headers that are held in memory until their entry comes, which never does.
    ExtensionBytes, max_extension_bytes: "bytes of extension headers", 1 << 20, "1 MiB, the limit of Go's `archive/tar`";

    /// Most bytes of extended attributes (names and values) of one entry, global ones among them; of access control
    /// lists and SELinux labels the text alone.
    ///
    /// Stops attributes that are kept until the image is written.
    XattrBytes, max_xattr_bytes: "bytes of extended attributes", 1 << 20, "1 MiB";

    /// Most bytes of a global path or link target, which counts for all entries that follow.
    ///
    /// Stops a path that is said once, and is kept and walked for each entry of 512 bytes: 20 MB that took 2.5 GB.
    GlobalPathBytes, max_global_path_bytes: "bytes of a global path or link target", 1 << 10,
        "1,024; no writer is known that has these at all";

    /// Most bytes of global extended attributes in force: names, values, and 16 for each; access control lists and
    /// SELinux labels are among them.
    ///
    /// Stops attributes that are said once, and stand at each inode: 25 MB that became an image of 1.3 GB.
    GlobalXattrBytes, max_global_xattr_bytes: "bytes of global extended attributes", 1 << 10, "1,024";

    /// Most runs in the map of a sparse file, empty ones counted.
    ///
    /// Stops maps of runs of no length, which take 16 bytes of memory each and nothing of the tar.
    SparseSegments, max_sparse_segments: "runs in a sparse map", 1 << 20, "1,048,576, the limit of Go's `archive/tar`";

    /// Most bytes that a layer carries itself: pieces of sparse files off the 512-byte grid, extended attributes, and
    /// link targets, those of hard links into lower layers too.
    ///
    /// Stops maps of a million runs of one byte, each of which is carried as a block, and targets that are kept for
    /// each of many links.
    Carried, max_carried: "bytes of attributes, link targets, and sparse pieces off the 512-byte grid", 1 << 30, "1 GiB";

    /// Most bytes of the chunk tables of an image's sparse files, beyond an eighth of the bytes of all devices.
    ///
    /// Stops holes: a header says that a file is 8 EiB long, and a table has an entry for each chunk of it.
    TableBytes, max_table_bytes: "bytes of chunk tables, beyond an eighth of the data,", 64 << 20, "64 MiB";

    /// Most bytes of an image's metadata: inodes, names, attributes, tables, and what layers carry.
    ///
    /// Stops an image that fills the disk, whatever its layers did to be within each of the others: of a hundred
    /// layers that carry 1 GiB each.
    MetadataBytes, max_metadata_bytes: "bytes of metadata", 4 << 30, "4 GiB; a file takes about 125 bytes";

    /// Most bytes of a document of JSON: manifest, index, configuration.
    ///
    /// Stops a document that is read whole, and is a sparse file of 1 TiB in an archive of 10 KB. This library reads
    /// none; the programs over it do, the tool and Go's `snapshot`.
    JsonBytes, max_json_bytes: "bytes of JSON", 4 << 20, "4 MiB, the most that registries take";
}

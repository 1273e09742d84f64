//! What the entry added last is like.

use super::{TarBuilder, pax};

impl TarBuilder {
    /// Its mode, as it stands in the header.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.last().mode = mode;
        self
    }

    /// Its owner.
    #[must_use]
    pub fn uid(mut self, uid: u64) -> Self {
        self.last().uid = uid;
        self
    }

    /// Its group.
    #[must_use]
    pub fn gid(mut self, gid: u64) -> Self {
        self.last().gid = gid;
        self
    }

    /// Its time of modification: seconds, rounded towards the past, and nanoseconds on top.
    #[must_use]
    pub fn mtime(mut self, secs: i64, nanos: u32) -> Self {
        self.last().mtime = (secs, nanos);
        self
    }

    /// An extended attribute, as a `SCHILY.xattr.` record.
    #[must_use]
    pub fn xattr(self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.pax([b"SCHILY.xattr.", key.as_ref()].concat(), value)
    }

    /// An extended attribute as libarchive writes it: key url-encoded, value in base64.
    #[must_use]
    pub fn xattr_libarchive(self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let key = [b"LIBARCHIVE.xattr.", pax::url(key.as_ref()).as_bytes()].concat();
        self.pax(key, pax::base64(value.as_ref()))
    }

    /// A record in its pax extended header.
    #[must_use]
    pub fn pax(mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.last().records.push((key.as_ref().to_vec(), value.as_ref().to_vec()));
        self
    }

    /// Its body; the header's size goes with it unless [`size`](Self::size) says otherwise.
    #[must_use]
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.last().body = body.as_ref().to_vec();
        self
    }

    /// Its size, whatever the body is.
    #[must_use]
    pub fn size(mut self, size: u64) -> Self {
        self.last().size = Some(size);
        self
    }

    /// Its link target.
    #[must_use]
    pub fn link(mut self, target: impl AsRef<[u8]>) -> Self {
        self.last().link = target.as_ref().to_vec();
        self
    }

    /// Its device number.
    #[must_use]
    pub fn device(mut self, major: u32, minor: u32) -> Self {
        self.last().device = Some((major, minor));
        self
    }

    /// Its type flag.
    #[must_use]
    pub fn flag(mut self, flag: u8) -> Self {
        self.last().flag = flag;
        self
    }

    /// Bytes put over its header before the checksum is taken.
    #[must_use]
    pub fn tweak(mut self, offset: usize, bytes: impl AsRef<[u8]>) -> Self {
        self.last().tweaks.push((offset, bytes.as_ref().to_vec()));
        self
    }
}

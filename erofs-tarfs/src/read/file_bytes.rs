//! The bytes of regular files.

use super::{Error, Image, Rule, StoredPlace};

impl Image<'_> {
    /// Fills `buf` with the bytes of a regular file from byte `offset` on; answers how many they are,
    /// which is fewer than `buf` has room for only at the end of the file.
    ///
    /// What lies in the image is taken from there. What lies in a device is asked of `read`: it fills a
    /// buffer with the bytes from an offset on of the device with an index, as [`devices`](Self::devices)
    /// counts them. The devices of a [disk](Self::holds_devices) are in its own file, each from its block
    /// [`uniaddr`](super::DeviceInfo::uniaddr) on. With `std`,
    /// [`io::DeviceFiles`](crate::io::DeviceFiles) knows both.
    ///
    /// ```
    /// use erofs_tarfs::{image, layout, read::{self, Image}};
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
    ///
    /// let files = [("etc/motd", "hello\n")];
    /// let (tar, tree) = (doc::tar_of(&files), doc::layer_of(&files));
    /// let bytes = image::bootstrap(&layout::plan(&tree, &layout::LayoutOptions::default())?);
    /// let image = Image::new(&bytes)?;
    /// let motd = image.lookup(b"etc/motd")?.expect("it is there");
    /// let mut buf = [0; 100];
    /// let n = image.read_at(motd, 1, &mut buf, &mut |slot, offset, buf: &mut [u8]| {
    ///     assert_eq!(slot, 0);
    ///     buf.copy_from_slice(&tar[offset as usize..][..buf.len()]);
    ///     Ok::<(), read::Error>(())
    /// })?;
    /// assert_eq!(&buf[..n], b"ello\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`extents`](Self::extents); what `read` gives.
    pub fn read_at<E: From<Error>>(
        &self,
        nid: u64,
        offset: u64,
        buf: &mut [u8],
        read: &mut impl FnMut(u16, u64, &mut [u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let inode = self.inode(nid)?;
        let end = inode.size().min(offset.saturating_add(buf.len() as u64));
        let extents = self.runs_within(&inode, offset..end)?;
        // No more than the buffer has room for.
        let bytes = buf.len().min(end.saturating_sub(offset) as usize);
        let (buf, _) = buf.split_at_mut(bytes);
        buf.fill(0);
        for extent in extents {
            // Extents are cut off where the part ends that is asked for.
            let rest = buf.get_mut(extent.logical.saturating_sub(offset) as usize..);
            let part = rest.and_then(|rest| rest.get_mut(..extent.len as usize));
            let part = part.ok_or_else(|| inode.fault(inode.payload(), Rule::WithinImage))?;
            match extent.source {
                StoredPlace::Primary { offset } | StoredPlace::Inline { offset } => {
                    self.bytes.fill(offset, part)?;
                }
                StoredPlace::Device { slot, offset } => read(slot, offset, part)?,
            }
        }
        Ok(bytes)
    }
}

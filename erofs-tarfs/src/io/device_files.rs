//! The files that have an image's bytes, to read the files in it.

use super::verity::ReadAt;
use super::{Error, NamedFile};
use crate::read::{self, Image, ReadFault, ReadImage};

impl ReadImage for NamedFile {
    fn len(&self) -> Result<u64, ReadFault> {
        self.bytes().map_err(ReadFault::new)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadFault> {
        self.read_exact_at(buf, offset).map_err(ReadFault::new)
    }
}

#[cfg(unix)]
impl ReadImage for std::fs::File {
    fn len(&self) -> Result<u64, ReadFault> {
        super::file::length(self).map_err(ReadFault::new)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadFault> {
        ReadAt::read_exact_at(self, buf, offset).map_err(ReadFault::new)
    }
}

/// Gives [`Image::read_at`] the bytes of an image's devices, from their files.
///
/// ```
/// use erofs_tarfs::io::{DeviceFiles, Export, NamedFile};
/// use erofs_tarfs::{export::Mode, read::Image};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
///
/// # let folder = tempfile::tempdir()?;
/// # let (tar, disk) = (folder.path().join("base.tar"), folder.path().join("base.disk"));
/// # std::fs::write(&tar, doc::tar_of(&[("etc/motd", "hello\n")]))?;
/// Export::new(Mode::LayerBlock).tar(&tar).write(&disk)?;
///
/// let disk = NamedFile::open(&disk)?;
/// let image = Image::over(&disk)?;
/// let files = DeviceFiles::new(&image, &disk, &[])?; // a disk has its devices inside
/// let motd = image.lookup(b"etc/motd")?.expect("it is there");
/// assert_eq!(files.read(&image, motd, 0, &mut [0; 100])?, 6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct DeviceFiles<'f> {
    /// The file of the image itself.
    primary: &'f NamedFile,
    /// The file of each device, and the byte of it at which the device starts.
    files: Vec<(&'f NamedFile, u64)>,
}

impl<'f> DeviceFiles<'f> {
    /// Takes the files of an image's devices, in the order of its device table; none for a disk, whose
    /// devices are in its own file, `primary`.
    ///
    /// # Errors
    /// [`Error::MissingSource`] if a device has none; [`Error::Short`] if one ends before its device, except for
    /// what fills up its last block; [`Error::Open`].
    pub fn new(
        image: &Image<'_>,
        primary: &'f NamedFile,
        devices: &'f [NamedFile],
    ) -> Result<Self, Error> {
        let block = u64::from(image.block_size().bytes());
        let slots = image.devices();
        let inside = devices.is_empty() && image.holds_devices(primary.bytes()?);
        let mut files = Vec::with_capacity(slots.len());
        for (device, slot) in slots.iter().enumerate() {
            let (file, start) = match inside {
                true => (primary, slot.uniaddr.saturating_mul(block)),
                false => {
                    let none = Error::MissingSource { device, sources: devices.len() };
                    (devices.get(device).ok_or(none)?, 0)
                }
            };
            // A tar need not end with a block.
            let needed = slot.blocks.saturating_sub(1).saturating_mul(block).saturating_add(start);
            let bytes = file.bytes()?;
            if slot.blocks > 0 && bytes <= needed {
                let file = file.path().to_owned();
                return Err(Error::Short { file, bytes, needed: needed.saturating_add(1) });
            }
            files.push((file, start));
        }
        Ok(Self { primary, files })
    }

    /// Fills `buf` with the bytes of a regular file of the image from byte `offset` on; answers how many
    /// they are, which is fewer than `buf` has room for only at the end of the file.
    ///
    /// # Errors
    /// [`Error::Image`]; [`Error::Read`].
    pub fn read(
        &self,
        image: &Image<'_>,
        nid: u64,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<usize, Error> {
        let mut from_device = |slot: u16, at: u64, buf: &mut [u8]| {
            let (device, sources) = (usize::from(slot), self.files.len());
            let none = Error::MissingSource { device, sources };
            let (file, start) = self.files.get(device).ok_or(Fault::Device(none))?;
            file.read_exact_at(buf, start.saturating_add(at)).map_err(Fault::Device)
        };
        image.read_at(nid, offset, buf, &mut from_device).map_err(|fault| match fault {
            Fault::Device(error) => error,
            Fault::Image(error) => Error::Image { file: self.primary.path().to_owned(), error },
        })
    }
}

/// Why a file of an image could not be read.
enum Fault {
    Image(read::Error),
    Device(Error),
}

impl From<read::Error> for Fault {
    fn from(error: read::Error) -> Self {
        Self::Image(error)
    }
}

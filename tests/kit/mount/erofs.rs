//! EROFS, over files or over loop devices.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::mount::{MountAttrFlags, MountFlags, fsconfig_set_string};

use super::{LoopDevice, Mounted};

/// mount(2) takes a page of options, and its end.
const MAX_OPTIONS: usize = 4095;

/// An EROFS image and its devices, to be mounted one way or another.
#[derive(Clone, Debug)]
pub struct Erofs {
    image: PathBuf,
    devices: Vec<PathBuf>,
    options: Vec<String>,
}

impl Erofs {
    /// An image without extra devices, or with all of them behind itself in one flat file.
    #[must_use]
    pub fn new(image: impl AsRef<Path>) -> Self {
        Self { image: image.as_ref().to_owned(), devices: Vec::new(), options: Vec::new() }
    }

    /// Extra devices, in the order of the device table.
    #[must_use]
    pub fn devices(mut self, devices: impl IntoIterator<Item = impl AsRef<Path>>) -> Self {
        self.devices.extend(devices.into_iter().map(|device| device.as_ref().to_owned()));
        self
    }

    /// A further mount option, such as `noacl`.
    #[must_use]
    pub fn option(mut self, option: impl Into<String>) -> Self {
        self.options.push(option.into());
        self
    }

    /// The options as mount(2) takes them.
    ///
    /// # Errors
    /// When they are longer than a page, or a path has a comma, which would end it.
    fn data(&self, devices: &[impl AsRef<Path>]) -> io::Result<Vec<u8>> {
        let mut all: Vec<Vec<u8>> =
            self.options.iter().map(|option| option.clone().into_bytes()).collect();
        for device in devices {
            let path = device.as_ref().as_os_str().as_bytes();
            if path.contains(&b',') {
                return Err(io::Error::other(format!(
                    "{:?}: a comma ends a mount option",
                    device.as_ref()
                )));
            }
            all.push([b"device=", path].concat());
        }
        let data = all.join(&b',');
        if data.len() > MAX_OPTIONS {
            return Err(io::Error::other(format!(
                "{} devices make {} bytes of mount options, mount(2) takes {MAX_OPTIONS}: \
                 shorten the paths or use mount_by_fd",
                devices.len(),
                data.len()
            )));
        }
        Ok(data)
    }

    /// Mounts the files themselves, by mount(2).
    ///
    /// # Errors
    /// The kernel's, with the command; options longer than a page.
    pub fn mount(&self) -> io::Result<Mounted> {
        let data = self.data(&self.devices)?;
        Mounted::mount("erofs", &self.image, MountFlags::RDONLY, &data, Vec::new())
    }

    /// Mounts the files themselves, by the mount API of file descriptors: any number of devices,
    /// each of a path of up to 255 bytes, commas and all.
    ///
    /// # Errors
    /// The kernel's, with what it logged.
    pub fn mount_by_fd(&self) -> io::Result<Mounted> {
        Mounted::configure("erofs", MountAttrFlags::MOUNT_ATTR_RDONLY, |fs| {
            fsconfig_set_string(fs, "source", &self.image)?;
            for option in &self.options {
                match option.split_once('=') {
                    Some((key, value)) => fsconfig_set_string(fs, key, value)?,
                    None => rustix::mount::fsconfig_set_flag(fs, option.as_str())?,
                }
            }
            self.devices.iter().try_for_each(|device| fsconfig_set_string(fs, "device", device))
        })
    }

    /// Mounts over a loop device for each file.
    ///
    /// # Errors
    /// Those of making the devices, and the kernel's.
    pub fn mount_by_loop(&self) -> io::Result<Mounted> {
        let primary = LoopDevice::new(&self.image)?;
        let mut loops: Vec<_> =
            self.devices.iter().map(LoopDevice::new).collect::<Result<_, _>>()?;
        let data = self.data(&loops.iter().map(LoopDevice::path).collect::<Vec<_>>())?;
        let source = primary.path().to_owned();
        loops.push(primary);
        Mounted::mount("erofs", &source, MountFlags::RDONLY, &data, loops)
    }
}

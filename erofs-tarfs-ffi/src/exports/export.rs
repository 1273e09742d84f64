//! The main job.
#![allow(unsafe_code, reason = "exports symbols")]

use core::ffi::{CStr, c_char, c_void};
use core::sync::atomic::{AtomicBool, Ordering};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::abi::error::Error;
use crate::abi::panic::boundary;
use crate::abi::pointer;
use crate::abi::sized;
use crate::exports::export_layer::TarfsExportLayer;
use crate::exports::export_options::TarfsExportOptions;
use crate::exports::exported::Exported;
use crate::streams::progress::{Progress, ProgressFn};
use crate::streams::watch::Watch;

/// Makes disks and hash trees of layers: all of them, or none. Files have no names until they are
/// whole and on the disk, and when it returns their names are too: nothing is lost by a power cut, unless
/// there is TARFS_EXPORT_NO_SYNC. A directory that is made has its name when all files are in it.
///
/// Where all sources are files it uses threads; sources that are callbacks are read by the calling
/// thread alone.
///
/// @param layers The lowest first.
/// @param count How many: at least 1.
/// @param path The file, in place of what has that name. A layer_ mode with several layers, or to a
///        path that is a directory, writes a file for each layer into that directory, which is made if
///        it is not there, named by the layer's tag: TAG.disk, TAG.verity for the tree alone, TAG.vmdk
///        and TAG.sh for forms. With partitions it is one file in any case.
/// @param options Not NULL, as its mode must be set.
/// @param progress Is told of bytes read, written and hashed, together. May be NULL.
/// @param exported Receives what is known of the files, ended with tarfs_exported_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_export(
    layers: *const TarfsExportLayer,
    count: usize,
    path: *const c_char,
    options: *const TarfsExportOptions,
    progress: ProgressFn,
    progress_ctx: *mut c_void,
    exported: *mut *mut Exported,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(exported, "exported")?;
            if path.is_null() {
                return Err(Error::null("path"));
            }
            let path = Path::new(OsStr::from_bytes(CStr::from_ptr(path).to_bytes()));
            if path.as_os_str().is_empty() {
                return Err(Error::argument("path: it is empty"));
            }
            let layers = sized::array(layers, count, "layers")?;
            if layers.is_empty() {
                return Err(Error::argument("layers: none"));
            }
            let options = sized::required(options, "options")?;
            let chooser = options.chooser()?;
            let (cancel, stopped) = (AtomicBool::new(false), Mutex::new(None));
            let mut export = options.read()?;
            for (index, layer) in layers.iter().enumerate() {
                export = layer.add(export, index + 1)?;
            }
            let mut progress = Progress::new(progress, progress_ctx);
            let watch = Watch::new(&mut progress);
            export = chooser.choose(export, &cancel);
            let export = export.cancel(&cancel).observer(|_, bytes| {
                if let Err(stop) = watch.add(bytes) {
                    let mut stopped = stopped.lock().unwrap_or_else(PoisonError::into_inner);
                    stopped.get_or_insert(stop);
                    cancel.store(true, Ordering::Relaxed);
                }
            });
            let made = export.write(path).map_err(|error| {
                let mut stopped = stopped.lock().unwrap_or_else(PoisonError::into_inner);
                // What the callback said, instead of that there was an end.
                let said = chooser.end().err().or_else(|| stopped.take());
                said.unwrap_or_else(|| error.into())
            })?;
            pointer::put(exported, pointer::give(Exported::new(made)?));
            Ok(())
        })
    }
}

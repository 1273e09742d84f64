//! What a program works on: objects, streams, and what was borrowed of objects.

use core::ffi::{CStr, c_char, c_void};
use core::ptr;
use core::slice;
use std::sync::OnceLock;

use tarfs::abi::error::Error;
use tarfs::abi::error_calls::{
    tarfs_error_errno, tarfs_error_free, tarfs_error_message, tarfs_error_offset,
    tarfs_error_status,
};
use tarfs::abi::string::tarfs_string_free;
use tarfs::images::{image, layout};
use tarfs::outputs::{gpt, ranges};
use tarfs::streams::progress::ProgressFn;
use tarfs::trees::{layer, tree};
use tarfs::verity::{hasher, leaves, sealed};
use testkit::stacks::Stack;

use crate::streams::{REFUSED, Stream, progress};
use crate::tape::Tape;

/// Objects of a kind: made by calls, and freed by one.
pub(crate) struct Objects<T> {
    all: Vec<*mut T>,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Objects<T> {
    fn new(free: unsafe extern "C" fn(*mut T)) -> Self {
        Self { all: Vec::new(), free }
    }

    pub(crate) fn put(&mut self, object: *mut T) {
        assert!(!object.is_null(), "success stores the object");
        self.all.push(object);
    }

    /// One of them, if there is any.
    pub(crate) fn one(&self, tape: &mut Tape<'_>) -> Option<*mut T> {
        let number = tape.below(256);
        (!self.all.is_empty()).then(|| self.all[number % self.all.len()])
    }

    /// Takes one out.
    fn take(&mut self, tape: &mut Tape<'_>) -> Option<*mut T> {
        let number = tape.below(256);
        (!self.all.is_empty()).then(|| self.all.swap_remove(number % self.all.len()))
    }
}

/// Bytes that an object has lent, and what they were.
struct Lent {
    owner: *const c_void,
    at: *const u8,
    was: Vec<u8>,
}

pub(crate) struct Machine<'a> {
    pub(crate) tape: Tape<'a>,
    pub(crate) layers: Objects<layer::Layer>,
    pub(crate) trees: Objects<tree::Tree>,
    pub(crate) layouts: Objects<layout::Layout>,
    pub(crate) images: Objects<image::Image>,
    pub(crate) hashers: Objects<hasher::Hasher>,
    pub(crate) leaves: Objects<leaves::Leaves>,
    pub(crate) sealed: Objects<sealed::Sealed>,
    pub(crate) ranges: Objects<ranges::Ranges>,
    pub(crate) gpts: Objects<gpt::Gpt>,
    errors: Objects<Error>,
    strings: Objects<c_char>,
    lent: Vec<Lent>,
    #[allow(clippy::vec_box, reason = "their addresses are the contexts of callbacks")]
    streams: Vec<Box<Stream>>,
    /// Contents that sources have.
    pub(crate) contents: Vec<Vec<u8>>,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(program: &'a [u8]) -> Self {
        static TARS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
        let tars = TARS.get_or_init(|| {
            let layers = (0..9).flat_map(|seed| Stack::wild(seed).layers);
            layers.map(|layer| layer.tar).filter(|tar| tar.len() < 16 << 10).collect()
        });
        Self {
            tape: Tape::new(program),
            layers: Objects::new(layer::tarfs_layer_free),
            trees: Objects::new(tree::tarfs_tree_free),
            layouts: Objects::new(layout::tarfs_layout_free),
            images: Objects::new(image::tarfs_image_free),
            hashers: Objects::new(hasher::tarfs_hasher_free),
            leaves: Objects::new(leaves::tarfs_leaves_free),
            sealed: Objects::new(sealed::tarfs_sealed_free),
            ranges: Objects::new(ranges::tarfs_ranges_free),
            gpts: Objects::new(gpt::tarfs_gpt_free),
            errors: Objects::new(tarfs_error_free),
            strings: Objects::new(tarfs_string_free),
            lent: Vec::new(),
            streams: Vec::new(),
            contents: tars.clone(),
        }
    }

    /// Makes a call; whether it succeeded. Half of them ask for the error.
    pub(crate) fn call(&mut self, call: impl FnOnce(*mut *mut Error) -> i32) -> bool {
        let mut error = ptr::null_mut();
        let asked = !self.tape.chance(2);
        let status = call(if asked { &raw mut error } else { ptr::null_mut() });
        assert!(status != -2 && status != -3, "a panic");
        match status {
            1.. => assert!(status == REFUSED && self.streams.iter().any(|s| s.refused), "{status}"),
            _ => assert!((-14..=0).contains(&status), "{status}"),
        }
        if status == 0 || !asked {
            assert!(error.is_null());
        } else if status < 0 || !error.is_null() {
            // SAFETY: a failure stores an error, which is the caller's.
            let text = unsafe {
                assert_eq!(tarfs_error_status(error), status);
                let _ = (tarfs_error_offset(error), tarfs_error_errno(error));
                CStr::from_ptr(tarfs_error_message(error))
            };
            assert!(!text.to_str().expect("UTF-8").is_empty());
            self.errors.put(error);
        }
        status == 0
    }

    /// A stream with contents of the machine's.
    pub(crate) fn full(&mut self) -> &mut Box<Stream> {
        let number = self.tape.below(256) % self.contents.len();
        self.of(number)
    }

    /// A stream with contents by their number.
    pub(crate) fn of(&mut self, number: usize) -> &mut Box<Stream> {
        let bytes = self.contents[number].clone();
        self.stream(bytes)
    }

    /// A stream to be written to.
    pub(crate) fn empty(&mut self) -> &mut Box<Stream> {
        self.stream(Vec::new())
    }

    fn stream(&mut self, bytes: Vec<u8>) -> &mut Box<Stream> {
        let calls = if self.tape.chance(16) { 1 + self.tape.below(8) } else { usize::MAX };
        let as_file = self.tape.chance(8);
        self.streams.push(Stream::new(bytes, calls, as_file));
        self.streams.last_mut().expect("it was pushed")
    }

    /// Mostly nobody who is told of progress.
    pub(crate) fn progress(&mut self) -> (ProgressFn, *mut c_void) {
        if !self.tape.chance(8) {
            return (None, ptr::null_mut());
        }
        let calls = 1 + self.tape.below(4);
        self.streams.push(Stream::new(Vec::new(), calls, false));
        let stream = self.streams.last_mut().expect("it was pushed");
        (Some(progress), ptr::from_mut::<Stream>(stream).cast())
    }

    /// Remembers what an object has lent.
    pub(crate) fn lend<T>(&mut self, owner: *mut T, at: *const u8, len: usize) {
        // SAFETY: the library says that so many bytes are there.
        let was = if len == 0 { &[] } else { unsafe { slice::from_raw_parts(at, len) } };
        let was = was.to_vec();
        self.lent.push(Lent { owner: owner.cast(), at, was });
    }

    /// Keeps a text that a call has made.
    pub(crate) fn text(&mut self, text: *mut c_char) {
        // SAFETY: a text of the library ends in a NUL.
        unsafe { CStr::from_ptr(text) }.to_str().expect("UTF-8");
        self.strings.put(text);
    }

    /// Keeps what was written to a stream, for sources to have.
    pub(crate) fn keep(&mut self, stream: *const Stream) {
        let stream = self.streams.iter().find(|one| ptr::eq(&raw const ***one, stream));
        let bytes = stream.expect("a stream of the machine").contents();
        if self.contents.len() < 200 {
            self.contents.push(bytes);
        }
    }

    /// Frees an object, or NULL.
    pub(crate) fn free(&mut self, kind: usize) {
        let Self { tape, lent, .. } = self;
        match kind {
            0 => free(&mut self.layers, tape, lent),
            1 => free(&mut self.trees, tape, lent),
            2 => free(&mut self.layouts, tape, lent),
            3 => free(&mut self.images, tape, lent),
            4 => free(&mut self.hashers, tape, lent),
            5 => free(&mut self.leaves, tape, lent),
            6 => free(&mut self.sealed, tape, lent),
            7 => free(&mut self.ranges, tape, lent),
            8 => free(&mut self.gpts, tape, lent),
            9 => free(&mut self.errors, tape, lent),
            _ => free(&mut self.strings, tape, lent),
        }
    }

    /// Frees all that is left.
    pub(crate) fn end(mut self) {
        for kind in 0..11 {
            while self.free_more(kind) {}
        }
    }

    fn free_more(&mut self, kind: usize) -> bool {
        self.free(kind);
        let left = [
            self.layers.all.len(),
            self.trees.all.len(),
            self.layouts.all.len(),
            self.images.all.len(),
            self.hashers.all.len(),
            self.leaves.all.len(),
            self.sealed.all.len(),
            self.ranges.all.len(),
            self.gpts.all.len(),
            self.errors.all.len(),
            self.strings.all.len(),
        ];
        left[kind] > 0
    }
}

fn free<T>(objects: &mut Objects<T>, tape: &mut Tape<'_>, lent: &mut Vec<Lent>) {
    let object = objects.take(tape).unwrap_or(ptr::null_mut());
    lent.retain(|lent| {
        let is_its = ptr::eq(lent.owner, object.cast());
        if is_its && !lent.was.is_empty() {
            // SAFETY: what is borrowed lives as long as its owner, which lives.
            let now = unsafe { slice::from_raw_parts(lent.at, lent.was.len()) };
            assert!(now == lent.was, "what was borrowed has changed");
        }
        !is_its
    });
    // SAFETY: NULL, or an object of this kind that nobody uses any more.
    unsafe { (objects.free)(object) }
}

//! A file that an option names: opened at load, written at the end, never truncated.
//!
//! Opened early, since at the end the process may have given up its rights, its root directory or its working directory,
//! or may be shut in a sandbox where open is deadly. O_APPEND lets many processes share one file, each with one write.
//! Owns the descriptor.

use core::ffi::{CStr, c_int};

use mems_core::buffer::Buffer;
use mems_core::report::ExitKind;

use crate::descriptor::Descriptor;
use crate::place::Place;
use crate::{process, raw};

/// The longest path and name that are kept, in bytes.
const PATH: usize = 8192;

/// See the module.
pub struct File {
    /// The path with its %p, %n and %% still in it, but absolute, and a NUL.
    template: Place,
    descriptor: Descriptor,
}

impl File {
    /// None yet.
    pub const fn new() -> File {
        File { template: Place::new(), descriptor: Descriptor::new() }
    }

    /// Opens the file that `wanted` and `name` behind it name together, for this process. The descriptor, or the negated
    /// error number.
    pub fn open(&self, wanted: &[u8], name: &[u8]) -> isize {
        self.template.set(PATH, |place| {
            let mut text = Buffer::new(place);
            if !wanted.starts_with(b"/") {
                working_directory(&mut text);
            }
            text.bytes(wanted);
            text.bytes(name);
            // Not as a text of one NUL: that would lie on a page of the library that nothing else here reads.
            text.fill(0, 1);
            if text.is_cut() { 0 } else { text.len() }
        });
        self.reopen()
    }

    /// In a forked child whose file has another name than its parent's: lets the parent's go.
    pub fn forked(&self) {
        if self.template.get().windows(2).any(|pair| pair == b"%p") {
            self.descriptor.close();
        }
    }

    /// Whether there is one.
    pub fn is_wanted(&self) -> bool {
        !self.template.get().is_empty()
    }

    /// Appends `bytes` in one write, opening the file anew where the program has closed it. False when that failed.
    pub fn write(&self, bytes: &[u8]) -> bool {
        let open = || if self.reopen() >= 0 { self.descriptor.get() } else { None };
        let Some(descriptor) = self.descriptor.get().or_else(open) else { return false };
        raw::quietly(|| raw::write_all(descriptor, bytes)) == bytes.len() as isize
    }

    /// Opens the file under its name for this process.
    fn reopen(&self) -> isize {
        let template = self.template.get();
        if template.contains(&b'%') {
            return self.open_expanded();
        }
        match CStr::from_bytes_with_nul(template) {
            Ok(path) => self.open_path(path),
            Err(_) => -(libc::ENAMETOOLONG as isize),
        }
    }

    #[cold]
    #[inline(never)]
    fn open_expanded(&self) -> isize {
        let mut place = [0; libc::PATH_MAX as usize];
        let mut path = Buffer::new(&mut place);
        self.expand(&mut path);
        if path.is_cut() {
            return -(libc::ENAMETOOLONG as isize);
        }
        match CStr::from_bytes_with_nul(path.as_bytes()) {
            Ok(path) => self.open_path(path),
            Err(_) => -(libc::EINVAL as isize),
        }
    }

    fn open_path(&self, path: &CStr) -> isize {
        let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_APPEND | libc::O_CLOEXEC | libc::O_NOCTTY;
        // O_NONBLOCK: opening a named pipe that nobody reads must not hang the program's start.
        // SAFETY: a C string.
        let got = unsafe { raw::open(path.as_ptr(), flags | libc::O_NONBLOCK, 0o644) };
        if got < 0 {
            return got;
        }
        self.descriptor.hold(got as c_int);
        got
    }

    fn expand(&self, path: &mut Buffer) {
        let facts = process::facts(ExitKind::Live, 0);
        let mut rest = self.template.get().iter();
        while let Some(byte) = rest.next() {
            match (byte, *byte == b'%') {
                (_, true) => match rest.next() {
                    Some(b'p') => path.number(u64::from(facts.pid)),
                    Some(b'n') => path.bytes(facts.name()),
                    _ => path.text("%"),
                },
                (byte, false) => path.bytes(&[*byte]),
            }
        }
    }
}

/// Appends the working directory and a slash, with every % doubled.
fn working_directory(text: &mut Buffer) {
    let mut place = [0u8; 4000];
    if raw::working_directory(&mut place) <= 0 {
        return;
    }
    let Ok(directory) = CStr::from_bytes_until_nul(&place) else { return };
    for byte in directory.to_bytes() {
        text.bytes(if *byte == b'%' { b"%%" } else { core::slice::from_ref(byte) });
    }
    text.text("/");
}

//! The stderr that the process started with, and how to write to it without doing harm.
//!
//! Many programs close descriptor 2 before they end, and daemons give its number to something else. So a copy is kept
//! from the load on, and nothing is written before device and inode were compared. A write never blocks for long, never
//! raises SIGPIPE and never touches a stderr that was closed at load. Owns the copy.

use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::raw;

/// The copy gets the first free number from here on; less where the limit of open files is lower, and none where a
/// program may need every number that is left. High, since shells and scripts use the numbers from 3 and 10 on; not
/// higher, since the kernel's table of a process grows with it, from 256 numbers on to four times that, in every process.
const COPIES: [c_int; 3] = [240, 100, 50];

/// What a pipe takes in one piece.
const PIECE: usize = libc::PIPE_BUF;

static COPY: AtomicI32 = AtomicI32::new(-1);
static DEVICE: AtomicU64 = AtomicU64::new(0);
static INODE: AtomicU64 = AtomicU64::new(0);
/// File type bits of the original; 0: it was closed at load, or the load has not come yet.
static KIND: AtomicU32 = AtomicU32::new(0);
static TERMINAL: AtomicBool = AtomicBool::new(false);
/// Whether the copy is a description of its own, see [`expect_long`].
static OWN: AtomicBool = AtomicBool::new(false);
static REMEMBERED: AtomicBool = AtomicBool::new(false);

/// Remembers what descriptor 2 is now and keeps a copy of it. Three system calls.
pub fn remember() {
    if let Some(file) = raw::status(libc::STDERR_FILENO) {
        DEVICE.store(file.st_dev, Relaxed);
        INODE.store(file.st_ino, Relaxed);
        let kind = file.st_mode & libc::S_IFMT;
        KIND.store(kind, Relaxed);
        TERMINAL.store(kind == libc::S_IFCHR && raw::is_terminal(libc::STDERR_FILENO), Relaxed);
        for least in COPIES {
            let copy = raw::duplicate(libc::STDERR_FILENO, least);
            if copy >= 0 {
                COPY.store(copy as c_int, Relaxed);
                break;
            }
        }
    }
    REMEMBERED.store(true, Relaxed);
}

/// Prepares for dumps of more than a piece: where the original is a pipe, the copy becomes a description of its own that
/// does not block. One write then puts a whole dump into the pipe, as far as there is room, with no other's in between.
pub fn expect_long() {
    let copy = COPY.load(Relaxed);
    if KIND.load(Relaxed) != libc::S_IFIFO || copy < 0 {
        return;
    }
    let flags = libc::O_WRONLY | libc::O_NONBLOCK | libc::O_CLOEXEC | libc::O_NOCTTY;
    // SAFETY: a C string.
    let own = unsafe { raw::open(c"/proc/self/fd/2".as_ptr(), flags, 0) };
    if own < 0 {
        return;
    }
    if is_original(own as c_int) {
        // Both are ours: the copy's number goes over to the new description.
        let moved = raw::duplicate_onto(own as c_int, copy, libc::O_CLOEXEC);
        OWN.store(moved == copy as isize, Relaxed);
    }
    raw::close(own as c_int);
}

/// In a forked child: gives the copy up where somebody may be waiting for the last writer to go, as the reader of a
/// pipe or of a terminal's other end is. The child may become a daemon, and its own descriptors are all it should hold.
pub fn forked() {
    if !matches!(KIND.load(Relaxed), libc::S_IFREG | libc::S_IFDIR) {
        let copy = COPY.swap(-1, Relaxed);
        if copy >= 0 && is_original(copy) {
            raw::close(copy);
        }
    }
}

/// Whether the original is a terminal.
pub fn is_a_terminal() -> bool {
    TERMINAL.load(Relaxed)
}

/// Writes `bytes` to the original stderr, if there is still a way to it: up to 4096 bytes in one piece, waiting at most
/// `patience` milliseconds for a reader. Keeps errno. False when not all was written.
pub fn write(bytes: &[u8], patience: i64) -> bool {
    if !REMEMBERED.load(Relaxed) {
        return raw::write(libc::STDERR_FILENO, bytes) == bytes.len() as isize;
    }
    let copy = COPY.load(Relaxed);
    let descriptor = match copy >= 0 && is_original(copy) {
        true => copy,
        false if is_original(libc::STDERR_FILENO) => libc::STDERR_FILENO,
        false => return false,
    };
    let wrote = raw::quietly(|| match KIND.load(Relaxed) {
        libc::S_IFREG => raw::write_all(descriptor, bytes),
        _ => in_pieces(descriptor, bytes, patience),
    });
    wrote == bytes.len() as isize
}

/// A line for people, as [`mems_core::say`] wants it written.
pub fn say(line: &[u8]) {
    write(line, 100);
}

/// Writes piece by piece, each when there is room for it. The length, or what the write that failed returned; 0 when
/// there was no room in time. A description of our own takes all at once what the pipe has room for.
fn in_pieces(descriptor: c_int, bytes: &[u8], patience: i64) -> isize {
    let piece = if OWN.load(Relaxed) && descriptor == COPY.load(Relaxed) { bytes.len() } else { PIECE };
    let mut rest = bytes;
    while !rest.is_empty() {
        if !raw::is_writable(descriptor, patience) {
            return 0;
        }
        let wrote = raw::write(descriptor, rest.get(..piece).unwrap_or(rest));
        if wrote <= 0 {
            return wrote;
        }
        rest = rest.get(wrote as usize..).unwrap_or_default();
    }
    bytes.len() as isize
}

fn is_original(descriptor: c_int) -> bool {
    KIND.load(Relaxed) != 0
        && raw::status(descriptor)
            .is_some_and(|file| file.st_dev == DEVICE.load(Relaxed) && file.st_ino == INODE.load(Relaxed))
}

//! One line for people on stderr, written with write(2): no allocation, no lock, no stdio, no cancellation point.
//!
//! Where the line goes is decided by the one who knows the process: the library sets a [`Sink`] at load, which
//! never writes into a descriptor that is not the original stderr. Without one, lines go to descriptor 2.

use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use crate::buffer::Buffer;
use crate::syscall;

/// Takes a whole line, its newline included. Must not allocate from the program's heap, and keeps errno.
pub type Sink = fn(&[u8]);

/// A longer line is cut.
const LINE: usize = 512;

static SINK: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// From now on lines go to `sink`.
pub fn set_sink(sink: Sink) {
    SINK.store(sink as *mut (), Ordering::Release);
}

/// Writes `mems: `, what `write` writes, and a newline, as one line. Leaves errno as it was.
pub fn line(write: impl FnOnce(&mut Buffer)) {
    let mut place = [0; LINE];
    let mut text = Buffer::new(&mut place);
    text.text("mems: ");
    write(&mut text);
    text.shorten(LINE - 1);
    text.text("\n");
    let sink = SINK.load(Ordering::Acquire);
    if sink.is_null() {
        plainly(text.as_bytes());
    } else {
        // SAFETY: the only non-null value ever stored is a `Sink`, by set_sink.
        let sink: Sink = unsafe { core::mem::transmute(sink) };
        sink(text.as_bytes());
    }
}

/// Counts what was said on one subject and says when it is enough.
pub struct Limit {
    said: AtomicU32,
    most: u32,
}

impl Limit {
    /// At most `most` lines.
    pub const fn new(most: u32) -> Self {
        Limit { said: AtomicU32::new(0), most }
    }

    /// [`line()`], as long as the limit is not reached; the last one says that it is the last.
    pub fn line(&self, write: impl FnOnce(&mut Buffer)) {
        let said = self.said.load(Ordering::Relaxed);
        if said >= self.most {
            return;
        }
        self.said.store(said + 1, Ordering::Relaxed);
        let last = said + 1 == self.most && self.most > 1;
        line(|text| {
            write(text);
            if last {
                text.text(" (further lines of this kind are not shown)");
            }
        });
    }
}

fn plainly(text: &[u8]) {
    let arguments = [libc::STDERR_FILENO as usize, text.as_ptr() as usize, text.len(), 0, 0, 0];
    // SAFETY: text is valid for its length; a write that fails is no harm here.
    unsafe { syscall::call(libc::SYS_write, arguments) };
}

//! mems_print_stats: the chain written out, as the specification's sample has it, onto C's stdout.
//!
//! The text is made under the lock and printed without it: stdio has a lock of its own, which a thread may hold
//! while it calls mems_malloc. Where the kernel has no memory for the whole text it is made and printed in
//! parts, each true at its instant. Rust allocates nothing here; stdio may allocate its buffer.

use core::fmt::Write;
use core::ptr::NonNull;

use crate::buffer::Buffer;
use crate::os;
use crate::vspace::space::Space;

/// Room for one item: a region's head with one segment, or one number.
const ITEM: usize = 160;

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Title,
    /// The segment at this address.
    Segments(u64),
    Totals,
    /// The sub-chain length of the region at this address.
    Lengths(u64),
    Foot,
    Done,
}

/// A text under way.
pub struct Text {
    phase: Phase,
}

impl Text {
    /// At its beginning.
    pub const fn new() -> Self {
        Text { phase: Phase::Title }
    }

    /// Whether all of it was written.
    pub fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    /// Appends as much as fits into `to`, in whole items. `to` must have room for at least one.
    pub fn fill(&mut self, space: &Space, to: &mut Buffer) {
        while !self.is_done() && to.room() >= ITEM {
            self.phase = match self.phase {
                Phase::Title => {
                    to.text("----- MeMS SYSTEM STATS -----\n");
                    Phase::Segments(space.settings().0)
                }
                Phase::Segments(at) => segments(space, at, to),
                Phase::Totals => totals(space, to),
                Phase::Lengths(at) => lengths(space, at, to),
                Phase::Foot => {
                    to.text("]\n-----------------------------\n");
                    Phase::Done
                }
                Phase::Done => Phase::Done,
            };
        }
    }

    /// Bytes that surely hold the whole text as the space is now.
    pub fn bound(space: &Space) -> usize {
        let counters = space.counters();
        let digits = space.end().checked_ilog10().map_or(1, |d| d as u64 + 1);
        let segment = 2 * digits + "P[:] <-> ".len() as u64;
        let region = 2 * digits + "MAIN[:]-> NULL\n".len() as u64 + "4294967295, ".len() as u64;
        (counters.regions * region + (counters.process + counters.holes) * segment) as usize + 8 * ITEM
    }
}

/// Writes segments from `at` on, as long as there is room.
fn segments(space: &Space, mut at: u64, to: &mut Buffer) -> Phase {
    let mut next = space.segment(at);
    while let Some(segment) = next {
        if to.room() < ITEM {
            return Phase::Segments(at);
        }
        if segment.first {
            to.text("MAIN");
            range(to, at, space.region_end(at) - at);
            to.text("-> ");
        }
        to.text(if segment.process { "P" } else { "H" });
        range(to, at, segment.size);
        to.text(" <-> ");
        at += segment.size;
        next = space.segment(at);
        if next.as_ref().is_none_or(|next| next.first) {
            to.text("NULL\n");
        }
    }
    Phase::Totals
}

fn range(to: &mut Buffer, start: u64, size: u64) {
    // A Buffer takes what fits and never fails.
    let _ = write!(to, "[{}:{}]", start, start + (size - 1));
}

fn totals(space: &Space, to: &mut Buffer) -> Phase {
    let counters = space.counters();
    let pages = counters.bytes.checked_div(space.settings().1).unwrap_or(0);
    let _ = write!(to, "Pages used:\t{pages}\nSpace unused:\t{}\n", counters.hole_bytes);
    let _ = write!(to, "Main Chain Length:\t{}\nSub-chain Length array: [", counters.regions);
    Phase::Lengths(space.settings().0)
}

fn lengths(space: &Space, mut at: u64, to: &mut Buffer) -> Phase {
    let mut next = space.segment(at);
    while next.is_some() {
        if to.room() < ITEM {
            return Phase::Lengths(at);
        }
        let mut length = 0;
        while let Some(segment) = next.filter(|segment| length == 0 || !segment.first) {
            length += 1;
            at += segment.size;
            next = space.segment(at);
        }
        next = space.segment(at);
        let _ = write!(to, "{length}, ");
    }
    Phase::Foot
}

unsafe extern "C" {
    /// The C library's.
    static mut stdout: *mut libc::FILE;
}

/// Prints `text` through stdio. The caller holds no lock of ours.
pub fn put(text: &[u8]) {
    // SAFETY: the C library initialises its stdout before any of our code runs; programs may assign to it.
    let stream = unsafe { stdout };
    if stream.is_null() {
        return;
    }
    // SAFETY: text is valid for its length, and the stream is the C library's.
    unsafe { libc::fwrite(text.as_ptr().cast(), 1, text.len(), stream) };
}

/// Memory for a text of `len` bytes, mapped while it lives.
pub struct Paper {
    at: NonNull<u8>,
    len: usize,
}

impl Paper {
    /// None: the kernel has none.
    pub fn new(len: usize) -> Option<Paper> {
        let len = os::round_to_pages(len)?;
        Some(Paper { at: os::map(len, 0)?, len })
    }

    /// Its bytes.
    pub fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the mapping is ours alone, of this length, and zeroed.
        unsafe { core::slice::from_raw_parts_mut(self.at.as_ptr(), self.len) }
    }
}

impl Drop for Paper {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, and no slice of it outlives self.
        unsafe { os::unmap(self.at, self.len) };
    }
}

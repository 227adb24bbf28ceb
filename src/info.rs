//! What glibc lets a program ask of its malloc: mallinfo, mallinfo2, malloc_info, malloc_stats, mallopt.
//!
//! The answers are about MeMS. Where a field of glibc's has no counterpart it is 0.

use core::ffi::{c_int, c_void};

use mems_core::buffer::Buffer;
use mems_core::count::Snapshot;
use mems_core::snapshot;

/// struct mallinfo2 of glibc, field by field.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Mallinfo2 {
    arena: usize,
    ordblks: usize,
    smblks: usize,
    hblks: usize,
    hblkhd: usize,
    usmblks: usize,
    fsmblks: usize,
    uordblks: usize,
    fordblks: usize,
    keepcost: usize,
}

/// struct mallinfo: the same in ints, which wrap as glibc's do.
#[repr(C)]
pub struct Mallinfo([c_int; 10]);

fn look() -> Mallinfo2 {
    let mut now = Snapshot::EMPTY;
    snapshot::take(&mut now);
    let regions = (now.engine.mapped - now.engine.bookkeeping) as usize;
    let live = now.live_usable as usize;
    Mallinfo2 {
        // Bytes in regions.
        arena: regions,
        // Free segments.
        ordblks: now.engine.hole as usize,
        uordblks: live,
        fordblks: regions.saturating_sub(live),
        // What malloc_trim could give back at most.
        keepcost: now.engine.hole_bytes as usize,
        ..Mallinfo2::default()
    }
}

#[unsafe(no_mangle)]
extern "C" fn mallinfo2() -> Mallinfo2 {
    look()
}

#[unsafe(no_mangle)]
extern "C" fn mallinfo() -> Mallinfo {
    let i = look();
    Mallinfo(
        [
            i.arena, i.ordblks, i.smblks, i.hblks, i.hblkhd, i.usmblks, i.fsmblks, i.uordblks, i.fordblks,
            i.keepcost,
        ]
        .map(|n| n as c_int),
    )
}

#[unsafe(no_mangle)]
extern "C" fn __libc_mallinfo() -> Mallinfo {
    mallinfo()
}

/// Every parameter is accepted and has no effect: none of glibc's knobs exists here.
#[unsafe(no_mangle)]
extern "C" fn mallopt(_parameter: c_int, _value: c_int) -> c_int {
    1
}

#[unsafe(no_mangle)]
extern "C" fn __libc_mallopt(parameter: c_int, value: c_int) -> c_int {
    mallopt(parameter, value)
}

/// XML on a stdio stream, in the manner of glibc's. EINVAL for options other than 0.
///
/// # Safety
/// `stream` is an open stdio stream.
#[unsafe(no_mangle)]
unsafe extern "C" fn malloc_info(options: c_int, stream: *mut c_void) -> c_int {
    if options != 0 {
        return libc::EINVAL;
    }
    let mut now = Snapshot::EMPTY;
    snapshot::take(&mut now);
    let mut room = [0u8; 8192];
    let mut text = Buffer::new(&mut room);
    text.text("<malloc version=\"1\">\n<sizes>\n");
    for row in now.classes.iter().filter(|row| row.slabs > 0) {
        text.text("<class");
        for (name, value) in
            [("slot", row.slot), ("slabs", row.slabs), ("slots", row.slots), ("used", row.used)]
        {
            attribute(&mut text, name, value);
        }
        text.text("/>\n");
    }
    text.text("</sizes>\n");
    for (kind, count, size) in [
        ("live", now.blocks_live, now.live_usable),
        ("hole", now.engine.hole, now.engine.hole_bytes),
        ("mmap", now.engine.mmap, now.engine.mapped),
    ] {
        text.text("<total type=\"");
        text.text(kind);
        text.text("\"");
        attribute(&mut text, "count", count);
        attribute(&mut text, "size", size);
        text.text("/>\n");
    }
    for (kind, size) in [("current", now.engine.mapped), ("max", now.peak.mapped)] {
        text.text("<system type=\"");
        text.text(kind);
        text.text("\"");
        attribute(&mut text, "size", size);
        text.text("/>\n");
    }
    text.text("</malloc>\n");
    let bytes = text.as_bytes();
    // SAFETY: the caller's stream; the bytes are valid for their length.
    unsafe { libc::fwrite(bytes.as_ptr().cast(), 1, bytes.len(), stream.cast()) };
    0
}

fn attribute(text: &mut Buffer, name: &str, value: u64) {
    text.text(" ");
    text.text(name);
    text.text("=\"");
    text.number(value);
    text.text("\"");
}

/// A few lines on stderr, in the manner of glibc's.
#[unsafe(no_mangle)]
extern "C" fn malloc_stats() {
    let i = look();
    let mut room = [0u8; 512];
    let mut text = Buffer::new(&mut room);
    for (name, value) in [
        ("system bytes     = ", i.arena),
        ("in use bytes     = ", i.uordblks),
        ("free bytes       = ", i.fordblks),
    ] {
        text.text(name);
        text.number(value as u64);
        text.text("\n");
    }
    let bytes = text.as_bytes();
    // SAFETY: the bytes are valid for their length.
    unsafe { libc::write(2, bytes.as_ptr().cast(), bytes.len()) };
}

//! The record of this process (`MEMS_RECORD`, docs/record.md): where it goes, and the way it gets there.
//!
//! Written whole with one write, from memory mapped for it, at the moment of the dump. Owns the file, and is called by the
//! dump only, which lets one thread at a time come here.

use core::ffi::CStr;
use core::ptr::NonNull;

use mems_core::buffer::Buffer;
use mems_core::report::{ExitKind, Report, record};
use mems_core::{os, profile, say};

use crate::file::File;
use crate::{options, process, raw};

static FILE: File = File::new();

/// Opens the file if one was asked for; says so in one line when that fails, and there is no record then.
pub fn open() {
    let wanted = options::get().record;
    if !wanted.is_empty() {
        open_it(wanted);
    }
}

#[cold]
#[inline(never)]
fn open_it(wanted: &[u8]) {
    let got = if is_directory(wanted) { FILE.open(wanted, b"/%p.mems") } else { FILE.open(wanted, b"") };
    if got < 0 {
        fail("cannot open", got.unsigned_abs());
    }
    profile::timeline::start();
}

/// Whether `wanted` names a directory: one that exists, or one that is made because the name ends so.
fn is_directory(wanted: &[u8]) -> bool {
    let mut place = [0u8; libc::PATH_MAX as usize];
    let mut path = Buffer::new(&mut place);
    path.bytes(wanted);
    path.bytes(b"\0");
    let Ok(path) = CStr::from_bytes_with_nul(path.as_bytes()) else { return false };
    if wanted.ends_with(b"/") {
        // It may exist already; what is wrong otherwise the opening of the file will say.
        raw::make_directory(path, 0o777);
        return true;
    }
    raw::is_directory(path)
}

fn fail(what: &str, error: usize) {
    let wanted = options::get().record;
    say::line(|text| {
        text.text("MEMS_RECORD: ");
        text.text(what);
        text.text(" ");
        text.bytes(wanted.get(..300).unwrap_or(wanted));
        if error != 0 {
            text.text(" (error ");
            text.number(error as u64);
            text.text(")");
        }
        text.text(", there is no record of this process");
    });
}

/// In a forked child: see [`File::forked`].
pub fn forked() {
    FILE.forked();
}

/// Whether a record is to be written.
pub fn is_wanted() -> bool {
    FILE.is_wanted()
}

/// Writes the record, unless the process is a forked child that goes on to exec: it is no program of its own.
pub fn write(report: &Report) {
    if report.process.exit == ExitKind::Exec && process::is_forked() {
        return;
    }
    let room = os::round_to_pages(record::room(process::ARGUMENTS));
    let Some((at, len)) = room.and_then(|len| Some((os::map(len, 0)?, len))) else {
        return fail("no memory to write", 0);
    };
    // SAFETY: a fresh mapping of that length, which nobody else knows.
    let bytes = unsafe { NonNull::slice_from_raw_parts(at, len).as_mut() };
    let mut text = Buffer::new(bytes);
    record::write(report, &mut text);
    if !FILE.write(text.as_bytes()) {
        fail("cannot write", 0);
    }
    // SAFETY: the mapping made above; `text` is not used any more.
    unsafe { os::unmap(at, len) };
}

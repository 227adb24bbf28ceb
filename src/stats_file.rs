//! The file that `MEMS_STATS_FILE` names. Owns it.

use mems_core::say;

use crate::file::File;
use crate::options;

static FILE: File = File::new();

/// Opens the file if one was asked for; says so in one line when that fails, and the dump goes to stderr then.
pub fn open() {
    let wanted = options::get().file;
    if wanted.is_empty() {
        return;
    }
    let got = FILE.open(wanted, b"");
    if got < 0 {
        refused(wanted, got);
    }
}

#[cold]
#[inline(never)]
fn refused(wanted: &[u8], got: isize) {
    say::line(|text| {
        text.text("MEMS_STATS_FILE: cannot open ");
        text.bytes(wanted.get(..300).unwrap_or(wanted));
        text.text(" (error ");
        text.number(got.unsigned_abs() as u64);
        text.text("), statistics go to stderr");
    });
}

/// In a forked child: see [`File::forked`].
pub fn forked() {
    FILE.forked();
}

/// Whether dumps go to a file.
pub fn is_wanted() -> bool {
    FILE.is_wanted()
}

/// Appends `bytes` in one write. False when that failed.
pub fn write(bytes: &[u8]) -> bool {
    FILE.write(bytes)
}

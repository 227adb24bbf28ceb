//! A call site in words: which file its address belongs to, and where in it.
//!
//! An address alone is worth nothing once the process is gone, since modules lie elsewhere in every run. Read from
//! /proc/self/maps with plain system calls: dladdr would take the loader's lock. Owns nothing.

use core::ffi::CStr;

use crate::buffer::Buffer;
use crate::syscall;

const MAPS: &CStr = c"/proc/self/maps";
/// The longest line that is understood: two addresses, some words, and a path.
const LINE: usize = 1024;

/// Appends ` (file+0xoffset)` for the module that holds `address`; nothing when that cannot be found out. The offset
/// counts from where the module is loaded, as addr2line wants it for position-independent files. Keeps errno.
pub fn describe(address: usize, to: &mut Buffer) {
    let arguments = [libc::AT_FDCWD as usize, MAPS.as_ptr() as usize, libc::O_CLOEXEC as usize, 0, 0, 0];
    // SAFETY: a C string.
    let maps = unsafe { syscall::call(libc::SYS_openat, arguments) };
    if maps >= 0 {
        let mut module = Module { base: 0, name: [0; 64], len: 0 };
        let found = search(maps as usize, address, &mut module);
        // SAFETY: the descriptor opened above.
        unsafe { syscall::call(libc::SYS_close, [maps as usize, 0, 0, 0, 0, 0]) };
        if found && module.len > 0 {
            to.text(" (");
            to.bytes(module.name.get(..module.len).unwrap_or_default());
            to.text("+0x");
            to.hex(address.wrapping_sub(module.base));
            to.text(")");
        }
    }
}

/// The module whose lines are being read.
struct Module {
    /// Where its first mapping begins.
    base: usize,
    /// The last part of its path.
    name: [u8; 64],
    len: usize,
}

/// Reads the list to the line that holds `address`. Whether there is one.
fn search(maps: usize, address: usize, module: &mut Module) -> bool {
    let mut place = [0u8; LINE];
    let mut have = 0;
    loop {
        let Some(rest) = place.get_mut(have..) else { return false };
        // SAFETY: the rest of the place is valid for its length.
        let got =
            unsafe { syscall::call(libc::SYS_read, [maps, rest.as_mut_ptr() as usize, rest.len(), 0, 0, 0]) };
        if got <= 0 {
            return false;
        }
        have += got as usize;
        let mut begin = 0;
        while let Some(line) =
            place.get(begin..have).and_then(|text| text.split_inclusive(|b| *b == b'\n').next())
        {
            if line.last() != Some(&b'\n') {
                break;
            }
            if module.take(line, address) {
                return true;
            }
            begin += line.len();
        }
        if begin == 0 && have == LINE {
            return false; // a line that is too long
        }
        place.copy_within(begin..have, 0);
        have -= begin;
    }
}

impl Module {
    /// Takes one line, `start-end perms offset device inode path`. Whether its range holds `address`.
    fn take(&mut self, line: &[u8], address: usize) -> bool {
        let mut words = line.trim_ascii_end().splitn(6, |byte| *byte == b' ').filter(|word| !word.is_empty());
        let mut range = words.next().unwrap_or_default().splitn(2, |byte| *byte == b'-');
        let start = hex(range.next().unwrap_or_default());
        let end = hex(range.next().unwrap_or_default());
        let from_the_beginning = words.nth(1).is_some_and(|offset| hex(offset) == 0);
        let path = words.nth(2).unwrap_or_default().trim_ascii_start();
        if from_the_beginning || path.is_empty() {
            let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            self.base = start;
            self.len = name.len().min(self.name.len());
            if let (Some(to), Some(from)) = (self.name.get_mut(..self.len), name.get(..self.len)) {
                to.copy_from_slice(from);
            }
        }
        (start..end).contains(&address)
    }
}

fn hex(digits: &[u8]) -> usize {
    digits.iter().fold(0, |value, digit| value << 4 | (*digit as char).to_digit(16).unwrap_or(0) as usize)
}

//! What of the process is not MeMS's: whether a pointer can be another allocator's block, and whether there are further
//! operators new and delete. Read from the kernel's list of mappings, and asked of the loader, only when the program is already
//! about to be told of an error.

use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Names of the C++ libraries, without which no program has operators; theirs all stand behind ours.
const LIBRARIES: [&str; 4] = ["libstdc++.", "libc++.", "libc++abi.", "libsupc++."];

/// Whether an object of the process beside the C++ library has operators new and delete of its own. They serve its own calls
/// then, if it was linked so, while its neighbours' go to ours: a block that its operator new got from malloc comes to our
/// operator delete, or one of our operator new to free, and neither is the program's fault. No heap is to be entered.
pub fn has_operators() -> bool {
    static KNOWN: AtomicBool = AtomicBool::new(false);
    if KNOWN.load(Relaxed) {
        return true;
    }
    // SAFETY: a C string; the call has no other precondition.
    let next = unsafe { libc::dlsym(libc::RTLD_NEXT, c"_ZdlPv".as_ptr()) };
    let mut found = core::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: found is valid to write to; any address may be asked for.
    if next.is_null() || unsafe { libc::dladdr(next, found.as_mut_ptr()) } == 0 {
        return false;
    }
    // SAFETY: dladdr filled it in.
    let name = unsafe { found.assume_init() }.dli_fname;
    if name.is_null() {
        return false;
    }
    // SAFETY: dladdr gives a C string, which lives as long as its object.
    let path = unsafe { CStr::from_ptr(name) }.to_bytes();
    let file = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    let others = !LIBRARIES.iter().any(|library| file.starts_with(library.as_bytes()));
    KNOWN.store(others, Relaxed);
    others
}

/// True when `address` lies in anonymous memory that no loaded object and no stack has: another allocator's block, as far
/// as can be told. False for stack, static and unmapped addresses, and when the list cannot be read.
pub fn may_be(address: usize) -> bool {
    !is_in_an_object(address) && is_anonymous(address)
}

/// Whether the loader has an object there: code, data or bss.
fn is_in_an_object(address: usize) -> bool {
    let mut found = core::mem::MaybeUninit::<libc::Dl_info>::uninit();
    // SAFETY: found is valid to write to; any address may be asked for.
    unsafe { libc::dladdr(address as *const libc::c_void, found.as_mut_ptr()) != 0 }
}

fn is_anonymous(address: usize) -> bool {
    // SAFETY: a constant path; the call has no other precondition.
    let file = unsafe { libc::open(c"/proc/self/maps".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if file < 0 {
        return false;
    }
    let mut scan = Scan::default();
    let mut text = [0u8; 1024];
    let found = loop {
        // SAFETY: text is valid for writing its whole length.
        let got = unsafe { libc::read(file, text.as_mut_ptr().cast(), text.len()) };
        if got <= 0 {
            break false;
        }
        if let Some(answer) = text[..got as usize].iter().find_map(|&byte| scan.next(byte, address)) {
            break answer;
        }
    };
    // SAFETY: the descriptor was opened above.
    unsafe { libc::close(file) };
    found
}

/// One line at a time: `start-end perms offset device inode   name`.
#[derive(Default)]
struct Scan {
    field: usize,
    in_gap: bool,
    start: usize,
    end: usize,
    named: bool,
    heap: bool,
    first: u8,
    second: u8,
}

impl Scan {
    /// Takes one byte; at the end of a line that holds `address`, the answer.
    fn next(&mut self, byte: u8, address: usize) -> Option<bool> {
        match byte {
            b'\n' => {
                let here = (self.start..self.end).contains(&address);
                let anonymous = !self.named || self.heap;
                *self = Scan::default();
                return here.then_some(anonymous);
            }
            b' ' => self.in_gap = true,
            _ => {
                if self.in_gap {
                    self.in_gap = false;
                    self.field += 1;
                    if self.field == 5 {
                        self.first = byte;
                    }
                } else if self.field == 5 && self.second == 0 {
                    self.second = byte;
                }
                match (self.field, byte) {
                    (0, b'-') => (self.start, self.end) = (self.end, 0),
                    (0, _) => self.end = self.end << 4 | (byte as char).to_digit(16).unwrap_or(0) as usize,
                    (5, _) => {
                        self.named = true;
                        self.heap = self.first == b'[' && self.second == b'h';
                    }
                    _ => {}
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(maps: &str, address: usize) -> Option<bool> {
        let mut scan = Scan::default();
        maps.bytes().find_map(|byte| scan.next(byte, address))
    }

    #[test]
    fn only_anonymous_memory_and_the_brk_heap_may_be_another_allocators() {
        let maps = "00400000-00500000 rw-p 00000000 08:01 42   /bin/program\n\
                    00700000-00800000 rw-p 00000000 00:00 0        [heap]\n\
                    10000000-20000000 rw-p 00000000 00:00 0 \n\
                    7ff00000-7ff10000 rw-p 00000000 00:00 0        [stack]\n";
        assert_eq!(answer(maps, 0x400010), Some(false));
        assert_eq!(answer(maps, 0x700010), Some(true), "another allocator's brk heap");
        assert_eq!(answer(maps, 0x1000_0010), Some(true));
        assert_eq!(answer(maps, 0x7ff0_0010), Some(false));
        assert_eq!(answer(maps, 0x9000_0000), None);
    }
}

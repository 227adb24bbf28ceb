//! The memory of a running process with libmems.so in it, read from outside through `/proc/PID/mem`.
//!
//! Only reads, nothing is stopped: what is read may be changing. Needs the rights of a debugger. Owns the open file.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::fs::FileExt;

use mems_core::live::{self, Live, MAGIC};
use object::{Object, ObjectSymbol};

use crate::counters::PAGE;
use crate::failure::{Failure, Outcome, reason};
use crate::proc;

/// A process's memory, and where in it things are.
pub struct Memory {
    file: File,
    /// The words of [`Live`], as the process has them.
    pub places: [u64; size_of::<Live>() / 8],
}

/// The field of this name of the process's [`Live`]; of one that is an array, the word with the number behind it.
macro_rules! place {
    ($memory:expr, $field:ident) => {
        $memory.places[std::mem::offset_of!(mems_core::live::Live, $field) / 8]
    };
    ($memory:expr, $field:ident, $number:expr) => {
        $memory.places[std::mem::offset_of!(mems_core::live::Live, $field) / 8 + $number]
    };
}
pub(crate) use place;

/// What can be read out of a memory as it stands there.
///
/// # Safety
/// It consists of numbers, for which any bytes are values.
pub unsafe trait Plain: Sized {}

// SAFETY: a number.
unsafe impl Plain for u32 {}
// SAFETY: as many.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}
// SAFETY: counters, which are numbers.
unsafe impl Plain for mems_core::ledger::Row {}
// SAFETY: an address and the numbers of its parent and module.
unsafe impl Plain for mems_core::profile::sites::Node {}
// SAFETY: addresses, lengths and bytes.
unsafe impl Plain for mems_core::profile::modules::Module {}

impl Memory {
    /// Opens the process's memory and reads what its `mems_live` says. `path`: its libmems.so; `start`: where that begins.
    pub fn open(pid: u32, path: &str, start: u64) -> Outcome<Memory> {
        let refused = |text: String| Failure::refused(format!("process {pid}: {text}"));
        let rights = |e: &io::Error| {
            refused(format!("its memory cannot be read: {} (this needs the rights of a debugger)", reason(e)))
        };
        let bytes = fs::read(proc::folder(pid).join(format!("root{path}")))
            .map_err(|e| refused(format!("its {path} cannot be read: {}", reason(&e))))?;
        let file = object::File::parse(&*bytes).map_err(|_| refused(format!("{path} is not an ELF file")))?;
        let symbol = file.dynamic_symbols().find(|symbol| symbol.name() == Ok("mems_live"));
        let at = symbol
            .ok_or_else(|| refused(format!("{path} is of another version than this mems command")))?
            .address();
        let file = File::open(proc::folder(pid).join("mem")).map_err(|e| rights(&e))?;
        let mut memory = Memory { file, places: [0; size_of::<Live>() / 8] };
        for index in 0..memory.places.len() {
            memory.places[index] = memory.word(start + at + index as u64 * 8).map_err(|e| rights(&e))?;
        }
        if place!(memory, magic) != MAGIC {
            return Err(refused("libmems.so has not started there yet".into()));
        }
        if place!(memory, layout) != live::LAYOUT {
            return Err(refused("its libmems.so is of another build than this mems command".into()));
        }
        Ok(memory)
    }

    /// Fills `to` from the bytes at `at`.
    pub fn read(&self, at: u64, to: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(to, at)
    }

    /// What stands at `at`.
    pub fn value<T: Plain>(&self, at: u64) -> io::Result<T> {
        let mut value = MaybeUninit::<T>::zeroed();
        // SAFETY: the bytes of `value`, all of them zero, borrowed by nobody else.
        let bytes = unsafe { std::slice::from_raw_parts_mut(value.as_mut_ptr().cast(), size_of::<T>()) };
        self.read(at, bytes)?;
        // SAFETY: filled, and any bytes are a T.
        Ok(unsafe { value.assume_init() })
    }

    /// The word at `at`.
    pub fn word(&self, at: u64) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.read(at, &mut bytes)?;
        Ok(u64::from_ne_bytes(bytes))
    }

    /// The words at `at`.
    pub fn words(&self, at: u64, count: usize) -> io::Result<Vec<u64>> {
        let mut bytes = vec![0; count * 8];
        self.read(at, &mut bytes)?;
        Ok(bytes
            .chunks_exact(8)
            .map(|word| u64::from_ne_bytes(word.try_into().unwrap_or_default()))
            .collect())
    }

    /// The addresses of all heaps, newest first.
    pub fn heaps(&self) -> io::Result<Vec<u64>> {
        let mut heaps = Vec::new();
        let mut at = self.word(place!(self, newest))?;
        while at != 0 && heaps.len() < 100_000 {
            heaps.push(at);
            at = self.word(at + place!(self, older))?;
        }
        Ok(heaps)
    }
}

/// A look at a memory in which each page is read once.
pub struct Look<'a> {
    memory: &'a Memory,
    pages: RefCell<HashMap<u64, Box<[u8; PAGE]>>>,
}

impl Look<'_> {
    /// A look that begins now.
    pub fn at(memory: &Memory) -> Look<'_> {
        Look { memory, pages: RefCell::default() }
    }

    /// The bytes at `at`; None where nothing is mapped.
    pub fn bytes<const N: usize>(&self, at: u64) -> Option<[u8; N]> {
        let mut out = [0; N];
        let mut pages = self.pages.borrow_mut();
        for (index, byte) in out.iter_mut().enumerate() {
            let at = at.checked_add(index as u64)?;
            let page = at & !(PAGE as u64 - 1);
            let content = match pages.entry(page) {
                std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::hash_map::Entry::Vacant(place) => {
                    let mut content = Box::new([0; PAGE]);
                    self.memory.read(page, &mut content[..]).ok()?;
                    place.insert(content)
                }
            };
            *byte = content[(at - page) as usize];
        }
        Some(out)
    }

    /// The word at `at`; None where nothing is mapped.
    pub fn word(&self, at: u64) -> Option<u64> {
        self.bytes(at).map(u64::from_ne_bytes)
    }
}

//! A running process under MeMS, found and read from outside: its counters, and the way into its memory.
//!
//! The counters of a process that `mems run` started are in a file that it maps; of any other they are found through the
//! `mems_live` symbol of its libmems.so and read from `/proc/PID/mem`. Only reads; nothing is stopped.

use std::fs;
use std::io;
use std::mem::{MaybeUninit, offset_of};
use std::path::PathBuf;

use mems_core::count::{Peak, Snapshot};
use mems_core::report::ExitKind;
use mems_core::snapshot;

use crate::counters::{Copy, Facts, Page};
use crate::failure::{Failure, Outcome, reason};
use crate::memory::{Memory, place};
use crate::proc;

/// A process that can be read.
pub struct Target {
    /// Its number.
    pub pid: u32,
    /// The file that its counters are mapped from.
    counters: Option<PathBuf>,
    memory: Option<Memory>,
    start_unix_ns: u64,
}

/// The path of libmems.so in a process, and where it begins.
type Library = Option<(String, u64)>;

/// Whether the process has libmems.so loaded; and the file of its counters.
fn mappings(pid: u32) -> io::Result<(Library, Option<PathBuf>)> {
    let maps = fs::read_to_string(proc::folder(pid).join("maps"))?;
    let (mut library, mut counters) = (None, None);
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let start = words.next().and_then(|range| range.split('-').next()).unwrap_or("");
        let offset = words.nth(1).unwrap_or("");
        let Some(path) = line.find('/').map(|at| &line[at..]) else { continue };
        if path.ends_with("libmems.so") && library.is_none() && offset.trim_start_matches('0').is_empty() {
            library = u64::from_str_radix(start, 16).ok().map(|start| (path.to_string(), start));
        }
        if path.ends_with(".counters") && counters.is_none() {
            counters = Some(PathBuf::from(path));
        }
    }
    Ok((library, counters))
}

/// Numbers of all processes under MeMS whose mappings this user may read.
pub fn all() -> Vec<u32> {
    let mut found: Vec<u32> =
        proc::all().filter(|pid| mappings(*pid).is_ok_and(|(library, _)| library.is_some())).collect();
    found.sort_unstable();
    found
}

impl Target {
    /// Finds the process's counters.
    pub fn open(pid: u32) -> Outcome<Target> {
        let refused = |text: String| Failure::refused(format!("process {pid}: {text}"));
        let (library, counters) = mappings(pid).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => refused("there is no such process".into()),
            _ => refused(format!(
                "its mappings cannot be read ({}); it may belong to another user",
                reason(&e)
            )),
        })?;
        let Some((path, start)) = library else {
            return Err(refused(
                "libmems.so is not loaded there; start it with `mems run` or LD_PRELOAD".into(),
            ));
        };
        let counters = counters.filter(|file| Copy::read(file).is_ok());
        let memory = Memory::open(pid, &path, start);
        let memory = match (memory, &counters) {
            (Ok(memory), _) => Some(memory),
            (Err(_), Some(_)) => None,
            (Err(failure), None) => return Err(failure),
        };
        Ok(Target { pid, counters, memory, start_unix_ns: proc::began_unix_ns(pid) })
    }

    /// The counters now.
    pub fn facts(&self) -> Outcome<Facts> {
        let gone = |e: io::Error| {
            Failure::refused(format!(
                "process {}: {}",
                self.pid,
                match e.raw_os_error() {
                    Some(libc::ESRCH | libc::EIO) | None => "it has ended".into(),
                    _ => reason(&e),
                }
            ))
        };
        match (&self.counters, &self.memory) {
            (Some(file), _) => Copy::read(file).map(|copy| copy.facts()),
            (None, Some(memory)) => self.facts_in(memory).map_err(gone),
            (None, None) => Err(Failure::refused(format!("process {}: nothing to read", self.pid))),
        }
    }

    fn facts_in(&self, memory: &Memory) -> io::Result<Facts> {
        let mut account = Box::new(Page::ZERO);
        memory.read(place!(memory, account), &mut account.0)?;
        account.clean();
        let mut heaps = Vec::new();
        for heap in memory.heaps()? {
            let mut page = Box::new(Page::ZERO);
            memory.read(heap + place!(memory, counters), &mut page.0)?;
            heaps.push(page);
        }
        let mut is_forked = [0];
        memory.read(place!(memory, is_forked), &mut is_forked)?;
        let base = if is_forked[0] != 0 { Some(snapshot_at(memory, place!(memory, at_fork))?) } else { None };
        let mut counts = Box::new(Snapshot::EMPTY);
        snapshot::of_pages(
            account.account(),
            heaps.iter().map(|page| page.counters()),
            base.as_deref(),
            &mut counts,
        );
        let pid = self.pid;
        Ok(Facts {
            counts,
            pid,
            ppid: 0,
            forked: is_forked[0] != 0,
            start_unix_ns: self.start_unix_ns,
            start_ns: 0,
            end_ns: 0,
            exe: proc::executable(pid).unwrap_or_default().as_os_str().as_encoded_bytes().to_vec(),
            args: fs::read(proc::folder(pid).join("cmdline")).unwrap_or_default(),
            args_cut: false,
            exec: None,
            exit: ExitKind::Live,
            code: 0,
            private: 0,
        })
    }

    /// Its memory; a failure says why it cannot be read.
    pub fn memory(&self) -> Outcome<&Memory> {
        let unread = || match mappings(self.pid) {
            Ok((Some((path, start)), _)) => Memory::open(self.pid, &path, start).err(),
            _ => None,
        };
        self.memory.as_ref().ok_or_else(|| {
            unread().unwrap_or_else(|| Failure::refused(format!("process {}: it has ended", self.pid)))
        })
    }
}

fn snapshot_at(memory: &Memory, at: u64) -> io::Result<Box<Snapshot>> {
    let mut bytes = vec![0u8; size_of::<Snapshot>()];
    memory.read(at, &mut bytes)?;
    // A `bool` of any other value than 0 and 1 must not be made.
    bytes[offset_of!(Snapshot, peak) + offset_of!(Peak, exact)] &= 1;
    let mut place = Box::new(MaybeUninit::<Snapshot>::uninit());
    // SAFETY: both places are that long; a Snapshot is plain data of fixed layout.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), place.as_mut_ptr().cast(), bytes.len()) };
    // SAFETY: filled: numbers of any value, and one `bool` that was made 0 or 1.
    Ok(unsafe { place.assume_init() })
}

//! A running process under MeMS, read from outside: its counters and its main chain.
//!
//! The counters of a process that `mems run` started are in a file that it maps; of any other they are found through the
//! `mems_live` symbol of its libmems.so and read from `/proc/PID/mem`. Only reads; nothing is stopped, so a walk of a chain
//! that changes meanwhile is tried again.

use std::fs::{self, File};
use std::io;
use std::mem::{MaybeUninit, offset_of};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use mems_chain::{Node, NodeId};
use mems_core::count::{Peak, Snapshot};
use mems_core::live::{Live, MAGIC};
use mems_core::report::ExitKind;
use mems_core::{shared, snapshot};
use object::{Object, ObjectSymbol};

use crate::counters::{Copy, Facts, PAGE, Page};
use crate::failure::{Failure, Outcome, reason};
use crate::proc;
use crate::record::{Region, Segment};

/// A process that can be read.
pub struct Target {
    /// Its number.
    pub pid: u32,
    /// The file that its counters are mapped from.
    counters: Option<PathBuf>,
    memory: Option<Memory>,
    start_unix_ns: u64,
}

/// Its memory, and where in it things are.
struct Memory {
    file: File,
    places: [u64; size_of::<Live>() / 8],
}

/// The fields of [`Live`], by number of their word.
macro_rules! place {
    ($memory:expr, $field:ident) => {
        $memory.places[offset_of!(Live, $field) / 8]
    };
}

impl Memory {
    fn read(&self, at: u64, to: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(to, at)
    }

    fn word(&self, at: u64) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.read(at, &mut bytes)?;
        Ok(u64::from_ne_bytes(bytes))
    }
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
        let memory = memory(pid, &path, start);
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
        let mut at = memory.word(place!(memory, newest))?;
        while at != 0 && heaps.len() < 100_000 {
            let mut page = Box::new(Page::ZERO);
            memory.read(at + place!(memory, counters), &mut page.0)?;
            heaps.push(page);
            at = memory.word(at + place!(memory, older))?;
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

    /// The main chain now: regions with their segments, slabs not told from large blocks. And whether the walk found the
    /// chain at rest.
    pub fn chain(&self) -> Outcome<(Vec<Region>, bool)> {
        let refused = |e: io::Error| {
            Failure::refused(format!("process {}: its memory cannot be read: {}", self.pid, reason(&e)))
        };
        let Some(memory) = &self.memory else {
            // The counters are in a file, but the chain is in the process: say why it cannot be read.
            let (library, _) = mappings(self.pid).map_err(refused)?;
            let (path, start) = library.unwrap_or_default();
            return memory(self.pid, &path, start).map(|_| (Vec::new(), false));
        };
        let mut last = Vec::new();
        for _ in 0..20 {
            let (regions, whole) = walk(memory).map_err(refused)?;
            if whole {
                return Ok((regions, true));
            }
            last = regions;
        }
        Ok((last, false))
    }
}

/// Opens the process's memory and reads what its `mems_live` says.
fn memory(pid: u32, path: &str, start: u64) -> Outcome<Memory> {
    let refused = |text: String| Failure::refused(format!("process {pid}: {text}"));
    let rights = |e: &io::Error| {
        refused(format!("its memory cannot be read: {} (this needs the rights of a debugger)", reason(e)))
    };
    let bytes = fs::read(format!("/proc/{pid}/root{path}"))
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
    if place!(memory, layout) != shared::LAYOUT {
        return Err(refused("its libmems.so is of another build than this mems command".into()));
    }
    Ok(memory)
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

/// Most nodes that a walk looks at: more are a ring, or a chain of 256 GiB in small pieces.
const MOST_NODES: usize = 4 << 20;

fn walk(memory: &Memory) -> io::Result<(Vec<Region>, bool)> {
    let mut word = [0; 4];
    memory.read(place!(memory, chain), &mut word)?;
    let mut tiers = [0u64; 26];
    for (index, tier) in tiers.iter_mut().enumerate() {
        *tier = memory.word(place!(memory, tiers) + index as u64 * 8)?;
    }
    let first_tier = place!(memory, first_tier) as usize;
    let mask = (1u64 << place!(memory, physical)) - 1;
    let node = |id: NodeId| -> io::Result<Option<Node>> {
        let i = id.index() as usize + first_tier;
        let tier = (i.ilog2() - first_tier.ilog2()) as usize;
        let Some(base) = tiers.get(tier).filter(|base| **base != 0) else { return Ok(None) };
        let offset = (i - (first_tier << tier)) * size_of::<Node>();
        let mut bytes = [0; size_of::<Node>()];
        memory.read(base + offset as u64, &mut bytes)?;
        // SAFETY: a Node is numbers, for which any bytes are values.
        Ok(Some(unsafe { std::ptr::read_unaligned(bytes.as_ptr().cast()) }))
    };
    let mut regions = Vec::new();
    let mut at = NodeId::from_raw(u32::from_ne_bytes(word));
    let mut seen = 0;
    while let Some(id) = at {
        let Some(region) = node(id)? else { return Ok((regions, false)) };
        let (start, size, _, first, next) = region.seen();
        let mut segments = Vec::new();
        let mut end = start;
        let mut inner = first;
        while let Some(id) = inner {
            seen += 1;
            let Some(segment) = node(id)? else { return Ok((regions, false)) };
            let (at, length, hole, _, next) = segment.seen();
            if at != end || seen > MOST_NODES {
                return Ok((regions, false));
            }
            end += length;
            segments.push(Segment { process: !hole, bytes: length * PAGE as u64, slab: None });
            inner = next;
        }
        if end != start + size {
            return Ok((regions, false));
        }
        regions.push(Region { start: (start & mask) * PAGE as u64, bytes: size * PAGE as u64, segments });
        at = next;
    }
    Ok((regions, true))
}

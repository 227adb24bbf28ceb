//! The counters that a process keeps in a file for `mems run` (`MEMS_SHARED`): read at any moment, also after its death.
//!
//! The pages are the library's own types, so reader and writer must be of one build; a file of another one is refused.
//! Only reads: the process is not stopped and does not notice.

use std::fs;
use std::mem::offset_of;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU32};

use mems_core::account::{Account, Whole};
use mems_core::buffer::Buffer;
use mems_core::count::{Counters, MemsRow, Snapshot};
use mems_core::report::{ExitKind, Process, Report, json};
use mems_core::shared::{self, FIRST_HEAP, Header, state};
use mems_core::snapshot;

use crate::failure::{Failure, Outcome, reason};

/// Bytes of a page.
pub const PAGE: usize = mems_core::os::PAGE;

/// A page as it was read, aligned as its types want it.
#[repr(C, align(4096))]
#[derive(Clone)]
pub struct Page(pub [u8; PAGE]);

impl Page {
    /// A page of zero bytes.
    pub const ZERO: Page = Page([0; PAGE]);

    /// Of an account that was read: makes its flag 0 or 1. The writer stores nothing else there; a damaged file may have
    /// anything.
    pub fn clean(&mut self) {
        self.0[offset_of!(Account, whole) + offset_of!(Whole, shared)] &= 1;
    }

    /// As a process's account.
    pub fn account(&self) -> &Account {
        // SAFETY: a page is as long and aligned as an Account, which consists of numbers; its one flag is
        // made 0 or 1 by clean.
        unsafe { &*std::ptr::from_ref(self).cast() }
    }

    /// As a heap's counters.
    pub fn counters(&self) -> &Counters {
        // SAFETY: a page is as long and aligned as Counters, which are words of any value.
        unsafe { &*std::ptr::from_ref(self).cast() }
    }

    fn header(&self) -> &Header {
        // SAFETY: a page is as long and aligned as a Header, which consists of numbers of any value.
        unsafe { &*std::ptr::from_ref(self).cast() }
    }
}

/// A process's counters, copied at one instant.
pub struct Copy {
    pages: Vec<Page>,
}

/// What the figures of one process are at one instant, and who it is.
pub struct Facts {
    /// The figures.
    pub counts: Box<Snapshot>,
    /// Its number.
    pub pid: u32,
    /// Its parent's.
    pub ppid: u32,
    /// Whether it is a forked child that has not called exec.
    pub forked: bool,
    /// When it began, nanoseconds since 1970.
    pub start_unix_ns: u64,
    /// The same on CLOCK_MONOTONIC.
    pub start_ns: u64,
    /// When it said that it ends, on CLOCK_MONOTONIC; 0: it has not.
    pub end_ns: u64,
    /// Path of its executable.
    pub exe: Vec<u8>,
    /// Its arguments, each ended by a NUL.
    pub args: Vec<u8>,
    /// Whether there were more.
    pub args_cut: bool,
    /// What it called exec with, if it ended so.
    pub exec: Option<Vec<u8>>,
    /// How it said that it ends.
    pub exit: ExitKind,
    /// With what code.
    pub code: i32,
    /// Heaps whose counters are not in the file.
    pub private: u32,
}

impl Copy {
    /// Reads the file.
    pub fn read(path: &Path) -> Outcome<Copy> {
        let bytes =
            fs::read(path).map_err(|e| Failure::refused(format!("{}: {}", path.display(), reason(&e))))?;
        let wrong = |text: &str| Failure::wrong(format!("{}: {text}", path.display()));
        if bytes.len() < 3 * PAGE {
            return Err(wrong("the file of counters is cut short"));
        }
        let mut pages = vec![Page::ZERO; bytes.len() / PAGE];
        for (page, from) in pages.iter_mut().zip(bytes.chunks_exact(PAGE)) {
            page.0.copy_from_slice(from);
        }
        let header = pages[0].header();
        if header.magic.load(Relaxed) != shared::MAGIC {
            return Err(wrong("not a file of counters"));
        }
        let same =
            header.version.load(Relaxed) == shared::VERSION && header.layout.load(Relaxed) == shared::LAYOUT;
        if !same {
            return Err(wrong("counters of another build of libmems.so than this mems command's"));
        }
        pages[1].clean();
        Ok(Copy { pages })
    }

    /// What they say.
    pub fn facts(&self) -> Facts {
        let header = self.pages[0].header();
        let used = (header.pages.load(Relaxed) as usize).clamp(FIRST_HEAP, self.pages.len());
        let mut base = Snapshot::EMPTY;
        self.pages[2].counters().sum_into(&mut base);
        base.blocks_live = header.inherited_blocks.load(Relaxed);
        base.live_usable = header.inherited_bytes.load(Relaxed);
        let mut counts = Box::new(Snapshot::EMPTY);
        let heaps = self.pages[FIRST_HEAP..used].iter().map(Page::counters);
        snapshot::of_pages(self.pages[1].account(), heaps, Some(&base), &mut counts);
        let exit = match header.state.load(Relaxed) {
            state::EXIT => ExitKind::Exit,
            state::UNDERSCORE => ExitKind::Underscore,
            state::QUICK => ExitKind::Quick,
            state::EXEC => ExitKind::Exec,
            _ => ExitKind::Live,
        };
        Facts {
            counts,
            pid: header.pid.load(Relaxed),
            ppid: header.ppid.load(Relaxed),
            forked: header.forked.load(Relaxed) != 0,
            start_unix_ns: header.start_unix_ns.load(Relaxed),
            start_ns: header.start_ns.load(Relaxed),
            end_ns: header.end_ns.load(Relaxed),
            exe: text(&header.exe, &header.exe_len),
            args: text(&header.args, &header.args_len),
            args_cut: header.args_cut.load(Relaxed) != 0,
            exec: (exit == ExitKind::Exec).then(|| text(&header.exec, &header.exec_len)),
            exit,
            code: header.code.load(Relaxed),
            private: header.private.load(Relaxed),
        }
    }
}

fn text(place: &[AtomicU8], len: &AtomicU32) -> Vec<u8> {
    place.iter().take(len.load(Relaxed) as usize).map(|byte| byte.load(Relaxed)).collect()
}

/// Nanoseconds of CLOCK_MONOTONIC, the clock of the counters.
pub fn now_ns() -> u64 {
    mems_core::os::now_ns()
}

impl Facts {
    /// The process as a report names it, with this end.
    pub fn process(&self, exit: ExitKind, code: i32, end_ns: u64) -> Process<'_> {
        let elapsed_ns = end_ns.saturating_sub(self.start_ns);
        Process {
            pid: self.pid,
            ppid: self.ppid,
            exe: &self.exe,
            args: &self.args,
            args_cut: self.args_cut,
            start_unix_ns: self.start_unix_ns,
            start_ns: self.start_ns,
            elapsed_ns,
            exit,
            code,
        }
    }

    /// Its `mems/1` line, as the library would have written it.
    pub fn json(&self, exit: ExitKind, code: i32, end_ns: u64) -> Vec<u8> {
        let process = self.process(exit, code, end_ns);
        let mems = MemsRow { page_size: 0, start: 0, pages: 0, unused: 0, regions: 0, process: 0, hole: 0 };
        let report = Report { process: &process, counts: &self.counts, mems: &mems, whole: false };
        let mut place = vec![0; json::room(self.args.len())];
        let mut to = Buffer::new(&mut place);
        json::write(&report, &mut to);
        to.as_bytes().to_vec()
    }

    /// The arguments with spaces between them, else the path of the executable.
    pub fn command(&self) -> String {
        let args = self.args.strip_suffix(b"\0").unwrap_or(&self.args);
        let from = if args.is_empty() { &self.exe } else { args };
        String::from_utf8_lossy(from).replace('\0', " ")
    }
}

//! What can be seen of a tree of processes while it runs: each one's descriptor, so that its end is known however it comes,
//! and those that run without libmems.so.
//!
//! Files of counters tell who is there; `/proc` tells of the others, as far as they live long enough to be seen.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

use mems_core::report::ExitKind;

use crate::counters::{self, Copy};
use crate::library;
use crate::proc;

/// The variable that every process of the tree has, unless it was taken from it.
pub const VARIABLE: &str = "MEMS_RECORD";

/// What it says for a tree whose records come into `directory`.
pub fn value(directory: &Path) -> OsString {
    let mut value = directory.as_os_str().to_owned();
    value.push("/");
    value
}

/// How the library's name ends.
const LIBRARY: &str = "libmems.so";

/// Most descriptors of processes that are held at once.
const MOST: usize = 4000;

/// The end of a process, as the kernel told it.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// As wait(2) has it.
    pub status: i32,
    /// On CLOCK_MONOTONIC.
    pub at_ns: u64,
}

/// A process that was seen without libmems.so.
pub struct Uncounted {
    /// Its number.
    pub pid: u32,
    /// Its executable.
    pub path: String,
    /// Why it is not counted.
    pub why: String,
}

/// The tree under one process.
pub struct Tree {
    directory: PathBuf,
    root: u32,
    /// Files of counters that were seen, by pid.
    known: HashSet<(u32, u64)>,
    open: HashMap<u32, OwnedFd>,
    /// Tells of new files; without it they are found a little later.
    news: Option<OwnedFd>,
    /// How processes ended.
    pub ends: HashMap<u32, End>,
    /// Seen in `/proc` without counters: how often, with what executable.
    doubtful: HashMap<u32, (u32, PathBuf)>,
    /// Those that are not counted.
    pub uncounted: BTreeMap<u32, Uncounted>,
    /// Those that run on, when the program has ended, and have no file; with their command.
    pub left_behind: BTreeMap<u32, String>,
    /// Whether processes make files.
    has_files: bool,
    /// Before the first of them began, on CLOCK_MONOTONIC.
    began_ns: u64,
}

/// The pid and the start that a file of counters is named after.
pub fn name_of(file: &Path) -> Option<(u32, u64)> {
    let name = file.file_name()?.to_str()?.strip_suffix(".counters")?;
    let (pid, start) = name.split_once('-')?;
    Some((pid.parse().ok()?, start.parse().ok()?))
}

impl Tree {
    /// The tree under `root`, which began after `began_ns`; its records come into `directory`, and files of counters too if
    /// `has_files`.
    pub fn new(directory: &Path, root: u32, has_files: bool, began_ns: u64) -> Tree {
        let mut tree = Tree {
            directory: directory.into(),
            root,
            known: HashSet::new(),
            open: HashMap::new(),
            news: news_of(directory),
            ends: HashMap::new(),
            doubtful: HashMap::new(),
            uncounted: BTreeMap::new(),
            left_behind: BTreeMap::new(),
            has_files,
            began_ns,
        };
        tree.hold(root);
        tree
    }

    /// Descriptors that become readable when a process ends, or a new one has come.
    pub fn descriptors(&self) -> Vec<RawFd> {
        self.open.values().chain(&self.news).map(AsRawFd::as_raw_fd).collect()
    }

    /// Whether a process is there whose end has not been seen.
    pub fn is_waiting(&self) -> bool {
        !self.open.is_empty()
    }

    /// Looks for new files of counters.
    pub fn look_for_files(&mut self) {
        if let Some(news) = &self.news {
            let mut place = [0u8; 4096];
            // SAFETY: a place of the length that is said; the descriptor does not block.
            while unsafe { libc::read(news.as_raw_fd(), place.as_mut_ptr().cast(), place.len()) } > 0 {}
        }
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            if let Some(name) = name_of(&entry.path()).filter(|name| !self.known.contains(name)) {
                self.found(name);
            }
        }
    }

    /// A file of this name has come.
    pub fn found(&mut self, name: (u32, u64)) {
        if self.known.insert(name) {
            self.uncounted.remove(&name.0);
            self.hold(name.0);
        }
    }

    fn hold(&mut self, pid: u32) {
        if self.open.len() >= MOST || self.open.contains_key(&pid) || self.ends.contains_key(&pid) {
            return;
        }
        // SAFETY: pidfd_open takes two numbers.
        let got = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        if got >= 0 {
            // SAFETY: a descriptor that was just opened, which nobody else owns.
            self.open.insert(pid, unsafe { OwnedFd::from_raw_fd(got as RawFd) });
        }
    }

    /// Takes in which of the processes have ended.
    pub fn look_for_ends(&mut self) {
        let at_ns = counters::now_ns();
        let ended: Vec<u32> =
            self.open.iter().filter(|(_, fd)| is_readable(fd.as_raw_fd())).map(|(pid, _)| *pid).collect();
        for pid in ended {
            if let Some(fd) = self.open.remove(&pid)
                && let Some(status) = status_of(&fd)
            {
                self.ends.insert(pid, End { status, at_ns });
            }
        }
    }

    /// Looks through the tree for processes that have no counters.
    pub fn look_for_uncounted(&mut self) {
        let mut seen = HashSet::new();
        let mut places = vec![self.root];
        while let Some(pid) = places.pop() {
            if !seen.insert(pid) || seen.len() > 10_000 {
                continue;
            }
            for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
                let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
                places.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
            }
            self.judge(pid);
        }
    }

    /// Looks for processes of the tree that run on, wherever they hang by now, without a file of counters for what they are
    /// now. True: there is one that should make its file in a moment, since it was just forked or has just called exec.
    pub fn look_for_left_behind(&mut self) -> bool {
        let mut variable = OsString::from(VARIABLE);
        variable.push("=");
        variable.push(value(&self.directory));
        self.left_behind.clear();
        let mut is_near = false;
        for pid in proc::started_with(variable.as_encoded_bytes(), self.began_ns) {
            let newest = self.known.iter().filter(|name| name.0 == pid).max_by_key(|name| name.1);
            let may_come = self.has_files
                && proc::executable(pid).is_some_and(|path| library::obstacle(&path).is_none());
            match newest.map(|name| self.directory.join(format!("{}-{}.counters", name.0, name.1))) {
                None => {
                    is_near |= may_come;
                    if !self.uncounted.contains_key(&pid) {
                        self.left_behind.insert(pid, proc::command(pid));
                    }
                }
                Some(file) => {
                    let facts = Copy::read(&file).map(|copy| copy.facts());
                    is_near |= may_come && facts.map_or(true, |facts| facts.exit == ExitKind::Exec);
                }
            }
        }
        is_near
    }

    /// Whether the process that made its counters at `start_ns` runs. One whose descriptor is held cannot be mistaken.
    pub fn is_running(&self, pid: u32, start_ns: u64) -> bool {
        match self.open.get(&pid) {
            Some(descriptor) => !is_readable(descriptor.as_raw_fd()),
            None => !self.ends.contains_key(&pid) && proc::is_same(pid, start_ns),
        }
    }

    fn judge(&mut self, pid: u32) {
        if self.known.iter().any(|(known, _)| *known == pid) {
            return;
        }
        let Some(path) = proc::executable(pid) else { return };
        let (times, before) = self.doubtful.entry(pid).or_insert((0, path.clone()));
        if *before != path {
            (*times, *before) = (0, path.clone());
        }
        *times += 1;
        // Between exec and the library's start there is a moment without counters; a forked or vforked child before its
        // exec has the executable of its parent.
        if *times < 3 || path == std::env::current_exe().unwrap_or_default() {
            return;
        }
        let why = match (library::obstacle(&path), proc::has_mapped(pid, LIBRARY)) {
            (Some(why), _) => why,
            (None, Some(true)) => return,
            (None, Some(false)) => "started without the preload",
            (None, None) => "its mappings cannot be read",
        };
        let path = path.display().to_string();
        self.uncounted.insert(pid, Uncounted { pid, path, why: why.into() });
    }
}

/// A descriptor that tells of new files in a directory.
fn news_of(directory: &Path) -> Option<OwnedFd> {
    let path = std::ffi::CString::new(directory.as_os_str().as_encoded_bytes()).ok()?;
    // SAFETY: a new descriptor.
    let got = unsafe { libc::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK) };
    if got < 0 {
        return None;
    }
    // SAFETY: it was just opened, and nobody else owns it.
    let news = unsafe { OwnedFd::from_raw_fd(got) };
    // SAFETY: a C string.
    let watch = unsafe { libc::inotify_add_watch(got, path.as_ptr(), libc::IN_CREATE) };
    (watch >= 0).then_some(news)
}

fn is_readable(descriptor: RawFd) -> bool {
    let mut poll = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
    // SAFETY: one pollfd.
    unsafe { libc::poll(&mut poll, 1, 0) > 0 }
}

/// The wait status of an ended process, from kernels that keep it for the holder of a descriptor (Linux 6.15 on).
fn status_of(descriptor: &OwnedFd) -> Option<i32> {
    /// struct pidfd_info of linux/pidfd.h, first version.
    #[repr(C)]
    #[derive(Default)]
    struct Info {
        mask: u64,
        cgroup: u64,
        ids: [u32; 11],
        exit_code: i32,
    }
    const EXIT: u64 = 1 << 3;
    const GET_INFO: libc::c_ulong = 0xc040_ff0b;
    const _: () = assert!(size_of::<Info>() == 64);
    let mut info = Info { mask: EXIT, ..Info::default() };
    // SAFETY: the call fills a structure of the length that its number tells.
    let got = unsafe { libc::ioctl(descriptor.as_raw_fd(), GET_INFO as _, &mut info) };
    (got == 0 && info.mask & EXIT != 0).then_some(info.exit_code)
}

//! Runs a program as if this command were not there: descriptors, signals, stops and the exit code pass through.
//!
//! Signals that others send to this command go on to the program; those of the terminal reach it anyway. What the program
//! gets is what this command was started with: signal mask and dispositions are put back before exec.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether SIGPIPE was ignored when this command began; Rust's start ignores it in any case.
static PIPE_IGNORED: AtomicBool = AtomicBool::new(false);

#[used]
#[unsafe(link_section = ".init_array")]
static REMEMBER: extern "C" fn() = remember;

extern "C" fn remember() {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: with a null new action the call only fills the old one.
    if unsafe { libc::sigaction(libc::SIGPIPE, ptr::null(), action.as_mut_ptr()) } == 0 {
        // SAFETY: zero bytes are a valid sigaction, and the call has filled it.
        let action = unsafe { action.assume_init() };
        PIPE_IGNORED.store(action.sa_sigaction == libc::SIG_IGN, Relaxed);
    }
}

/// Signals that are taken here and passed on.
const PASSED_ON: [i32; 13] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGALRM,
    libc::SIGCONT,
    libc::SIGWINCH,
    libc::SIGIO,
    libc::SIGURG,
    libc::SIGVTALRM,
    libc::SIGCHLD,
];

/// A program that runs.
pub struct Supervised {
    /// Its process number.
    pub pid: i32,
    signals: OwnedFd,
    ended: Option<i32>,
}

impl Supervised {
    /// Starts the program.
    pub fn start(mut command: Command) -> io::Result<Supervised> {
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: fills the set.
        unsafe { libc::sigemptyset(set.as_mut_ptr()) };
        for signal in PASSED_ON {
            // SAFETY: the set is filled, and the signal exists.
            unsafe { libc::sigaddset(set.as_mut_ptr(), signal) };
        }
        // SAFETY: sigemptyset filled it.
        let set = unsafe { set.assume_init() };
        let mut before = MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: two sets; the second is filled.
        unsafe { libc::sigprocmask(libc::SIG_BLOCK, &set, before.as_mut_ptr()) };
        // SAFETY: sigprocmask filled it, and zero bytes are a set too.
        let before = unsafe { before.assume_init() };
        // SAFETY: a new descriptor for this set.
        let got = unsafe { libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
        if got < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: signalfd gave this descriptor, which nobody else owns.
        let signals = unsafe { OwnedFd::from_raw_fd(got) };
        let restore = move || {
            if PIPE_IGNORED.load(Relaxed) {
                // SAFETY: ignoring a signal needs no handler.
                unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
            }
            // SAFETY: the set is the one this command began with.
            unsafe { libc::sigprocmask(libc::SIG_SETMASK, &before, ptr::null_mut()) };
            Ok(())
        };
        // SAFETY: the closure makes two system calls, which a forked child may.
        unsafe { command.pre_exec(restore) };
        let child = command.spawn()?;
        Ok(Supervised { pid: child.id() as i32, signals, ended: None })
    }

    /// Waits until something happens to the program, to a descriptor of `others`, or the time is over; passes signals on.
    pub fn wait(&mut self, others: impl Iterator<Item = RawFd>, milliseconds: i32) {
        let entry = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        let mut polls: Vec<_> = std::iter::once(self.signals.as_raw_fd()).chain(others).map(entry).collect();
        // SAFETY: an array of so many pollfds.
        unsafe { libc::poll(polls.as_mut_ptr(), polls.len() as libc::nfds_t, milliseconds) };
        self.pass_on();
        self.reap();
    }

    /// The program's wait status, once it has ended.
    pub fn ended(&self) -> Option<i32> {
        self.ended
    }

    fn pass_on(&self) {
        loop {
            let mut info = MaybeUninit::<libc::signalfd_siginfo>::zeroed();
            let size = size_of::<libc::signalfd_siginfo>();
            // SAFETY: a place of the size that is said.
            let got = unsafe { libc::read(self.signals.as_raw_fd(), info.as_mut_ptr().cast(), size) };
            if got != size as isize {
                return;
            }
            // SAFETY: read filled it.
            let info = unsafe { info.assume_init() };
            let signal = info.ssi_signo as i32;
            // Sent by a process, and not by the kernel: the terminal's reach the whole group.
            if signal != libc::SIGCHLD && info.ssi_code <= 0 && self.ended.is_none() {
                // SAFETY: the program is a child that has not been waited for.
                unsafe { libc::kill(self.pid, signal) };
            }
        }
    }

    fn reap(&mut self) {
        while self.ended.is_none() {
            let mut status = 0;
            // SAFETY: waits for a child without blocking; a place for its status.
            let got = unsafe { libc::waitpid(self.pid, &mut status, libc::WNOHANG | libc::WUNTRACED) };
            if got <= 0 {
                return;
            }
            if libc::WIFSTOPPED(status) {
                // The shell that started this command waits for it to stop too.
                // SAFETY: raise has no precondition.
                unsafe { libc::raise(libc::SIGSTOP) };
            } else {
                self.ended = Some(status);
            }
        }
    }
}

/// Ends this command as the program ended.
pub fn end_as(status: i32) -> ! {
    if libc::WIFSIGNALED(status) {
        let signal = libc::WTERMSIG(status);
        // One core file is enough.
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: a limit to read.
        unsafe { libc::setrlimit(libc::RLIMIT_CORE, &none) };
        // SAFETY: the default needs no handler.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: fills the set.
        unsafe { libc::sigemptyset(set.as_mut_ptr()) };
        // SAFETY: a set that is filled.
        unsafe { libc::sigprocmask(libc::SIG_SETMASK, set.as_ptr(), ptr::null_mut()) };
        // SAFETY: raise has no precondition.
        unsafe { libc::raise(signal) };
        std::process::exit(128 + signal);
    }
    std::process::exit(libc::WEXITSTATUS(status));
}

//! The MEMS_ variables, read once at load: later the program may have changed or cleared its environment.
//!
//! Before the load, and in programs that run with raised rights (AT_SECURE), every option has its default. A bad value or
//! an unknown name is said in one line that names the legal ones, and the default is used. Owns the options for good.

use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char};
use core::sync::atomic::{AtomicBool, Ordering};

use mems_core::misuse::Policy;
use mems_core::profile::Mode;
use mems_core::{mode, say};
use once_cell::race::OnceRef;

use crate::place::Place;

/// How much a dump says (`MEMS_STATS`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stats {
    /// Nothing, ever.
    Off,
    /// One line a process.
    Line,
    /// The short form.
    Summary,
    /// The short form, the size classes and the main chain.
    Full,
}

/// For whom it says it (`MEMS_STATS_FORMAT`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// People.
    Text,
    /// Programs.
    Json,
}

/// What the environment said.
#[derive(Clone, Copy)]
pub struct Options {
    /// `MEMS_STATS`.
    pub stats: Stats,
    /// `MEMS_STATS_FORMAT`.
    pub format: Format,
    /// `MEMS_STATS_FILE`, with its %p, %n and %%; empty: stderr.
    pub file: &'static [u8],
    /// `MEMS_SHARED`: the directory for the file of counters; empty: none.
    pub shared: &'static [u8],
    /// `MEMS_PROFILE`.
    pub profile: Mode,
    /// The mean bytes between two samples, for that mode.
    pub interval: usize,
    /// `MEMS_GUARD`: mean number of blocks from one guarded block to the next; 0: none is.
    pub guard: u32,
    /// `MEMS_RECORD`: a directory, or a file with its %p, %n and %%; empty: no record.
    pub record: &'static [u8],
    /// `MEMS_LOG`; empty: no log.
    pub log: &'static str,
    /// `MEMS_PAGE_SIZE`: what mems_* maps in, in bytes.
    pub page_size: usize,
    /// `MEMS_START_VA`: the first MeMS virtual address.
    pub start_va: usize,
    /// `MEMS_ON_ERROR`.
    pub on_error: Policy,
    /// `MEMS_HUGEPAGES`.
    pub huge_pages: bool,
    /// Whether a terminal may get colours: `NO_COLOR` is not set, and `TERM` is not `dumb`.
    pub colours: bool,
}

/// Mean bytes between two samples where nothing else is said.
const INTERVAL: usize = 512 << 10;
/// Mean number of blocks from one guarded block to the next where nothing else is said.
const GUARDED: usize = 5000;

const DEFAULTS: Options = Options {
    stats: Stats::Summary,
    format: Format::Text,
    file: &[],
    shared: &[],
    profile: Mode::Off,
    interval: INTERVAL,
    guard: 0,
    record: &[],
    log: "",
    page_size: 4096,
    start_va: 1000,
    on_error: Policy::Abort,
    huge_pages: false,
    colours: true,
};

/// Reads a value into the options; false when it is not legal.
type Reader = fn(&mut Options, &'static [u8]) -> bool;

/// Name, what is legal, reader.
const KNOWN: [(&str, &str, Reader); 13] = [
    ("MEMS_STATS", "off, line, summary or full", stats),
    ("MEMS_STATS_FORMAT", "text or json", format),
    ("MEMS_STATS_FILE", "a path below 4000 bytes, with %p (pid), %n (program) or %% (%)", file),
    ("MEMS_SHARED", "an absolute path below 1000 bytes: a directory", shared),
    ("MEMS_PROFILE", "off, sites, stacks, sample or sample:BYTES (1 to 2^40)", profile),
    ("MEMS_RECORD", "a directory, or a file with %p (pid), %n (program) or %% (%), below 4000 bytes", record),
    ("MEMS_LOG", "error, warn, info, debug or trace, or module=level, with commas", log),
    ("MEMS_PAGE_SIZE", "a power of two from 1024 to 1048576", page_size),
    ("MEMS_START_VA", "a whole number below 2^62, decimal or 0x hexadecimal", start_va),
    ("MEMS_ON_ERROR", "abort, warn or ignore", on_error),
    ("MEMS_HARDEN", "1, on, 0 or off", harden),
    ("MEMS_GUARD", "off, sample or sample:N (1 to 2^30 blocks)", guard),
    ("MEMS_HUGEPAGES", "1, on, 0 or off", huge_pages),
];

/// The environment's values, all together, since the program may write over its own copy.
const KEPT: usize = 8192;
static TEXT: Place = Place::new();
static OPTIONS: OnceRef<'static, Options> = OnceRef::new();

/// Where the options lie; written by the one call of [`load`] that has an effect, before OPTIONS refers to it.
struct Store(UnsafeCell<Options>);
// SAFETY: see its comment: nobody reads before the only write is done.
unsafe impl Sync for Store {}
static STORE: Store = Store(UnsafeCell::new(DEFAULTS));
static LOADED: AtomicBool = AtomicBool::new(false);

/// The options: what was read at load, the defaults before that.
pub fn get() -> &'static Options {
    const BEFORE: &Options = &DEFAULTS;
    OPTIONS.get().unwrap_or(BEFORE)
}

/// Reads the variables of `environment`. Only the first call has an effect.
///
/// # Safety
/// `environment` is a null-ended array of C strings.
pub unsafe fn load(environment: *const *const c_char) {
    if LOADED.swap(true, Ordering::Relaxed) {
        return;
    }
    let mut options = DEFAULTS;
    if !runs_with_raised_rights() {
        // SAFETY: the caller brings a null-ended array of C strings.
        unsafe { keep(environment) };
        let entries = TEXT.get().strip_suffix(b"\0").unwrap_or_default();
        for entry in entries.split(|byte| *byte == 0) {
            read(&mut options, entry);
        }
    }
    // SAFETY: LOADED lets one call come here, and OPTIONS does not refer to the store yet.
    unsafe { STORE.0.get().write(options) };
    // SAFETY: nobody writes to the store any more.
    let _ = OPTIONS.set(unsafe { &*STORE.0.get() });
}

/// Copies the entries that matter, each with its NUL, to [`TEXT`].
///
/// # Safety
/// `environment` is a null-ended array of C strings.
unsafe fn keep(environment: *const *const c_char) {
    TEXT.set(KEPT, |place| {
        let mut used = 0;
        let mut at = environment;
        // SAFETY: `at` has not passed the array's null.
        while let Some(entry) = unsafe { at.as_ref() }.filter(|entry| !entry.is_null()) {
            // SAFETY: the entries of an environment are C strings.
            let entry = unsafe { CStr::from_ptr(*entry) }.to_bytes_with_nul();
            if [&b"MEMS_"[..], b"NO_COLOR=", b"TERM=dumb\0"].iter().any(|start| entry.starts_with(start)) {
                match place.get_mut(used..used + entry.len()) {
                    Some(to) => {
                        to.copy_from_slice(entry);
                        used += entry.len();
                    }
                    None => too_long(entry),
                }
            }
            at = at.wrapping_add(1);
        }
        used
    });
}

#[cold]
#[inline(never)]
fn too_long(entry: &[u8]) {
    say::line(|text| {
        text.text("the MEMS_ variables are too long together; ignored: ");
        text.bytes(entry.get(..40).unwrap_or_default());
    });
}

/// Reads one `NAME=value`.
#[cold]
#[inline(never)]
fn read(options: &mut Options, entry: &'static [u8]) {
    let Some(middle) = entry.iter().position(|byte| *byte == b'=') else { return };
    let (name, value) =
        (entry.get(..middle).unwrap_or_default(), entry.get(middle + 1..).unwrap_or_default());
    // An empty value is as good as none.
    if value.is_empty() {
        return;
    }
    match name {
        b"NO_COLOR" | b"TERM" => options.colours = false,
        _ => match KNOWN.iter().find(|(known, ..)| known.as_bytes() == name) {
            Some((_, legal, reader)) => {
                let before = *options;
                if !reader(options, value) {
                    *options = before;
                    complain(entry, &[" is not legal, the default is used; legal: ", legal]);
                }
            }
            None => unknown(name),
        },
    }
}

#[cold]
#[inline(never)]
fn unknown(name: &[u8]) {
    let mut all = [", "; 2 * KNOWN.len()];
    all[0] = " is not known and ignored; known: ";
    for (place, (known, ..)) in all.iter_mut().skip(1).step_by(2).zip(&KNOWN) {
        *place = known;
    }
    complain(name, &all);
}

#[cold]
#[inline(never)]
fn complain(what: &[u8], parts: &[&str]) {
    say::line(|text| {
        let short = what.get(..100).unwrap_or(what);
        for byte in short {
            text.bytes(&[if byte.is_ascii_graphic() { *byte } else { b'?' }]);
        }
        text.text(if short.len() < what.len() { "..." } else { "" });
        for part in parts {
            text.text(part);
        }
    });
}

fn stats(options: &mut Options, value: &'static [u8]) -> bool {
    options.stats = match value {
        b"off" => Stats::Off,
        b"line" => Stats::Line,
        b"summary" => Stats::Summary,
        b"full" => Stats::Full,
        _ => return false,
    };
    true
}

fn format(options: &mut Options, value: &'static [u8]) -> bool {
    options.format = match value {
        b"text" => Format::Text,
        b"json" => Format::Json,
        _ => return false,
    };
    true
}

fn file(options: &mut Options, value: &'static [u8]) -> bool {
    options.file = value;
    is_path(value)
}

fn record(options: &mut Options, value: &'static [u8]) -> bool {
    options.record = value;
    is_path(value)
}

fn profile(options: &mut Options, value: &'static [u8]) -> bool {
    let (mode, bytes) = match value.iter().position(|byte| *byte == b':') {
        Some(colon) => (value.get(..colon).unwrap_or_default(), value.get(colon + 1..)),
        None => (value, None),
    };
    options.profile = match mode {
        b"off" => Mode::Off,
        b"sites" => Mode::Sites,
        b"stacks" => Mode::Stacks,
        b"sample" => Mode::Sample,
        _ => return false,
    };
    let Some(bytes) = bytes else { return true };
    let Some(interval) = number(bytes) else { return false };
    options.interval = interval;
    options.profile == Mode::Sample && (1..=1 << 40).contains(&interval)
}

/// Whether a path is short enough and has no unknown % in it.
fn is_path(value: &[u8]) -> bool {
    let mut rest = value.iter();
    while let Some(byte) = rest.next() {
        if *byte == b'%' && !matches!(rest.next(), Some(b'p' | b'n' | b'%')) {
            return false;
        }
    }
    value.len() < 4000
}

fn shared(options: &mut Options, value: &'static [u8]) -> bool {
    options.shared = value;
    value.starts_with(b"/") && value.len() < 1000
}

#[cold]
fn log(options: &mut Options, value: &'static [u8]) -> bool {
    let Ok(filter) = core::str::from_utf8(value) else { return false };
    options.log = filter;
    let level = |part: &str| part.parse::<log::LevelFilter>().is_ok();
    filter.split(',').all(|part| match part.rsplit_once('=') {
        Some((_, last)) => level(last),
        None => level(part) || part.starts_with("mems"),
    })
}

fn page_size(options: &mut Options, value: &'static [u8]) -> bool {
    let Some(size) = number(value) else { return false };
    options.page_size = size;
    size.is_power_of_two() && (1024..=1 << 20).contains(&size)
}

fn start_va(options: &mut Options, value: &'static [u8]) -> bool {
    let Some(start) = number(value) else { return false };
    options.start_va = start;
    start < 1 << 62
}

fn on_error(options: &mut Options, value: &'static [u8]) -> bool {
    options.on_error = match value {
        b"abort" => Policy::Abort,
        b"warn" => Policy::Warn,
        b"ignore" => Policy::Ignore,
        _ => return false,
    };
    true
}

/// Whether the value is legal, no more: it took effect with the first block, before any option was read.
fn harden(_: &mut Options, value: &'static [u8]) -> bool {
    mode::reads(value).is_some()
}

fn huge_pages(options: &mut Options, value: &'static [u8]) -> bool {
    let on = mode::reads(value);
    options.huge_pages = on.unwrap_or_default();
    on.is_some()
}

fn guard(options: &mut Options, value: &'static [u8]) -> bool {
    let interval = match value {
        b"off" => Some(0),
        b"sample" => Some(GUARDED),
        _ => value
            .strip_prefix(b"sample:")
            .and_then(number)
            .filter(|interval| (1..=1 << 30).contains(interval)),
    };
    options.guard = interval.unwrap_or_default() as u32;
    interval.is_some()
}

#[cold]
#[inline(never)]
fn number(value: &[u8]) -> Option<usize> {
    let text = core::str::from_utf8(value).ok()?;
    match text.strip_prefix("0x") {
        Some(digits) => usize::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
    .filter(|_| !text.contains('+'))
}

fn runs_with_raised_rights() -> bool {
    // SAFETY: getauxval has no precondition.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

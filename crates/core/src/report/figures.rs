//! Figures for people: bytes, counts, shares and times in few columns.
//!
//! Whole-number arithmetic throughout; every value up to `u64::MAX` has a form, and none is longer than is said.

use crate::buffer::Buffer;

const BYTE_UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
const COUNT_UNITS: [&str; 7] = ["", " k", " M", " G", " T", " P", " E"];

/// A count of bytes in its largest unit that keeps it at 1 or more: `512 B`, `3.1 MiB`, `212.0 KiB`. At most 10 columns.
#[inline(never)]
pub fn bytes(value: u64, to: &mut Buffer) {
    let (mut unit, mut size) = (0, 1u64);
    // Moves on already where one decimal would round up to 1024.0.
    while unit < 6 && value / size >= 1024 || unit > 0 && unit < 6 && tenths(value, size) >= 10240 {
        unit += 1;
        size <<= 10;
    }
    decimal(value, size, to);
    to.text(" ");
    to.text(unit_name(&BYTE_UNITS, unit));
}

/// The unit that [`bytes`] would choose for `value`: its size in bytes and its name.
pub fn byte_unit(value: u64) -> (u64, &'static str) {
    let mut unit = 0;
    let mut size = 1u64;
    while unit < 6 && value / size >= 1024 {
        unit += 1;
        size <<= 10;
    }
    (size, unit_name(&BYTE_UNITS, unit))
}

/// `value / unit` with one decimal, none from 100 on or in single bytes. At most 5 columns below 10,000 units.
#[inline(never)]
pub fn in_unit(value: u64, unit: u64, to: &mut Buffer) {
    if tenths(value, unit) >= 1000 || unit == 1 {
        to.number(value / unit + u64::from(value % unit >= unit.div_ceil(2) && unit > 1));
    } else {
        decimal(value, unit, to);
    }
}

/// A count, exact with commas where that fits in `width` columns (at least 9), else with one decimal and k, M, G …: `123.4 M`.
#[inline(never)]
pub fn count(value: u64, width: usize, to: &mut Buffer) {
    let digits = if value == 0 { 1 } else { value.ilog10() as usize + 1 };
    if digits + (digits - 1) / 3 <= width { to.grouped(value) } else { short_count(value, to) }
}

/// A count in at most 6 columns: exact below 10,000, else `485 k`, `12.3 M`.
#[inline(never)]
pub fn short_count(value: u64, to: &mut Buffer) {
    if value < 10_000 {
        to.number(value);
        return;
    }
    let (mut unit, mut size) = (0, 1u64);
    while unit < 6 && value / size >= 1000 {
        unit += 1;
        size *= 1000;
    }
    in_unit(value, size, to);
    to.text(unit_name(&COUNT_UNITS, unit));
}

/// `part` of `whole` in whole percent: `61%`; `0%` and `100%` only where nothing and all is meant, else `<1%` and `99%`.
/// At most 4 columns.
#[inline(never)]
pub fn percent(part: u64, whole: u64, to: &mut Buffer) {
    let (part, whole) = (u128::from(part), u128::from(whole.max(1)));
    let rounded = (part * 200 + whole) / (whole * 2);
    match rounded {
        0 if part > 0 => to.text("<1"),
        100.. if part < whole => to.text("99"),
        _ => to.number(rounded.min(999) as u64),
    }
    to.text("%");
}

/// A span of time in nanoseconds: `12 us`, `3.4 ms`, `1.38 s`, `5 min 12 s`, `3 h 7 min`, `12 d 3 h`. At most 11 columns.
pub fn span(ns: u64, to: &mut Buffer) {
    const SECOND: u64 = 1_000_000_000;
    let seconds = ns / SECOND;
    match seconds {
        0 if ns < 1_000_000 => {
            to.number(ns / 1000);
            to.text(" us");
        }
        0 => {
            to.number(ns / 1_000_000);
            to.text(".");
            to.number(ns / 100_000 % 10);
            to.text(" ms");
        }
        1..120 => {
            to.number(seconds);
            to.text(".");
            let hundredths = ns / (SECOND / 100) % 100;
            to.number(hundredths / 10);
            to.number(hundredths % 10);
            to.text(" s");
        }
        120..7200 => pair(seconds / 60, " min ", seconds % 60, " s", to),
        7200..172_800 => pair(seconds / 3600, " h ", seconds / 60 % 60, " min", to),
        172_800..864_000_000 => pair(seconds / 86_400, " d ", seconds / 3600 % 24, " h", to),
        _ => {
            to.number(seconds / 86_400);
            to.text(" d");
        }
    }
}

fn pair(large: u64, unit: &str, small: u64, small_unit: &str, to: &mut Buffer) {
    to.number(large);
    to.text(unit);
    to.number(small);
    to.text(small_unit);
}

/// `value / unit` rounded to one decimal, as tenths.
fn tenths(value: u64, unit: u64) -> u64 {
    ((u128::from(value) * 10 + u128::from(unit / 2)) / u128::from(unit)) as u64
}

#[inline(never)]
fn decimal(value: u64, unit: u64, to: &mut Buffer) {
    if unit == 1 {
        to.number(value);
        return;
    }
    let tenths = tenths(value, unit);
    to.number(tenths / 10);
    to.text(".");
    to.number(tenths % 10);
}

fn unit_name(units: &[&'static str; 7], unit: usize) -> &'static str {
    units.get(unit).copied().unwrap_or("")
}

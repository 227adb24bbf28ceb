//! Sampling by bytes: which blocks are recorded, and what each of them stands for.
//!
//! Imagine marks strewn over the stream of usable bytes at random, one in `interval` bytes on average (a Poisson process);
//! a block is recorded when a mark falls into it. One of `s` bytes is so with probability p = 1 - exp(-s / interval), whatever
//! came before, and therefore stands for 1 / p blocks: sums over sites are unbiased. Owns a small filter that
//! tells most blocks that are not recorded.

use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use crate::ledger::{BLOCK, Ledger, Share};

/// The highest interval, in bytes.
pub const LONGEST: usize = 1 << 40;

/// Whether a block of `usable` bytes is recorded. A subtraction where it is not.
#[inline]
pub fn is_due(ledger: &Ledger, usable: usize, interval: usize) -> bool {
    if ledger.random.get() == 0 {
        begin(ledger, interval);
    }
    let left = ledger.countdown.get() - usable as i64;
    ledger.countdown.set(left);
    if left >= 0 {
        return false;
    }
    ledger.countdown.set(distance(ledger, interval));
    true
}

#[cold]
fn begin(ledger: &Ledger, interval: usize) {
    let seed = crate::os::now_ns() ^ core::ptr::from_ref(ledger) as u64;
    ledger.random.set(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    ledger.countdown.set(distance(ledger, interval));
}

/// Bytes to the next mark.
#[cold]
fn distance(ledger: &Ledger, interval: usize) -> i64 {
    // xorshift64* (Vigna, 2016).
    let mut x = ledger.random.get();
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    ledger.random.set(x);
    let bits = x.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
    let uniform = (bits as f64 + 0.5) / (1u64 << 53) as f64;
    (-natural_log(uniform) * interval as f64) as i64
}

/// What a recorded block of `usable` bytes stands for.
pub fn share(asked: usize, usable: usize, interval: usize) -> Share {
    let probability = 1.0 - exp_of_minus(usable as f64 / interval as f64);
    let stands_for = |figure: f64| (figure / probability + 0.5) as u64;
    Share {
        blocks: stands_for(BLOCK as f64),
        asked: stands_for(asked as f64),
        usable: stands_for(usable as f64),
    }
}

/// exp(-x), x >= 0, to 14 digits.
fn exp_of_minus(x: f64) -> f64 {
    if x > 700.0 {
        return 0.0;
    }
    // exp(-x) = exp(-x / 1024)^1024, by a short series for the small power.
    let small = x / 1024.0;
    let mut term = 1.0;
    let mut sum = 1.0;
    let mut n = 1.0;
    while n < 16.0 {
        term *= -small / n;
        sum += term;
        n += 1.0;
    }
    for _ in 0..10 {
        sum *= sum;
    }
    sum
}

/// ln(x), 0 < x, x normal.
fn natural_log(x: f64) -> f64 {
    const LN_2: f64 = core::f64::consts::LN_2;
    let bits = x.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i64 - 1023;
    let mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    // ln(m) = 2 atanh((m - 1) / (m + 1)), 1 <= m < 2.
    let z = (mantissa - 1.0) / (mantissa + 1.0);
    let (mut power, mut sum, mut n) = (z, 0.0, 1.0);
    while n < 40.0 {
        sum += power / n;
        power *= z * z;
        n += 2.0;
    }
    2.0 * sum + exponent as f64 * LN_2
}

/// How many recorded live blocks there are, by a few bits of their address: nearly all frees end at a zero here. A place that
/// has reached 255 stays so.
static WATCHED: [AtomicU8; PLACES] = [const { AtomicU8::new(0) }; PLACES];
const PLACES: usize = 16 << 10;

fn place(address: usize) -> &'static AtomicU8 {
    let mixed = (address as u64 >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 50;
    &WATCHED[mixed as usize % PLACES]
}

/// Tells that the block at `address` is recorded.
pub fn watch(address: usize) {
    let _ = place(address).fetch_update(Relaxed, Relaxed, |count| count.checked_add(1));
}

/// Whether the block at `address` may be one that is recorded. One load.
#[inline]
pub fn may_be_watched(address: usize) -> bool {
    place(address).load(Relaxed) != 0
}

/// Tells that a recorded block is freed.
pub fn unwatch(address: usize) {
    let less = |count: u8| if count == 0 || count == u8::MAX { None } else { Some(count - 1) };
    let _ = place(address).fetch_update(Relaxed, Relaxed, less);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_and_log_are_right() {
        for (x, exp) in
            [(0.0, 1.0), (1.0, 0.36787944117144233), (10.0, 4.539992976248485e-5), (3e-5, 0.9999700004499955)]
        {
            assert!((exp_of_minus(x) - exp).abs() < 1e-12, "exp(-{x}) = {}", exp_of_minus(x));
        }
        for (x, ln) in [
            (1.0, 0.0),
            (0.25, -1.3862943611198906),
            (1e-9, -20.72326583694641),
            (0.999, -0.0010005003335835344),
        ] {
            assert!((natural_log(x) - ln).abs() < 1e-12, "ln({x}) = {}", natural_log(x));
        }
    }

    #[test]
    fn estimates_are_unbiased_for_small_and_large_blocks() {
        let interval = 4096;
        for size in [16, 208, 4096, 65536] {
            let ledger = Ledger::make(16).expect("memory");
            let count = 4_000_000 / (1 + size / 256);
            let (mut blocks, mut bytes) = (0, 0);
            for _ in 0..count {
                if is_due(ledger, size, interval) {
                    let share = share(size - 1, size, interval);
                    blocks += share.blocks;
                    bytes += share.usable;
                }
            }
            let off = blocks as f64 / BLOCK as f64 / count as f64 - 1.0;
            assert!(off.abs() < 0.05, "{size}: {off}");
            let off = bytes as f64 / (count * size) as f64 - 1.0;
            assert!(off.abs() < 0.05, "{size}: {off}");
        }
    }
}

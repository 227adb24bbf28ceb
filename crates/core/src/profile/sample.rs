//! Sampling by bytes: which blocks are recorded, and what each of them stands for.
//!
//! Imagine marks strewn over the stream of usable bytes at random, one in `interval` bytes on average (a Poisson process);
//! a block is recorded when a mark falls into it. One of `s` bytes is so with probability p = 1 - exp(-s / interval), whatever
//! came before, and therefore stands for 1 / p blocks: sums over sites are unbiased. Owns nothing: the countdown is the
//! ledger's.

use core::sync::atomic::Ordering::Relaxed;

use crate::count::weight;
use crate::ledger::{BLOCK, Ledger, Share};

/// The highest interval, in bytes.
pub const LONGEST: usize = 1 << 36;

/// Whether a block of this [`weight`] is recorded. A subtraction where it is not. (The one block in a weight is a 2^24th of 16
/// bytes here.)
#[inline(always)]
pub fn is_due(ledger: &Ledger, weight: u64) -> bool {
    let left = ledger.countdown.get() - weight as i64;
    ledger.countdown.set(left);
    left < 0 && reached(ledger, left, super::INTERVAL.load(Relaxed))
}

/// The countdown has run out: it is set anew. Whether a mark was reached; there is none yet before the first countdown.
#[cold]
#[inline(never)]
fn reached(ledger: &Ledger, left: i64, interval: usize) -> bool {
    let mut left = left;
    if ledger.random.get() == 0 {
        let seed = crate::os::now_ns() ^ core::ptr::from_ref(ledger) as u64;
        ledger.random.set(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        left += distance(ledger, interval);
    }
    ledger.countdown.set(if left < 0 { distance(ledger, interval) } else { left });
    left < 0
}

/// How far it is to the next mark, as a weight.
fn distance(ledger: &Ledger, interval: usize) -> i64 {
    // xorshift64* (Vigna, 2016).
    let mut x = ledger.random.get();
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    ledger.random.set(x);
    let bits = x.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
    let uniform = (bits as f64 + 0.5) / (1u64 << 53) as f64;
    (-natural_log(uniform) * interval as f64 * (weight(1 << 20) >> 20) as f64) as i64
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
        super::super::INTERVAL.store(interval, Relaxed);
        for size in [16, 208, 4096, 65536] {
            let ledger = Ledger::make(16).expect("memory");
            let count = 4_000_000 / (1 + size / 256);
            let (mut blocks, mut bytes) = (0, 0);
            for _ in 0..count {
                if is_due(ledger, weight(size)) {
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

//! Sampling by bytes: which blocks are recorded, and what each of them stands for.
//!
//! Imagine marks strewn over the stream of usable bytes at random, one in `interval` bytes on average (a Poisson process);
//! a block is recorded when a mark falls into it. One of `s` bytes is so with probability p = 1 - exp(-s / interval), whatever
//! came before, and therefore stands for 1 / p blocks: sums over sites are unbiased. Bytes may be told apart into streams as one
//! likes, each with its own marks: here the blocks of each class that malloc and that new gave, and the bytes of all others,
//! since those are what a heap's counters count anyway (see `count`): so a block without a mark costs nothing more. Owns
//! the probabilities.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::INTERVAL;
use crate::class::{self, CLASSES, COUNT, LIMIT, SLAB_MAX};
use crate::count::{Counters, Stream};
use crate::ledger::{BLOCK, Ledger, Share};

/// The highest interval, in bytes.
pub const LONGEST: usize = 1 << 36;

/// By class, how probable it is that a block is recorded: the bits of an f64.
static PROBABILITY: [AtomicU64; LIMIT] = [const { AtomicU64::new(0) }; LIMIT];

/// Reckons with `interval` from now on. To be called once.
pub fn start(interval: usize) {
    INTERVAL.store(interval, Relaxed);
    for class in 1..=COUNT {
        PROBABILITY[class].store(probability(CLASSES[class].slot as usize, interval).to_bits(), Relaxed);
    }
}

/// Whether a block of `usable` bytes, the last that was counted in `stream`, is recorded. If so, or when the stream has just
/// begun, chooses the next mark.
#[inline]
pub fn has_come(counters: &Counters, ledger: &Ledger, stream: Stream, usable: usize) -> bool {
    counters.has_come(stream) && is_marked(counters, ledger, stream, usable)
}

#[cold]
#[inline(never)]
fn is_marked(counters: &Counters, ledger: &Ledger, stream: Stream, usable: usize) -> bool {
    let (unit, length) = match stream {
        Stream::Bytes => (1, usable as u64),
        Stream::Malloc(class) | Stream::New(class) => (CLASSES[class % LIMIT].slot, 1),
    };
    let distance = || distance(ledger, INTERVAL.load(Relaxed) as f64 / f64::from(unit));
    if ledger.begun.begin(stream) {
        // Only now is there a first mark, which may lie behind this block.
        let first = distance();
        if first > length {
            counters.count_up(stream, first - length);
            return false;
        }
    }
    counters.count_up(stream, distance());
    true
}

/// In which unit of a stream the next mark lies, from 1, where one comes in `mean` units.
fn distance(ledger: &Ledger, mean: f64) -> u64 {
    if ledger.random.get() == 0 {
        let seed = crate::os::now_ns() ^ core::ptr::from_ref(ledger) as u64;
        ledger.random.set(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    }
    // xorshift64* (Vigna, 2016).
    let mut x = ledger.random.get();
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    ledger.random.set(x);
    let bits = x.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
    let uniform = (bits as f64 + 0.5) / (1u64 << 53) as f64;
    (-natural_log(uniform) * mean) as u64 + 1
}

fn probability(usable: usize, interval: usize) -> f64 {
    1.0 - exp_of_minus(usable as f64 / interval as f64)
}

/// What a recorded block of `usable` bytes stands for.
pub fn share(asked: usize, usable: usize) -> Share {
    let class = if usable <= SLAB_MAX { class::of(usable) } else { 0 };
    let probability = if CLASSES[class].slot as usize == usable {
        f64::from_bits(PROBABILITY[class].load(Relaxed))
    } else {
        probability(usable, INTERVAL.load(Relaxed))
    };
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
    use crate::count::Function;

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
        start(interval);
        for size in [16, 208, 4096, 65536] {
            // One stream begins anew with each class, the other goes on from size to size.
            for bytes in [false, true] {
                let ledger = Ledger::make(16).expect("memory");
                // SAFETY: words, for which zero is a value.
                let counters: Counters = unsafe { core::mem::zeroed() };
                counters.arm();
                let class = class::of(size.min(SLAB_MAX));
                let stream = if bytes || size > SLAB_MAX { Stream::Bytes } else { Stream::Malloc(class) };
                let count = 4_000_000 / (1 + size / 256);
                let (mut blocks, mut usable) = (0, 0);
                for _ in 0..count {
                    match stream {
                        Stream::Bytes => counters.resized(Function::Calloc, size, size),
                        _ => counters.malloc[class].add(size),
                    }
                    if has_come(&counters, ledger, stream, size) {
                        let share = share(size - 1, size);
                        blocks += share.blocks;
                        usable += share.usable;
                    }
                }
                assert_eq!(counters.blocks(), count as u64, "what is counted stays what it is");
                let off = blocks as f64 / BLOCK as f64 / count as f64 - 1.0;
                assert!(off.abs() < 0.05, "{size}: {off}");
                let off = usable as f64 / (count * size) as f64 - 1.0;
                assert!(off.abs() < 0.05, "{size}: {off}");
            }
        }
    }
}

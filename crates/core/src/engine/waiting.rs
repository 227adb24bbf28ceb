//! Spans that could not be given back when they became free: a signal handler had them, and its own thread or another one
//! was inside the engine. Whoever comes next gives them back.
//!
//! A few words that anyone may write, each with one span's node and how many of its pages were touched. Owned by the engine;
//! until they are given back, the spans are PROCESS segments of its chain.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};

use mems_chain::NodeId;

use super::Engine;

/// More than there are threads that can be interrupted at the same moment, as a rule.
const PLACES: usize = 128;

/// A node below, touched pages above; 0: empty.
static PLACE: [AtomicU64; PLACES] = [const { AtomicU64::new(0) }; PLACES];
/// Whether there may be any.
static SOME: AtomicBool = AtomicBool::new(false);

/// Adds a span. False when all places are taken.
#[cold]
pub fn add(node: NodeId, touched: usize) -> bool {
    let Ok(touched) = u32::try_from(touched) else { return false };
    let word = u64::from(node.raw()) | u64::from(touched) << 32;
    let added = PLACE.iter().any(|place| place.compare_exchange(0, word, Release, Relaxed).is_ok());
    SOME.store(true, Release);
    added
}

/// Gives all of them back. One load when there is none.
#[inline]
pub fn end(engine: &mut Engine) {
    if SOME.load(Relaxed) {
        end_all(engine);
    }
}

#[cold]
fn end_all(engine: &mut Engine) {
    // Before the places are looked at: one that comes meanwhile sets it again.
    SOME.swap(false, AcqRel);
    for place in &PLACE {
        let word = place.swap(0, Acquire);
        if let Some(node) = NodeId::from_raw(word as u32) {
            engine.put(node, (word >> 32) as usize);
        }
    }
}

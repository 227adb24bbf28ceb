//! The main chain of a running process, walked from outside: regions, segments, and how full each slab is.
//!
//! Nothing is stopped, so a walk of a chain that changes meanwhile does not add up and is done again. Only reads.

use std::collections::BTreeMap;
use std::io;
use std::mem::offset_of;

use mems_chain::{Node, NodeId};
use mems_core::class::{CLASSES, COUNT};
use mems_core::nodes::TIERS;
use mems_core::pagemap;
use mems_core::slab::Slab;
use mems_core::stack::{MOVED, Stack};

use crate::counters::PAGE;
use crate::memory::{Look, Memory, place};
use crate::record::{Region, Segment};

/// Most nodes that a walk looks at: more are a ring, or a chain of 256 GiB in small pieces.
const MOST_NODES: usize = 4 << 20;

/// How often a walk is tried.
const TRIES: usize = 20;

/// The chain now, and whether it was found at rest.
pub fn of(memory: &Memory) -> io::Result<(Vec<Region>, bool)> {
    let mut last = Vec::new();
    for _ in 0..TRIES {
        let (regions, whole) = walk(memory)?;
        if whole {
            return Ok((regions, true));
        }
        last = regions;
    }
    Ok((last, false))
}

/// Free blocks of each slot size that the threads' stacks hold, and the packets behind them.
pub fn held(memory: &Memory) -> io::Result<BTreeMap<u64, u64>> {
    let mut held = BTreeMap::new();
    for heap in memory.heaps()? {
        let length = (COUNT + 1) * size_of::<Stack>() / 8;
        let words = memory.words(heap + place!(memory, stacks), length)?;
        for (stack, class) in words.chunks_exact(size_of::<Stack>() / 8).zip(&CLASSES) {
            let (top, floor) = (stack[offset_of!(Stack, top) / 8], stack[offset_of!(Stack, floor) / 8]);
            let at = offset_of!(Stack, full_count);
            let packets = stack[at / 8] >> (at % 8 * 8) & u64::from(u16::MAX);
            let blocks = top.saturating_sub(floor) / 8 + packets * MOVED as u64;
            if class.slot > 0 {
                *held.entry(u64::from(class.slot)).or_insert(0) += blocks;
            }
        }
    }
    Ok(held)
}

fn walk(memory: &Memory) -> io::Result<(Vec<Region>, bool)> {
    let mut word = [0; 4];
    memory.read(place!(memory, chain), &mut word)?;
    let tiers = memory.words(place!(memory, tiers), TIERS)?;
    let first_tier = place!(memory, first_tier) as usize;
    let mask = (1u64 << place!(memory, physical)) - 1;
    let look = Look::at(memory);
    let node = |id: NodeId| -> Option<Node> {
        let i = id.index() as usize + first_tier;
        let tier = (i.ilog2() - first_tier.ilog2()) as usize;
        let base = tiers.get(tier).filter(|base| **base != 0)?;
        let offset = (i - (first_tier << tier)) * size_of::<Node>();
        let bytes: [u8; size_of::<Node>()] = look.bytes(base + offset as u64)?;
        // SAFETY: a Node is numbers, for which any bytes are values.
        Some(unsafe { std::ptr::read_unaligned(bytes.as_ptr().cast()) })
    };
    let map = std::array::from_fn(|number| place!(memory, page_map, number) as usize);
    let mut regions = Vec::new();
    let mut at = NodeId::from_raw(u32::from_ne_bytes(word));
    let mut seen = 0;
    while let Some(id) = at {
        let Some(region) = node(id) else { return Ok((regions, false)) };
        let (start, size, _, first, next) = region.seen();
        let mut segments = Vec::new();
        let mut end = start;
        let mut inner = first;
        while let Some(id) = inner {
            seen += 1;
            let Some(segment) = node(id) else { return Ok((regions, false)) };
            let (at, length, hole, _, next) = segment.seen();
            if at != end || seen > MOST_NODES {
                return Ok((regions, false));
            }
            end += length;
            let address = (at & mask) * PAGE as u64;
            let slab = if hole { None } else { slab(&look, map, address) };
            segments.push(Segment { process: !hole, bytes: length * PAGE as u64, slab });
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

/// The slab that begins at `address`, if one does: its slot size, slots, and slots that are not free in it.
fn slab(look: &Look, map: [usize; 3], address: u64) -> Option<[u64; 3]> {
    let mut word = |at: usize| look.word(at as u64).map(|word| word as usize);
    let (key, meta) = pagemap::entry_elsewhere(map, address as usize, &mut word)?;
    if key < PAGE || meta == 0 {
        return None;
    }
    let base = look.word(meta as u64 + offset_of!(Slab, base) as u64)?;
    let [class] = look.bytes(meta as u64 + offset_of!(Slab, class) as u64)?;
    let free = look.bytes(meta as u64 + offset_of!(Slab, free) as u64).map(u32::from_ne_bytes)?;
    let kind = CLASSES.get(usize::from(class)).filter(|kind| kind.slots > 0 && base == address)?;
    Some([kind.slot, kind.slots, kind.slots - free.min(kind.slots)].map(u64::from))
}

//! The sites: every distinct call site, or call stack, that was met, and its number.
//!
//! Found by its key (the return address, or a hash of all of them) in an open table that is read without a lock. A new
//! one is put in under the lock, its frames as nodes of a tree that stacks share. Bounded: when there is no room, calls go
//! without a site. A key whose code was unloaded is never found again. Owns the tables, which are never unmapped.

use core::ptr;
use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::*};

use super::modules;
use super::table::Table;
use crate::lock::{Lock, Rank, Side};

/// How much there is room for. Powers of two.
#[derive(Clone, Copy)]
pub struct Room {
    /// Sites.
    pub sites: usize,
    /// Nodes.
    pub nodes: usize,
}

/// A place of the open table.
#[repr(C)]
struct Slot {
    /// 0: free.
    key: AtomicU64,
    /// Written before the key.
    site: AtomicU32,
}

/// A call frame and its caller's.
#[repr(C)]
pub struct Node {
    /// Return address.
    address: AtomicUsize,
    /// The caller's node; 0: none known.
    parent: AtomicU32,
    /// The module; see [`modules::NONE`].
    module: AtomicU32,
}

impl Node {
    /// Return address, caller's node, module.
    pub fn facts(&self) -> (usize, u32, u16) {
        (self.address.load(Relaxed), self.parent.load(Relaxed), self.module.load(Relaxed) as u16)
    }
}

/// How many times modules had been reopened when sites were last shown again.
static REVIVED: AtomicU32 = AtomicU32::new(0);

/// Keys of code that is gone have this bit, which no key that is looked for has.
const GONE: u64 = 1 << 63;

struct Tables {
    slots: Table<Slot>,
    /// By site, its innermost node.
    leaves: Table<AtomicU32>,
    /// From number 1.
    nodes: Table<Node>,
    /// An open table of node numbers, used under the lock.
    index: Table<AtomicU32>,
    /// The most there may be.
    most_sites: AtomicUsize,
    most_nodes: AtomicUsize,
    sites: AtomicUsize,
    node_count: AtomicUsize,
}

static TABLES: Tables = Tables {
    slots: Table::new(),
    leaves: Table::new(),
    nodes: Table::new(),
    index: Table::new(),
    most_sites: AtomicUsize::new(0),
    most_nodes: AtomicUsize::new(0),
    sites: AtomicUsize::new(0),
    node_count: AtomicUsize::new(0),
};
static LOCK: Lock<()> = Lock::new(Rank::Sites, ());

/// Room at first.
const FIRST: Room = Room { sites: 1 << 10, nodes: 1 << 11 };

/// See [`lost`].
static LOST: AtomicU64 = AtomicU64::new(0);

/// Calls that found no room for their site.
pub fn lost() -> u64 {
    LOST.load(Relaxed)
}

/// In a forked child: none has yet.
pub fn restart() {
    LOST.store(0, Relaxed);
}

/// Maps the tables; `most` is how far they may grow. False when memory is short.
pub fn start(most: Room) -> bool {
    TABLES.most_sites.store(most.sites, Relaxed);
    TABLES.most_nodes.store(most.nodes, Relaxed);
    grow_sites(FIRST.sites) && grow_nodes(FIRST.nodes)
}

/// Makes room for `room` sites.
fn grow_sites(room: usize) -> bool {
    TABLES.leaves.lengthen(room + 1)
        && TABLES.slots.grow(room * 2, |old, new| {
            for slot in old {
                let key = slot.key.load(Relaxed);
                // One that is gone may have a namesake, so the search ends at free slots only.
                let mut at = mix(key & !GONE) & (new.len() - 1);
                while new.get(at).is_some_and(|place| place.key.load(Relaxed) != 0) {
                    at = (at + 1) & (new.len() - 1);
                }
                if let Some(place) = new.get(at).filter(|_| key != 0) {
                    place.site.store(slot.site.load(Relaxed), Relaxed);
                    place.key.store(key, Relaxed);
                }
            }
        })
}

/// Makes room for `room` nodes.
fn grow_nodes(room: usize) -> bool {
    TABLES.nodes.lengthen(room + 1)
        && TABLES.index.grow(room * 2, |_, new| {
            let mask = new.len() - 1;
            for (number, node) in nodes().iter().enumerate() {
                let mut at = spread(node.address.load(Relaxed), node.parent.load(Relaxed)) & mask;
                while new.get(at).is_some_and(|place| place.load(Relaxed) != 0) {
                    at = (at + 1) & mask;
                }
                if let Some(place) = new.get(at) {
                    place.store(number as u32 + 1, Relaxed);
                }
            }
        })
}

/// How many sites there are; their numbers are 1 to that.
pub fn count() -> usize {
    TABLES.sites.load(Acquire)
}

/// The innermost node of a site.
pub fn leaf(site: usize) -> u32 {
    TABLES.leaves.all().get(site).map_or(0, |leaf| leaf.load(Relaxed))
}

/// The addresses of the words that hold where the leaves are, where the nodes are, and how many sites there are; then of the
/// byte that is the mode: for a reader from outside.
pub fn places() -> [usize; 4] {
    [
        TABLES.leaves.place(),
        TABLES.nodes.place(),
        ptr::from_ref(&TABLES.sites).addr(),
        ptr::from_ref(&super::MODE).addr(),
    ]
}

/// The nodes, from number 1.
pub fn nodes() -> &'static [Node] {
    let count = TABLES.node_count.load(Acquire);
    TABLES.nodes.all().get(1..count + 1).unwrap_or_default()
}

#[inline]
fn mix(key: u64) -> usize {
    let mixed = key.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ mixed >> 32) as usize
}

/// Where the search for a node begins.
#[inline]
fn spread(address: usize, parent: u32) -> usize {
    mix(address as u64 ^ u64::from(parent).rotate_right(20))
}

/// The number of the site with this key, put in with `frames` (return addresses, innermost first) when it is new. 0 when
/// there is no room. One or two loads from the table when it is known.
#[inline]
pub fn number(key: u64, frames: &[usize]) -> u32 {
    let key = key & !GONE | 1 << 62;
    match find(TABLES.slots.all(), key) {
        Ok(site) => site,
        Err(_) => add(key, frames),
    }
}

/// The site, or the free slot where the search ended.
#[inline]
fn find(slots: &[Slot], key: u64) -> Result<u32, usize> {
    let mask = slots.len().wrapping_sub(1);
    let mut at = mix(key) & mask;
    while let Some(slot) = slots.get(at) {
        let found = slot.key.load(Acquire);
        if found == key {
            return Ok(slot.site.load(Relaxed));
        }
        if found == 0 {
            break;
        }
        at = (at + 1) & mask;
    }
    Err(at)
}

#[cold]
#[inline(never)]
fn add(key: u64, frames: &[usize]) -> u32 {
    // Asked before the lock is taken: the linker's lock comes first.
    let mut numbers = [modules::NONE; super::FRAMES];
    for (number, frame) in numbers.iter_mut().zip(frames) {
        *number = modules::of(frame - 1);
    }
    let lost = || {
        LOST.fetch_add(1, Relaxed);
        0
    };
    let Some(_guard) = LOCK.take() else { return lost() };
    let reopened = modules::reopened();
    if REVIVED.swap(reopened, Relaxed) != reopened {
        hide_closed();
    }
    if let Ok(site) = find(TABLES.slots.all(), key) {
        return site;
    }
    let site = TABLES.sites.load(Relaxed) + 1;
    let room = TABLES.slots.all().len() / 2;
    if site > room && (room * 2 > TABLES.most_sites.load(Relaxed) || !grow_sites(room * 2)) {
        return lost();
    }
    let mut parent = 0;
    for (frame, module) in frames.iter().zip(&numbers).rev() {
        match node(parent, *frame, *module) {
            Some(number) => parent = number,
            None => return lost(),
        }
    }
    let slots = TABLES.slots.all();
    let Err(at) = find(slots, key) else { return lost() };
    let (Some(leaf), Some(slot)) = (TABLES.leaves.all().get(site), slots.get(at)) else { return lost() };
    leaf.store(parent, Relaxed);
    TABLES.sites.store(site, Release);
    slot.site.store(site as u32, Relaxed);
    slot.key.store(key, Release);
    site as u32
}

/// The node of a frame under `parent`, made if it is new. None without room. The caller holds the lock.
fn node(parent: u32, address: usize, module: u16) -> Option<u32> {
    let mut at = match find_node(parent, address, module) {
        Ok(number) => return Some(number),
        Err(at) => at,
    };
    let number = TABLES.node_count.load(Relaxed) + 1;
    let room = TABLES.index.all().len() / 2;
    if number > room {
        if room * 2 > TABLES.most_nodes.load(Relaxed) || !grow_nodes(room * 2) {
            return None;
        }
        at = find_node(parent, address, module).err()?;
    }
    let node = TABLES.nodes.all().get(number)?;
    node.address.store(address, Relaxed);
    node.parent.store(parent, Relaxed);
    node.module.store(module.into(), Relaxed);
    TABLES.index.all().get(at)?.store(number as u32, Relaxed);
    TABLES.node_count.store(number, Release);
    Some(number as u32)
}

/// The node, or the free place of the index where the search ended.
fn find_node(parent: u32, address: usize, module: u16) -> Result<u32, usize> {
    let (index, nodes) = (TABLES.index.all(), TABLES.nodes.all());
    let mask = index.len().wrapping_sub(1);
    let mut at = spread(address, parent) & mask;
    while let Some(place) = index.get(at) {
        let number = place.load(Relaxed);
        if number == 0 {
            break;
        }
        // The module is compared too: other code may have been loaded to the same address.
        if nodes.get(number as usize).is_some_and(|node| node.facts() == (address, parent, module)) {
            return Ok(number);
        }
        at = (at + 1) & mask;
    }
    Err(at)
}

/// Hides every site with a frame in a module that is closed, or in none: its addresses may soon be other code's.
pub fn forget_closed() {
    if let Some(_guard) = LOCK.take() {
        hide_closed();
    }
}

/// Hides such sites and shows those again whose modules are all open. The caller holds the lock.
fn hide_closed() {
    let modules = modules::known();
    let nodes = nodes();
    let is_closed = |number: u16| modules.get(usize::from(number)).is_none_or(|m| m.to != u32::MAX);
    for slot in TABLES.slots.all() {
        let key = slot.key.load(Relaxed);
        if key == 0 {
            continue;
        }
        let mut now = key & !GONE;
        let mut at = leaf(slot.site.load(Relaxed) as usize);
        while let Some(node) = nodes.get((at as usize).wrapping_sub(1)) {
            let (_, parent, module) = node.facts();
            if is_closed(module) {
                now |= GONE;
                break;
            }
            at = parent;
        }
        if now != key {
            slot.key.store(now, Release);
        }
    }
}

/// Before fork: no other thread is inside until [`fork_done`].
pub fn fork_prepare() {
    LOCK.park();
}

/// After fork, in parent and child.
///
/// # Safety
/// The calling thread called [`fork_prepare`] (or is its copy in the child).
pub unsafe fn fork_done(side: Side) {
    // SAFETY: passed on; the thread that holds the lock is this one.
    unsafe { LOCK.reset(side) };
}

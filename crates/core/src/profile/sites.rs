//! The sites: every distinct call site, or call stack, that was met, and its number.
//!
//! Found by its key (the return address, or a hash of all of them) in an open table that is read without a lock. A new
//! one is put in under the lock, its frames as nodes of a tree that stacks share. Bounded: when there is no room, calls go
//! without a site. A key whose code was unloaded is never found again. Owns the tables, which are never unmapped.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering::*};

use super::modules;
use crate::lock::Lock;
use crate::pool;

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
    slots: AtomicPtr<Slot>,
    /// By site, its innermost node.
    leaves: AtomicPtr<AtomicU32>,
    nodes: AtomicPtr<Node>,
    /// An open table of node numbers, used under the lock.
    index: AtomicPtr<AtomicU32>,
    room: AtomicUsize,
    node_room: AtomicUsize,
    sites: AtomicUsize,
    node_count: AtomicUsize,
}

static TABLES: Tables = Tables {
    slots: AtomicPtr::new(core::ptr::null_mut()),
    leaves: AtomicPtr::new(core::ptr::null_mut()),
    nodes: AtomicPtr::new(core::ptr::null_mut()),
    index: AtomicPtr::new(core::ptr::null_mut()),
    room: AtomicUsize::new(0),
    node_room: AtomicUsize::new(0),
    sites: AtomicUsize::new(0),
    node_count: AtomicUsize::new(0),
};
static LOCK: Lock<()> = Lock::new(());

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

/// Maps the tables. False when memory is short.
pub fn start(room: Room) -> bool {
    fn table<T>(count: usize) -> Option<NonNull<T>> {
        // Whole pages, so that the table is a mapping of its own: zero, and touched as it is used.
        pool::take_bytes((count * size_of::<T>()).max(64 << 10)).map(NonNull::cast)
    }
    let Some(slots) = table::<Slot>(room.sites * 2) else { return false };
    let Some(leaves) = table::<AtomicU32>(room.sites + 1) else { return false };
    let Some(nodes) = table::<Node>(room.nodes + 1) else { return false };
    let Some(index) = table::<AtomicU32>(room.nodes * 2) else { return false };
    TABLES.slots.store(slots.as_ptr(), Relaxed);
    TABLES.leaves.store(leaves.as_ptr(), Relaxed);
    TABLES.nodes.store(nodes.as_ptr(), Relaxed);
    TABLES.index.store(index.as_ptr(), Relaxed);
    TABLES.node_room.store(room.nodes, Relaxed);
    TABLES.room.store(room.sites, Release);
    true
}

/// A table's `count` entries; none before it is mapped.
fn table<T>(at: &AtomicPtr<T>, count: usize) -> &'static [T] {
    match NonNull::new(at.load(Acquire)) {
        // SAFETY: start mapped room for `count` entries, zero bytes are valid ones, and it is never unmapped.
        Some(at) => unsafe { core::slice::from_raw_parts(at.as_ptr(), count) },
        None => &[],
    }
}

/// How many sites there are; their numbers are 1 to that.
pub fn count() -> usize {
    TABLES.sites.load(Acquire)
}

/// The innermost node of a site.
pub fn leaf(site: usize) -> u32 {
    table(&TABLES.leaves, TABLES.room.load(Relaxed) + 1).get(site).map_or(0, |leaf| leaf.load(Relaxed))
}

/// The addresses of the words that hold where the leaves are, where the nodes are, and how many sites there are; then of the
/// byte that is the mode: for a reader from outside.
pub fn places() -> [usize; 4] {
    let tables = [ptr::from_ref(&TABLES.leaves).addr(), ptr::from_ref(&TABLES.nodes).addr()];
    [tables[0], tables[1], ptr::from_ref(&TABLES.sites).addr(), ptr::from_ref(&super::MODE).addr()]
}

/// The nodes, from number 1.
pub fn nodes() -> &'static [Node] {
    table(&TABLES.nodes, TABLES.node_count.load(Acquire) + 1).get(1..).unwrap_or_default()
}

#[inline]
fn mix(key: u64) -> usize {
    let mixed = key.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ mixed >> 32) as usize
}

/// The number of the site with this key, put in with `frames` (return addresses, innermost first) when it is new. 0 when
/// there is no room. One or two loads from the table when it is known.
#[inline]
pub fn number(key: u64, frames: &[usize]) -> u32 {
    let key = key & !GONE | 1 << 62;
    match find(key) {
        Ok(site) => site,
        Err(_) => add(key, frames),
    }
}

/// The site, or the free slot where the search ended.
#[inline]
fn find(key: u64) -> Result<u32, usize> {
    let slots = table(&TABLES.slots, TABLES.room.load(Relaxed) * 2);
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
    let Some(_guard) = LOCK.enter() else { return lost() };
    let reopened = modules::reopened();
    if REVIVED.swap(reopened, Relaxed) != reopened {
        hide_closed();
    }
    let at = match find(key) {
        Ok(site) => return site,
        Err(at) => at,
    };
    let site = TABLES.sites.load(Relaxed) + 1;
    let room = TABLES.room.load(Relaxed);
    if site > room {
        return lost();
    }
    let mut parent = 0;
    for (frame, module) in frames.iter().zip(&numbers).rev() {
        match node(parent, *frame, *module) {
            Some(number) => parent = number,
            None => return lost(),
        }
    }
    let leaves = table(&TABLES.leaves, room + 1);
    let slots = table(&TABLES.slots, room * 2);
    let (Some(leaf), Some(slot)) = (leaves.get(site), slots.get(at)) else { return lost() };
    leaf.store(parent, Relaxed);
    TABLES.sites.store(site, Release);
    slot.site.store(site as u32, Relaxed);
    slot.key.store(key, Release);
    site as u32
}

/// The node of a frame under `parent`, made if it is new. None without room. The caller holds the lock.
fn node(parent: u32, address: usize, module: u16) -> Option<u32> {
    let room = TABLES.node_room.load(Relaxed);
    let index = table(&TABLES.index, room * 2);
    let nodes = table(&TABLES.nodes, room + 1);
    let mask = index.len().wrapping_sub(1);
    let mut at = mix(address as u64 ^ u64::from(parent).rotate_right(20)) & mask;
    loop {
        let slot = index.get(at)?;
        let number = slot.load(Relaxed);
        if number == 0 {
            break;
        }
        // The module is compared too: other code may have been loaded to the same address.
        if nodes.get(number as usize)?.facts() == (address, parent, module) {
            return Some(number);
        }
        at = (at + 1) & mask;
    }
    let number = TABLES.node_count.load(Relaxed) + 1;
    if number > room {
        return None;
    }
    let node = nodes.get(number)?;
    node.address.store(address, Relaxed);
    node.parent.store(parent, Relaxed);
    node.module.store(module.into(), Relaxed);
    index.get(at)?.store(number as u32, Relaxed);
    TABLES.node_count.store(number, Release);
    Some(number as u32)
}

/// Hides every site with a frame in a module that is closed, or in none: its addresses may soon be other code's.
pub fn forget_closed() {
    if let Some(_guard) = LOCK.enter() {
        hide_closed();
    }
}

/// Hides such sites and shows those again whose modules are all open. The caller holds the lock.
fn hide_closed() {
    let modules = modules::known();
    let nodes = nodes();
    let is_closed = |number: u16| modules.get(usize::from(number)).is_none_or(|m| m.to != u32::MAX);
    for slot in table(&TABLES.slots, TABLES.room.load(Relaxed) * 2) {
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
pub unsafe fn fork_done() {
    // SAFETY: passed on; the thread that holds the lock is this one.
    unsafe { LOCK.reset() };
}

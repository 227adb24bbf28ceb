//! Remote frees: blocks that a thread frees and another thread's heap owns.
//!
//! Sent in packets, collected by the owner on its slow paths. What waits in a thread's half-full packets is
//! bounded: one packet an owner, [`crate::heap::OUTGOING`] owners. A heap without a thread is visited by whoever
//! posts to it, so its memory does not wait for a thread that may never come.

use core::sync::atomic::{Ordering::*, fence};

use crate::class::LIMIT;
use crate::heap::{Heap, OUTGOING, Outgoing, State, owner_of};
use crate::loans::CLOSED;
use crate::packet::{self, Packet};
use crate::stack::{MOVED, Stack, class_of};
use crate::whole::WHOLE;
use crate::{block, hard, mode, pagemap, secret};

/// Fewer blocks than this are not posted in a packet of their own.
const FEW: usize = packet::ROOM / 2;
/// Empty packets that a heap keeps.
const KEPT_PACKETS: usize = 32;
/// Spreads page numbers over the upper half of a word's low bits (Knuth's multiplicative hashing).
const SPREAD: usize = 0x9E37_79B9;

/// Sends `block` to the heap at address `owner`. O(1); one atomic operation a full packet.
#[inline]
pub fn send(from: &'static Heap, owner: usize, block: usize) {
    // Heaps follow each other in memory at some multiple of a page.
    let outgoing = &from.outgoing[(owner >> 12).wrapping_mul(SPREAD) >> 32 & (OUTGOING - 1)];
    match outgoing.packet.get() {
        Some(packet) if outgoing.owner.get() == owner => {
            if packet.add(block) {
                outgoing.packet.set(None);
                post(from, owner, Some(packet));
            }
        }
        _ => start(from, outgoing, owner, block),
    }
}

/// The first block for an owner: what waits in its place for another one goes out.
#[cold]
#[inline(never)]
fn start(from: &'static Heap, outgoing: &'static Outgoing, owner: usize, block: usize) {
    post(from, outgoing.owner.get(), outgoing.packet.take());
    outgoing.owner.set(owner);
    match new_packet(from) {
        Some(packet) => {
            packet.add(block);
            outgoing.packet.set(Some(packet));
        }
        None => stray(owner, block),
    }
}

/// Sends a block without a packet, where there is no memory for one: blocks are linked through their first words then.
/// A link is mixed with the secret and the block's address, so that writing to a freed block cannot choose it.
#[cold]
fn stray(owner: usize, block: usize) {
    // SAFETY: an owner in the page map is the address of a heap, and heaps are never unmapped.
    let Some(owner) = (unsafe { (owner as *const Heap).as_ref() }) else { return };
    if owner.state() == State::Lost || !hard::has_bytes(block) {
        return;
    }
    let mut head = owner.strays.load(Relaxed);
    loop {
        // SAFETY: a freed block of at least two words, on its way to its owner.
        unsafe { (block as *mut usize).write(head ^ block ^ secret::get()) };
        match owner.strays.compare_exchange_weak(head, block, Release, Relaxed) {
            Ok(_) => break,
            Err(now) => head = now,
        }
    }
    fence(SeqCst);
    if owner.state() == State::Abandoned {
        visit(owner);
    }
}

/// Whether `block` lies in one of the packets that `from` has not posted yet.
pub fn is_waiting(from: &Heap, block: usize) -> bool {
    from.outgoing
        .iter()
        .filter_map(|o| o.packet.get())
        .any(|packet| packet.blocks().iter().any(|b| b.get() == block))
}

/// Posts every packet that is not empty.
pub fn post_all(from: &'static Heap) {
    for outgoing in &from.outgoing {
        post(from, outgoing.owner.get(), outgoing.packet.take());
    }
}

#[inline(never)]
fn post(from: &'static Heap, owner: usize, packet: Option<&'static Packet>) {
    let Some(packet) = packet else { return };
    let owner = owner as *const Heap;
    // SAFETY: an owner in the page map is the address of a heap, and heaps are never unmapped.
    let Some(owner) = (unsafe { owner.as_ref() }) else { return };
    from.settle();
    if owner.state() == State::Lost {
        packet.clear();
        return keep_packet(from, packet);
    }
    deliver(owner, packet);
}

/// Posts a packet to a heap, and visits that if it has no thread.
fn deliver(owner: &'static Heap, packet: &'static Packet) {
    owner.inbox.post(packet);
    fence(SeqCst);
    if owner.state() == State::Abandoned {
        visit(owner);
    }
}

/// Empties the inbox of a heap without a thread, unless somebody has it.
pub fn visit(heap: &'static Heap) {
    let (free, mine) = (State::Abandoned as u8, State::Visited as u8);
    loop {
        // Whoever posts looks at the state afterwards, and here the inbox is looked at after the state was set: with a
        // fence between the two on both sides, one of them sees the other.
        fence(SeqCst);
        if !heap.is_owed() || heap.state.compare_exchange(free, mine, AcqRel, Relaxed).is_err() {
            return;
        }
        heap.tidy();
        heap.state.store(free, Release);
    }
}

/// Gives back what a heap without a thread keeps, unless somebody has it.
pub fn empty(heap: &'static Heap) {
    let (free, mine) = (State::Abandoned as u8, State::Visited as u8);
    if heap.state.compare_exchange(free, mine, AcqRel, Relaxed).is_ok() {
        heap.wake();
        heap.release();
        heap.state.store(free, Release);
        // Whoever posted meanwhile left it to us.
        visit(heap);
    }
}

/// An empty packet, one of the heap's own if it has any.
pub fn new_packet(heap: &'static Heap) -> Option<&'static Packet> {
    match heap.packets.get() {
        Some(packet) => {
            heap.packets.set(packet.next());
            heap.packet_count.set(heap.packet_count.get() - 1);
            Some(packet)
        }
        None => Packet::make(),
    }
}

/// Takes the blocks that others freed back into `heap`, onto its stacks where there is room.
#[inline(never)]
pub fn collect(heap: &'static Heap) {
    let mut at = heap.strays.swap(0, Acquire);
    while at != 0 {
        let word = at as *mut usize;
        // SAFETY: a block that was sent here, and is now only ours.
        let next = unsafe { word.read() } ^ at ^ secret::get();
        // SAFETY: as above. A hardened block on its way is all zero.
        unsafe { word.write(0) };
        take_back(heap, at);
        at = next;
    }
    heap.inbox.empty(|packet| {
        let class = packet.class();
        let stack = &heap.stacks[class % LIMIT];
        if class != 0 && !stack.is_bare() && stack.stow_whole(packet) {
            return;
        }
        for block in packet.blocks() {
            if class == 0 {
                take_back(heap, block.get());
            } else {
                put_on(heap, stack, class, block.get());
            }
        }
        packet.clear();
        keep_packet(heap, packet);
    });
}

/// Keeps an empty packet for later, or parts with it.
pub fn keep_packet(heap: &Heap, packet: &'static Packet) {
    if heap.packet_count.get() < KEPT_PACKETS {
        packet.link(heap.packets.get());
        heap.packets.set(Some(packet));
        heap.packet_count.set(heap.packet_count.get() + 1);
    } else {
        packet.end();
    }
}

#[inline]
fn take_back(heap: &'static Heap, block: usize) {
    if mode::is_hardened() {
        return hard::take_back(heap, block);
    }
    let Some(entry) = pagemap::entry(block) else { return };
    let key = entry.key.load(Relaxed);
    if let Some(stack) = heap.stack_of(key)
        && class_of(key) != CLOSED
    {
        block::fetch(block);
        return put_on(heap, stack, class_of(key), block);
    }
    heap.restore(block);
}

/// Puts a block on a stack of its class, making room if need be.
#[inline]
pub fn put_on(heap: &'static Heap, stack: &'static Stack, class: usize, block: usize) {
    if !stack.push(block) {
        make_room(heap, stack, class);
        stack.push(block);
    }
}

/// Makes room on a full stack: blocks of other heaps go on their way to those, or the oldest go behind the stack, or into
/// their slabs.
#[cold]
#[inline(never)]
fn make_room(heap: &'static Heap, stack: &'static Stack, class: usize) {
    if stack.is_bare() {
        return heap.furnish(class);
    }
    heap.credit_stack(class);
    if WHOLE.shared.load(Relaxed) {
        part(heap, stack, class);
        if stack.place().is_some() {
            return;
        }
    }
    match stack.takes_packet().then(|| new_packet(heap)).flatten() {
        Some(packet) => stack.stow(packet),
        None => {
            stack.overflowed.set(true);
            heap.flush(class, stack.len().min(MOVED));
        }
    }
}

/// Sends what other heaps own among the oldest blocks of a stack on its way to them: in a packet of their own where most
/// of them have one owner, who then needs not look at each of them.
fn part(heap: &'static Heap, stack: &'static Stack, class: usize) {
    let mut first = 0;
    let mut packet = None;
    stack.sift(MOVED, |block| {
        let key = pagemap::entry(block).map_or(0, |entry| entry.key.load(Relaxed));
        let owner = owner_of(key);
        if owner == heap.address() || owner == 0 {
            return true;
        }
        if first == 0 && class_of(key) == class {
            first = key;
            packet = new_packet(heap);
        }
        match packet {
            Some(packet) if key == first => drop(packet.add(block)),
            _ => send(heap, owner, block),
        }
        false
    });
    let Some(packet) = packet else { return };
    if packet.len() < FEW {
        packet.blocks().iter().for_each(|block| send(heap, owner_of(first), block.get()));
        packet.clear();
        return keep_packet(heap, packet);
    }
    packet.set_class(class);
    post(heap, owner_of(first), Some(packet));
}

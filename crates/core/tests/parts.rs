//! The parts of the malloc heap, each alone: pool, page map, engine, slab, stack, packet, and the hand-over of heaps.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mems_core::class::{CLASSES, COUNT};
use mems_core::engine::{self, Refused, Span};
use mems_core::os::{PAGE, faults};
use mems_core::packet::{self, Inbox, Packet};
use mems_core::slab::Slab;
use mems_core::stack::{self, Stack};
use mems_core::{block, pagemap, pool, posix, registry};

/// The engine is the process's: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `with` while the kernel refuses every call.
fn refused<T>(with: impl FnOnce() -> T) -> T {
    faults::LENGTH.store(u64::MAX, Relaxed);
    faults::COUNTDOWN.store(0, Relaxed);
    let got = with();
    faults::COUNTDOWN.store(u64::MAX, Relaxed);
    got
}

/// xorshift64: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

#[test]
fn the_pool_gives_objects_apart_and_uses_what_came_back() {
    let _alone = alone();
    let mut seen = BTreeMap::new();
    for size in (1..=8192).step_by(61).chain([64, 8192]) {
        let at = pool::take_bytes(size).expect("memory").as_ptr() as usize;
        assert!(at.is_multiple_of(64), "an object of {size} bytes stands in cache lines of its own");
        let before = seen.range(..at + size).next_back().map_or(0, |(start, len)| start + len);
        assert!(before <= at, "an object of {size} bytes lies in another");
        seen.insert(at, size);
    }
    let mapped = pool::MAPPED.load(Relaxed);
    for (size, rounded) in [(500, 512), (290, 320), (1, 64), (1025, 2048)] {
        let object = pool::take_bytes(size).expect("memory");
        // SAFETY: it was just taken with this size, and nothing refers to it.
        unsafe { pool::put(object, size) };
        assert_eq!(
            pool::take_bytes(rounded),
            Some(object),
            "{rounded} is the size that {size} is rounded to"
        );
    }
    assert_eq!(pool::MAPPED.load(Relaxed), mapped);
    assert!(pool::take_bytes(100_000).is_some_and(|at| (at.as_ptr() as usize).is_multiple_of(PAGE)));
    assert!(refused(|| pool::take_bytes(100_000)).is_none());
}

#[test]
fn runs_of_dirty_pages_are_those_of_a_plain_list() {
    const PAGES: usize = 5000;
    let _alone = alone();
    // Across two leaves of the map; nothing has to be mapped there.
    let base = (0x5eef_0000_0000 & !((8 << 20) - 1)) + (5 << 20) + 3 * PAGE;
    assert!(pagemap::cover(base, PAGES * PAGE));
    let mut plain = vec![false; PAGES];
    let mut random = Random(1);
    for step in 0..3000 {
        let start = random.below(PAGES);
        let len = (1 + random.below(200)).min(PAGES - start);
        let range = start..start + len;
        match random.below(3) {
            0 => {
                pagemap::mark_dirty(base + start * PAGE, len);
                plain[range].fill(true);
            }
            1 => {
                let count = plain[range.clone()].iter().filter(|dirty| **dirty).count();
                assert_eq!(pagemap::clear_dirty(base + start * PAGE, len), count, "step {step}");
                plain[range].fill(false);
            }
            _ => {
                let first = plain[range.clone()].iter().position(|dirty| *dirty);
                let run = first.map(|first| {
                    let rest = &plain[start + first..start + len];
                    (base + (start + first) * PAGE, rest.iter().take_while(|dirty| **dirty).count())
                });
                assert_eq!(pagemap::dirty_run(base + start * PAGE, len), run, "step {step}");
            }
        }
    }
    pagemap::clear_dirty(base, PAGES);
}

#[test]
fn an_address_far_from_all_of_ours_has_no_entry() {
    for address in [0, 1, PAGE, 0x1234_5678_9000, usize::MAX, usize::MAX - PAGE] {
        assert!(pagemap::entry(address).is_none_or(|entry| entry.key.load(Relaxed) == 0), "{address:#x}");
    }
}

/// Takes a span and writes its number on each page; zero pages must be zero.
fn taken(pages: usize, align: usize, number: usize) -> Span {
    let span = engine::take(pages, align, 0).expect("memory");
    assert_eq!(span.pages, pages);
    assert!((span.base / PAGE).is_multiple_of(align));
    for page in 0..pages {
        let at = (span.base + page * PAGE) as *mut usize;
        // SAFETY: a page of a span that was just given out.
        let before = unsafe { at.read() };
        assert!(!span.zero || before == 0, "a span that says it is zero is");
        // SAFETY: as above.
        unsafe { at.write(number) };
    }
    span
}

fn is_whole(span: &Span, number: usize) -> bool {
    // SAFETY: a page of a live span.
    (0..span.pages).all(|page| unsafe { ((span.base + page * PAGE) as *const usize).read() } == number)
}

#[test]
fn spans_never_overlap_and_all_goes_back() {
    let _alone = alone();
    engine::trim(0);
    let before = engine::MAPPED.load(Relaxed);
    let mut live: Vec<(Span, usize)> = Vec::new();
    let mut random = Random(2);
    for number in 1..4000 {
        if random.below(100) < 55 || live.is_empty() {
            let pages = 1 + random.below(if number % 50 == 0 { 700 } else { 20 });
            live.push((taken(pages, 1 << random.below(5), number), number));
        } else {
            let (mut span, number) = live.swap_remove(random.below(live.len()));
            assert!(is_whole(&span, number), "span {number} was written to");
            let wanted = 1 + random.below(2 * span.pages);
            if let Some(zero) = engine::resize(span.node, wanted) {
                let old = span.pages.min(wanted);
                span.pages = old;
                assert!(is_whole(&span, number), "resizing moves nothing");
                for page in old..wanted {
                    let at = (span.base + page * PAGE) as *mut usize;
                    // SAFETY: a page that the span has gained.
                    assert!(!zero || unsafe { at.read() } == 0);
                    // SAFETY: as above.
                    unsafe { at.write(number) };
                }
                span.pages = wanted;
            } else {
                assert!(wanted > span.pages, "a span can always be made smaller");
            }
            if random.below(4) == 0 {
                live.push((span, number));
            } else {
                assert!(engine::put(span.node, span.pages));
            }
        }
    }
    for (span, number) in live {
        assert!(is_whole(&span, number));
        assert!(engine::put(span.node, span.pages));
    }
    engine::trim(0);
    assert!(engine::MAPPED.load(Relaxed) <= before, "whatever was mapped for this went back");
}

#[test]
fn a_refused_span_changes_nothing() {
    let _alone = alone();
    engine::trim(0);
    let before = engine::MAPPED.load(Relaxed);
    assert_eq!(refused(|| engine::take(1 << 14, 1, 0)).err(), Some(Refused::Memory));
    assert_eq!(engine::MAPPED.load(Relaxed), before);
    let span = taken(1 << 14, 1, 1);
    let calls = mems_core::os::CALLS.mmap.load(Relaxed);
    assert!(engine::resize(span.node, 1 << 13).is_some(), "smaller needs no kernel");
    assert!(refused(|| engine::resize(span.node, 1 << 26)).is_none(), "larger needs a HOLE of that size");
    assert!(is_whole(&Span { pages: 1 << 13, ..span }, 1));
    assert!(mems_core::os::CALLS.mmap.load(Relaxed) <= calls + 1);
    assert!(engine::put(span.node, 1 << 13));
}

#[test]
fn room_behind_a_span_lets_it_grow_in_place() {
    let _alone = alone();
    let span = engine::take(20, 1, 100).expect("memory");
    assert!(engine::resize(span.node, 120).is_some(), "that many pages behind it are free");
    assert!(engine::put(span.node, 120));
}

#[test]
fn a_slab_gives_each_slot_once_marked_and_takes_it_back_once() {
    let _alone = alone();
    let secret = 0x005e_c2e7;
    let owner = 1 << 30;
    for (class, kind) in CLASSES.iter().enumerate().take(COUNT + 1).skip(1) {
        let pages = (kind.mask as usize + 1) / PAGE;
        let span = engine::take(pages, pages, 0).expect("memory");
        let slab = Slab::make(span, class, owner).expect("memory");
        let out: Vec<Cell<usize>> = (0..100).map(|_| Cell::new(0)).collect();
        let mut blocks = BTreeSet::new();
        loop {
            let count = slab.take(&out[..1 + blocks.len() % 100], secret);
            if count == 0 {
                break;
            }
            for place in &out[..count] {
                let at = place.get();
                assert!((span.base..span.base + pages * PAGE).contains(&at));
                assert!(block::is_marked(at, secret), "class {class}: a free block carries its mark");
                assert!(blocks.insert(at), "class {class}: {at:#x} was given out twice");
            }
        }
        assert_eq!(blocks.len(), kind.slots as usize, "class {class}: every slot is given out");
        for page in (span.base..span.base + pages * PAGE).step_by(PAGE) {
            assert_eq!(pagemap::unwatched_twin(page), Some(class * size_of::<Stack>()));
        }
        for &at in &blocks {
            let number = kind.slot_at(at).expect("the start of a slot");
            assert!(kind.slot_at(at + 1).is_none());
            assert!(!slab.is_free(number));
            assert!(slab.put(number));
            assert!(slab.is_free(number) && !slab.put(number), "a free slot is not taken back");
        }
        assert!(slab.is_empty());
        let (node, touched) = slab.end();
        assert!(pagemap::entry(span.base).is_none_or(|entry| entry.key.load(Relaxed) == 0));
        assert!(engine::put(node, touched));
    }
}

fn a_stack(class: usize) -> &'static Stack {
    let room: &'static [Cell<usize>] = (0..stack::ROOM).map(|_| Cell::new(0)).collect::<Vec<_>>().leak();
    // SAFETY: a stack is numbers and cells of pointers and None; zero is valid for all of them.
    let stack: &'static Stack = Box::leak(Box::new(unsafe { std::mem::zeroed() }));
    stack.open(class);
    stack.ask(class);
    stack.furnish(class, room);
    stack
}

#[test]
fn a_stack_without_room_takes_nothing_and_gives_nothing() {
    // SAFETY: as in a_stack.
    let stack: &'static Stack = Box::leak(Box::new(unsafe { std::mem::zeroed() }));
    stack.open(3);
    assert!(stack.is_bare() && stack.is_empty() && stack.gap().is_empty());
    assert!(stack.pop().is_none() && !stack.push(48));
    stack.ask(3);
    assert!(stack.pop().is_none() && !stack.push(48), "being asked for gives it no room");
}

#[test]
fn a_stack_that_nobody_asks_for_holds_16_kib() {
    let room: &'static [Cell<usize>] = (0..stack::ROOM).map(|_| Cell::new(0)).collect::<Vec<_>>().leak();
    for (class, kind) in CLASSES.iter().enumerate().take(COUNT + 1).skip(1) {
        // SAFETY: as in a_stack.
        let stack: &'static Stack = Box::leak(Box::new(unsafe { std::mem::zeroed() }));
        stack.open(class);
        stack.furnish(class, room);
        let (slot, before) = (kind.slot as usize, stack.depth());
        assert!(before * slot <= 16 << 10 || before <= 4, "class {class}: {before} blocks");
        stack.ask(class);
        assert!(stack.depth() >= before);
        assert_eq!(stack.depth(), kind.stack as usize, "class {class}");
    }
}

#[test]
fn a_stack_is_last_in_first_out_and_bounded() {
    let stack = a_stack(1);
    assert!(stack.pop().is_none());
    let mut count = 0;
    while stack.push((count + 1) * 16) {
        count += 1;
    }
    assert!(count > 0 && count <= stack::ROOM && stack.place().is_none());
    assert!(stack.holds(16) && !stack.holds(8));
    for i in (1..=count).rev() {
        assert_eq!(stack.pop(), Some(i * 16));
    }
    assert!(stack.is_empty() && stack.pop().is_none());
}

#[test]
fn what_is_stowed_behind_a_stack_comes_back() {
    let _alone = alone();
    let stack = a_stack(1);
    let mut pushed = BTreeSet::new();
    for i in 1.. {
        if !stack.push(i * 16) {
            if !stack.takes_packet() {
                break;
            }
            stack.stow(Packet::make().expect("memory"));
            assert!(stack.push(i * 16));
        }
        pushed.insert(i * 16);
    }
    assert!(pushed.len() > stack::ROOM, "more than the stack alone holds");
    assert_eq!(stack.held(), pushed.len());
    let mut popped = BTreeSet::new();
    loop {
        while let Some(block) = stack.pop() {
            assert!(popped.insert(block));
        }
        match stack.unstow() {
            Some(packet) => packet.end(),
            None => break,
        }
    }
    assert_eq!(popped, pushed);
}

#[test]
fn a_drained_stack_parts_with_its_oldest_blocks_in_order() {
    let stack = a_stack(1);
    (1..=10).for_each(|i| assert!(stack.push(i * 16)));
    let mut seen = Vec::new();
    stack.drain(4, |block| seen.push(block / 16));
    assert_eq!(seen, [1, 2, 3, 4]);
    assert_eq!(stack.blocks().iter().map(|b| b.get() / 16).collect::<Vec<_>>(), [5, 6, 7, 8, 9, 10]);
    stack.drain(100, |block| seen.push(block / 16));
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert!(stack.is_empty());
}

#[test]
fn every_block_posted_by_many_threads_arrives_once() {
    const THREADS: usize = 4;
    const BLOCKS: usize = 50_000;
    static INBOX: Inbox = Inbox::new();
    let _alone = alone();
    let senders: Vec<_> = (0..THREADS)
        .map(|thread| {
            std::thread::spawn(move || {
                let mut filling = Packet::make().expect("memory");
                for i in 0..BLOCKS {
                    if filling.add(thread * BLOCKS + i) {
                        INBOX.post(filling);
                        filling = Packet::make().expect("memory");
                    }
                }
                INBOX.post(filling);
            })
        })
        .collect();
    let mut seen = vec![false; THREADS * BLOCKS];
    let mut collect = || {
        INBOX.empty(|packet| {
            assert!(packet.blocks().len() <= packet::ROOM);
            for block in packet.blocks() {
                assert!(!std::mem::replace(&mut seen[block.get()], true), "a block came twice");
            }
            packet.end();
        })
    };
    while senders.iter().any(|sender| !sender.is_finished()) {
        collect();
    }
    senders.into_iter().for_each(|sender| sender.join().expect("the sender ends"));
    collect();
    assert!(INBOX.is_empty() && seen.iter().all(|seen| *seen));
}

#[test]
fn heaps_of_ended_threads_are_handed_on_with_all_that_is_in_them() {
    let _alone = alone();
    let live = || registry::heaps().map(|heap| heap.counters.level.live().1).sum::<i64>();
    let allocate = || {
        let blocks = (0..1000).map(|i| posix::malloc(1 + i % 500) as usize).collect::<Vec<_>>();
        // Half of them here, half of them from another thread when this one is gone.
        blocks.iter().step_by(2).for_each(|&block| posix::free(block as *mut u8));
        blocks.into_iter().skip(1).step_by(2).collect::<Vec<_>>()
    };
    let run = |times: usize| {
        for _ in 0..times {
            let left = std::thread::spawn(allocate).join().expect("the thread ends");
            left.into_iter().for_each(|block| posix::free(block as *mut u8));
        }
    };
    run(20);
    let (heaps, mapped, blocks) = (registry::heaps().count(), engine::MAPPED.load(Relaxed), live());
    run(500);
    assert_eq!(registry::heaps().count(), heaps, "a new thread takes an ended one's heap");
    assert_eq!(engine::MAPPED.load(Relaxed), mapped, "and its memory");
    assert_eq!(live(), blocks, "every block is counted once as allocated and once as freed");
}

//! Every interleaving, and every reordering that the memory model allows, of what threads do to each other's heaps.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::*};
use loom::thread;
use mems_verify::hand_over::{Heap, State, part, send, adopt};
use mems_verify::packet::{Inbox, Packet};

fn packet(blocks: &[usize]) -> &'static Packet {
    let packet = Packet::make().expect("there is memory");
    for &block in blocks {
        packet.add(block);
    }
    packet
}

fn heap(state: State) -> &'static Heap {
    Box::leak(Box::new(Heap::new(state)))
}

#[test]
fn every_posted_block_arrives_once_and_whole() {
    loom::model(|| {
        let inbox: &'static Inbox = Box::leak(Box::new(Inbox::new()));
        let posters: Vec<_> = [[1, 2], [3, 4]]
            .into_iter()
            .map(|blocks| thread::spawn(move || inbox.post(packet(&blocks))))
            .collect();
        let mut seen = Vec::new();
        let mut take = || {
            inbox.empty(|packet| {
                seen.extend(packet.blocks().iter().map(|block| block.get()));
                packet.end();
            });
        };
        take();
        posters.into_iter().for_each(|poster| poster.join().expect("no fault"));
        take();
        seen.sort_unstable();
        assert_eq!(seen, [1, 2, 3, 4]);
    });
}

#[test]
fn a_packet_posted_to_a_heap_whose_thread_ends_is_taken_back() {
    loom::model(|| {
        let heap = heap(State::Live);
        let poster = thread::spawn(move || send(heap, packet(&[1, 2])));
        part(heap);
        poster.join().expect("no fault");
        assert_eq!(heap.state(), State::Abandoned);
        assert!(heap.inbox.is_empty(), "nobody comes for what lies in the inbox");
        assert_eq!(heap.back.get(), 2);
    });
}

#[test]
fn two_that_post_to_a_heap_without_a_thread_leave_nothing_behind() {
    loom::model(|| {
        let heap = heap(State::Abandoned);
        let other = thread::spawn(move || send(heap, packet(&[1])));
        send(heap, packet(&[2, 3]));
        other.join().expect("no fault");
        assert_eq!(heap.state(), State::Abandoned);
        assert!(heap.inbox.is_empty(), "nobody comes for what lies in the inbox");
        assert_eq!(heap.back.get(), 3);
    });
}

#[test]
fn a_heap_is_never_its_new_threads_and_a_visitors_at_once() {
    loom::model(|| {
        let heap = heap(State::Abandoned);
        let visitor = thread::spawn(move || send(heap, packet(&[1, 2])));
        // The new owner touches what is the heap's own: the cell fails the model if a visitor still does.
        assert!(adopt(heap));
        heap.tidy();
        let before = heap.back.get();
        heap.back.set(before);
        visitor.join().expect("no fault");
        heap.tidy();
        assert_eq!(heap.back.get(), 2);
        assert_eq!(heap.state(), State::Live);
    });
}

/// The page map as pagemap.rs uses it: a leaf is published once by compare-and-swap, an entry's meta is stored before its
/// key, and whoever was given a block reads all of it without waiting.
struct Leaf {
    key: AtomicUsize,
    meta: AtomicUsize,
}

#[test]
fn who_was_given_a_block_finds_its_slab_in_the_page_map() {
    loom::model(|| {
        let top = Arc::new(AtomicPtr::<Leaf>::new(std::ptr::null_mut()));
        let block = Arc::new(AtomicUsize::new(0));
        let makers: Vec<_> = (0..2)
            .map(|number| {
                let (top, block) = (top.clone(), block.clone());
                thread::spawn(move || {
                    let fresh = Box::new(Leaf { key: AtomicUsize::new(0), meta: AtomicUsize::new(0) });
                    let raw: *mut Leaf = Box::leak(fresh);
                    let _ = top.compare_exchange(std::ptr::null_mut(), raw, AcqRel, Acquire);
                    if number == 0 {
                        // SAFETY: a leaf that is published is never given back.
                        let leaf = unsafe { &*top.load(Acquire) };
                        leaf.meta.store(7, Relaxed);
                        leaf.key.store(9, Release);
                        block.store(1, Release);
                    }
                })
            })
            .collect();
        if block.load(Acquire) == 1 {
            let leaf = top.load(Relaxed);
            assert!(!leaf.is_null());
            // SAFETY: as above.
            let leaf = unsafe { &*leaf };
            assert_eq!((leaf.key.load(Relaxed), leaf.meta.load(Relaxed)), (9, 7));
        }
        makers.into_iter().for_each(|maker| maker.join().expect("no fault"));
    });
}

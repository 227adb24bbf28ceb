//! The malloc family against a shadow: random calls in several threads that hand their blocks to each other; every block
//! keeps its bytes, overlaps no other one, lies at its alignment, and the snapshot counts what the shadow counted.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use mems_core::count::{Function, Snapshot};
use mems_core::{os, posix, snapshot};

/// A block as the shadow knows it.
#[derive(Clone, Copy)]
struct Block {
    at: usize,
    size: usize,
    fill: u8,
}

/// Addresses of all live blocks of all threads with their sizes.
static LIVE: Mutex<BTreeMap<usize, usize>> = Mutex::new(BTreeMap::new());

/// What the threads did.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
struct Done {
    malloc: u64,
    calloc: u64,
    realloc: u64,
    memalign: u64,
    new: u64,
    free: u64,
    delete: u64,
    asked: u64,
    blocks: u64,
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn size(&mut self) -> usize {
        match self.below(100) {
            0..5 => 0,
            5..80 => self.below(600),
            80..95 => self.below(9_000),
            95..99 => self.below(70_000),
            _ => self.below(3_000_000),
        }
    }
}

struct Thread {
    random: Random,
    mine: Vec<(Block, bool)>,
    done: Done,
}

impl Thread {
    fn add(&mut self, at: *mut u8, size: usize, align: usize, new: bool) {
        assert!(!at.is_null(), "no memory for {size} bytes");
        assert_eq!(os::errno(), 0, "errno is kept");
        let fill = self.random.next() as u8;
        let block = Block { at: at as usize, size, fill };
        assert!(block.at.is_multiple_of(align.max(16)), "{:#x} is no multiple of {align}", block.at);
        assert!(posix::usable_size(at, 0) >= size);
        let mut live = LIVE.lock().expect("no thread has failed");
        let end = block.at + size.max(1);
        if let Some((&before, &len)) = live.range(..end).next_back() {
            assert!(before + len.max(1) <= block.at, "{:#x} overlaps the block at {before:#x}", block.at);
        }
        live.insert(block.at, size);
        drop(live);
        // SAFETY: a live block, size bytes long.
        unsafe { at.write_bytes(fill, size) };
        self.mine.push((block, new));
        self.done.asked += size as u64;
        self.done.blocks += 1;
    }

    fn pick(&mut self) -> Option<(Block, bool)> {
        let count = self.mine.len();
        (count > 0).then(|| self.random.below(count)).map(|i| self.mine.swap_remove(i))
    }

    fn check(block: Block) {
        // SAFETY: a live block of this size.
        let bytes = unsafe { std::slice::from_raw_parts(block.at as *const u8, block.size) };
        assert!(bytes.iter().all(|&byte| byte == block.fill), "the block at {:#x} was written to", block.at);
    }

    fn forget(block: Block) {
        Thread::check(block);
        let removed = LIVE.lock().expect("no thread has failed").remove(&block.at);
        assert_eq!(removed, Some(block.size));
    }

    fn allocate(&mut self) {
        let size = self.random.size();
        os::set_errno(0);
        match self.random.below(10) {
            0 => {
                let at = posix::calloc(size, 1);
                // SAFETY: a live block of this size.
                let bytes = unsafe { std::slice::from_raw_parts(at, size) };
                assert!(bytes.iter().all(|&byte| byte == 0), "calloc gives zeros");
                self.done.calloc += 1;
                self.add(at, size, 16, false);
            }
            1 => {
                let align = 1 << self.random.below(15);
                self.done.memalign += 1;
                self.add(posix::aligned(Function::Memalign, align, size), size, align, false);
            }
            2 | 3 => {
                self.done.new += 1;
                let block = posix::new_fast(size).unwrap_or_else(|| posix::new_slow(size, 0, 0, 0));
                self.add(block, size, 16, true);
            }
            _ => {
                self.done.malloc += 1;
                self.add(posix::malloc(size), size, 16, false);
            }
        }
    }

    fn resize(&mut self) {
        let Some((block, new)) = self.pick() else { return };
        if new {
            return self.mine.push((block, new));
        }
        let size = self.random.size().max(1);
        Thread::forget(block);
        os::set_errno(0);
        let at = posix::realloc(block.at as *mut u8, size);
        assert!(!at.is_null());
        // SAFETY: a live block of at least this size.
        let kept = unsafe { std::slice::from_raw_parts(at, size.min(block.size)) };
        assert!(kept.iter().all(|&byte| byte == block.fill), "realloc keeps the bytes");
        self.done.realloc += 1;
        self.add(at, size, 16, false);
    }

    fn free(&mut self, (block, new): (Block, bool)) {
        Thread::forget(block);
        os::set_errno(0);
        if new {
            posix::delete(block.at as *mut u8);
            self.done.delete += 1;
        } else {
            posix::free(block.at as *mut u8);
            self.done.free += 1;
        }
        assert_eq!(os::errno(), 0, "free keeps errno");
    }

    fn run(&mut self, turns: usize, give: &Sender<(Block, bool)>, get: &Receiver<(Block, bool)>) {
        for _ in 0..turns {
            match self.random.below(10) {
                0..4 => self.allocate(),
                4 => self.resize(),
                5 | 6 => {
                    if let Some(block) = self.pick() {
                        // A thread that has ended takes nothing more.
                        if let Err(back) = give.send(block) {
                            self.mine.push(back.0);
                        }
                    }
                }
                _ => {
                    if let Some(block) = self.pick() {
                        self.free(block);
                    }
                    while let Ok(block) = get.try_recv() {
                        self.free(block);
                    }
                }
            }
            if self.mine.len() > 2_000 {
                while let Some(block) = self.pick() {
                    self.free(block);
                }
            }
        }
        while let Some(block) = self.pick() {
            self.free(block);
        }
    }
}

fn counted() -> (Done, u64, u64) {
    let mut now = Snapshot::EMPTY;
    snapshot::take(&mut now);
    let of = |function: Function| now.calls[function as usize];
    let done = Done {
        malloc: of(Function::Malloc),
        calloc: of(Function::Calloc),
        realloc: of(Function::Realloc),
        memalign: of(Function::Memalign),
        new: of(Function::New),
        free: of(Function::Free),
        delete: of(Function::Delete),
        asked: now.asked.iter().sum(),
        blocks: now.blocks_asked,
    };
    (done, now.blocks_live, now.live_usable)
}

/// The test: `rounds` rounds of three threads each.
pub fn follows_the_shadow(rounds: u64, turns: usize) {
    let mut all = Done::default();
    for round in 0..rounds {
        let (give, get): (Vec<_>, Vec<_>) = (0..3).map(|_| channel()).unzip();
        let mut rest = Vec::new();
        std::thread::scope(|scope| {
            let mut threads = Vec::new();
            for (number, get) in get.into_iter().enumerate() {
                let give = give[(number + 1) % 3].clone();
                threads.push(scope.spawn(move || {
                    let random = Random(round * 3 + number as u64 + 1);
                    let mut thread = Thread { random, mine: Vec::new(), done: Done::default() };
                    thread.run(turns, &give, &get);
                    drop(give);
                    (thread, get)
                }));
            }
            drop(give);
            rest.extend(
                threads.into_iter().map(|thread| thread.join().expect("the thread saw nothing wrong")),
            );
        });
        // What was sent to a thread that had ended is freed here.
        for (mut thread, get) in rest {
            while let Ok(block) = get.try_recv() {
                thread.free(block);
            }
            let done = thread.done;
            all = Done {
                malloc: all.malloc + done.malloc,
                calloc: all.calloc + done.calloc,
                realloc: all.realloc + done.realloc,
                memalign: all.memalign + done.memalign,
                new: all.new + done.new,
                free: all.free + done.free,
                delete: all.delete + done.delete,
                asked: all.asked + done.asked,
                blocks: all.blocks + done.blocks,
            };
        }
        assert!(LIVE.lock().expect("no thread has failed").is_empty());
        let (seen, live, bytes) = counted();
        assert_eq!(seen, all, "the snapshot counts every call, block and byte");
        assert_eq!((live, bytes), (0, 0), "nothing is live");
    }
    assert!(all.malloc > 0 && all.calloc > 0 && all.realloc > 0 && all.memalign > 0 && all.new > 0);
}

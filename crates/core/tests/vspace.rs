//! The mems_* address space against a shadow: a plain list that is scanned from the front. Every placement, every
//! counter, and the bytes behind the addresses agree after every step.

use std::sync::Mutex;

use mems_core::os::faults;
use mems_core::vspace;

/// There is one address space a process: the tests take turns.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> std::sync::MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(|e| e.into_inner())
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Part {
    start: u64,
    size: u64,
    process: bool,
}

struct Shadow {
    page: u64,
    end: u64,
    regions: Vec<Vec<Part>>,
}

impl Shadow {
    fn take(&mut self, size: u64) -> u64 {
        for parts in &mut self.regions {
            if let Some(i) = parts.iter().position(|p| !p.process && p.size >= size) {
                let hole = parts[i];
                parts[i] = Part { start: hole.start, size, process: true };
                if hole.size > size {
                    let rest = Part { start: hole.start + size, size: hole.size - size, process: false };
                    parts.insert(i + 1, rest);
                }
                return hole.start;
            }
        }
        let len = size.next_multiple_of(self.page);
        self.regions.push(vec![Part { start: self.end, size: len, process: false }]);
        self.end += len;
        self.take(size)
    }

    fn put(&mut self, start: u64) {
        for parts in &mut self.regions {
            let Some(mut i) = parts.iter().position(|p| p.start == start) else { continue };
            parts[i].process = false;
            if i + 1 < parts.len() && !parts[i + 1].process {
                parts[i].size += parts.remove(i + 1).size;
            }
            if i > 0 && !parts[i - 1].process {
                i -= 1;
                parts[i].size += parts.remove(i + 1).size;
            }
        }
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.regions.iter().flatten()
    }

    fn check_counters(&self) {
        let row = vspace::snapshot();
        let holes: Vec<_> = self.parts().filter(|p| !p.process).collect();
        assert_eq!(row.regions, self.regions.len() as u64);
        assert_eq!(row.process, self.parts().filter(|p| p.process).count() as u64);
        assert_eq!(row.hole, holes.len() as u64);
        assert_eq!(row.unused, holes.iter().map(|p| p.size).sum::<u64>());
        assert_eq!(row.pages * row.page_size, self.parts().map(|p| p.size).sum::<u64>());
    }

    /// Every byte at and around every border: PROCESS bytes translate in one piece, HOLE bytes not at all.
    fn check_addresses(&self) {
        for p in self.parts() {
            let base = vspace::get(p.start);
            for offset in [0, 1, p.size / 2, p.size.saturating_sub(2), p.size - 1] {
                let at = if offset < p.size { vspace::get(p.start + offset) } else { continue };
                if p.process {
                    assert_eq!(at as usize, base as usize + offset as usize, "{p:?} + {offset}");
                    assert!(!at.is_null(), "{p:?} + {offset}");
                } else {
                    assert!(at.is_null(), "{p:?} + {offset}");
                }
            }
        }
        assert!(vspace::get(self.end).is_null());
    }
}

fn fill(start: u64, size: u64) {
    let at = vspace::get(start);
    for i in [0, size / 2, size - 1] {
        // SAFETY: the segment is live and `size` bytes long.
        unsafe { at.wrapping_add(i as usize).write(mark(start, i)) };
    }
}

fn verify(start: u64, size: u64) {
    let at = vspace::get(start);
    for i in [0, size / 2, size - 1] {
        // SAFETY: as in fill.
        let now = unsafe { at.wrapping_add(i as usize).read() };
        assert_eq!(now, mark(start, i), "a byte of {start} was overwritten");
    }
}

fn mark(start: u64, i: u64) -> u8 {
    ((start ^ i).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8
}

fn run(seed: u64, page: u64, start: u64, steps: u32, size: impl Fn(&mut Random) -> u64) {
    let mut random = Random(seed | 1);
    let mut shadow = Shadow { page, end: start, regions: Vec::new() };
    let mut live: Vec<(u64, u64)> = Vec::new();
    vspace::init_with(page, start);
    let mut want = 50;
    for step in 0..steps {
        if step % 100 == 0 {
            want = random.below(300) as usize;
        }
        if live.is_empty() || random.below(100) < if live.len() < want { 70 } else { 30 } {
            let size = size(&mut random);
            let Some(at) = vspace::malloc(size as usize) else {
                // The kernel may refuse what is larger than its memory; nothing else.
                assert!(size > 1 << 30, "step {step}: {size} bytes");
                shadow.check_counters();
                continue;
            };
            assert_eq!(at, shadow.take(size), "step {step}: {size} bytes");
            fill(at, size);
            live.push((at, size));
        } else {
            let i = random.below(live.len() as u64) as usize;
            let (at, size) = live.swap_remove(i);
            verify(at, size);
            vspace::free(at);
            shadow.put(at);
        }
        shadow.check_counters();
        if step % 16 == 0 {
            shadow.check_addresses();
        }
        if random.below(8) == 0 && !live.is_empty() {
            // Wrong addresses change nothing.
            let (at, size) = live[random.below(live.len() as u64) as usize];
            if size > 1 {
                vspace::free(at + 1 + random.below(size - 1));
            }
            vspace::free(shadow.end + random.below(100_000));
            if let Some(hole) = shadow.parts().find(|p| !p.process) {
                vspace::free(hole.start);
            }
            shadow.check_counters();
        }
    }
    for (at, size) in live.drain(..) {
        verify(at, size);
        vspace::free(at);
        shadow.put(at);
        shadow.check_counters();
    }
    shadow.check_addresses();
    assert!(vspace::audit());
    vspace::finish();
    assert_eq!(vspace::mapped::bytes(), 0);
}

#[test]
fn small_segments_are_placed_as_a_linear_scan_would() {
    let _turn = turn();
    for seed in 1..12 {
        run(seed * 7919, 4096, 1000, 1500, |r| 1 + r.below(100));
    }
}

#[test]
fn single_bytes_are_placed_as_a_linear_scan_would() {
    let _turn = turn();
    run(5, 1024, 0, 3000, |r| 1 + r.below(4));
}

#[test]
fn all_page_sizes_and_starts_serve_mixed_sizes() {
    let _turn = turn();
    for k in 10..=20 {
        let start = [0, 1000, 8192, u32::MAX as u64 + 17][k % 4];
        run(k as u64, 1 << k, start, 1200, |r| match r.below(10) {
            0 => 1 + r.below(300_000),
            1..=3 => 1 + r.below(6000),
            _ => 1 + r.below(200),
        });
    }
}

#[test]
fn large_segments_are_placed_as_a_linear_scan_would() {
    let _turn = turn();
    for seed in 1..5 {
        run(seed * 104_729, 4096, 4096, 500, |r| match r.below(6) {
            0 => 1 + r.below(80 << 20),
            1 => (1 << 24) * (1 + r.below(3)),
            2 => (1 << 16) * (1 + r.below(20)),
            3 => 1 + r.below(1 << 20),
            _ => 1 + r.below(5000),
        });
    }
}

#[test]
fn huge_segments_cost_little_bookkeeping() {
    let _turn = turn();
    run(3, 4096, 1000, 60, |r| match r.below(4) {
        0 => (1 << 32) + r.below(1 << 34),
        1 => (3 << 30) + r.below(1 << 30),
        2 => 1 + r.below(1 << 31),
        _ => 1 + r.below(10_000),
    });
    vspace::init_with(4096, 0);
    for _ in 0..16 {
        assert!(vspace::malloc(1 << 30).is_some());
    }
    assert!(vspace::mapped::bookkeeping_bytes() < 1 << 20);
    vspace::finish();
}

#[test]
fn a_refused_mapping_changes_nothing() {
    let _turn = turn();
    for nth in 0..60 {
        vspace::init_with(4096, 1000);
        let mut shadow = Shadow { page: 4096, end: 1000, regions: Vec::new() };
        let mut live = Vec::new();
        faults::COUNTDOWN.store(nth, std::sync::atomic::Ordering::Relaxed);
        for i in 0..6000u64 {
            let size = 1 + i * 37 % 5000;
            match vspace::malloc(size as usize) {
                Some(at) => {
                    assert_eq!(at, shadow.take(size));
                    live.push(at);
                }
                None => shadow.check_counters(),
            }
            if i % 3 == 0 && live.len() > 2 {
                let at = live.swap_remove((i * 7) as usize % live.len());
                vspace::free(at);
                shadow.put(at);
                shadow.check_counters();
            }
        }
        faults::COUNTDOWN.store(u64::MAX, std::sync::atomic::Ordering::Relaxed);
        shadow.check_counters();
        shadow.check_addresses();
        assert!(vspace::audit());
        vspace::finish();
        assert_eq!(vspace::mapped::bytes(), 0);
    }
}

/// Four threads take and free segments of up to `largest` bytes, `most` each at a time, read every byte's address of one
/// after each step, and now and then free all they have.
fn readers(most: u64, largest: u64, page: u64) {
    let _turn = turn();
    vspace::init_with(page, 1000);
    std::thread::scope(|scope| {
        for t in 0..4u64 {
            scope.spawn(move || {
                let mut random = Random(t + 99);
                let mut live: Vec<(u64, u64, usize)> = Vec::new();
                for step in 0..20_000 {
                    if step % 2_000 == 1_999 {
                        for (at, size, _) in live.drain(..) {
                            verify(at, size);
                            vspace::free(at);
                        }
                    }
                    if (live.len() as u64) < most {
                        let size = 1 + random.below(largest);
                        let at = vspace::malloc(size as usize).unwrap();
                        live.push((at, size, vspace::get(at) as usize));
                        fill(at, size);
                    } else {
                        let (at, size, _) = live.swap_remove(random.below(most) as usize);
                        verify(at, size);
                        vspace::free(at);
                    }
                    if !live.is_empty() {
                        let (at, size, physical) = live[random.below(live.len() as u64) as usize];
                        for offset in [0, random.below(size), size - 1] {
                            assert_eq!(vspace::get(at + offset) as usize, physical + offset as usize);
                        }
                    }
                }
                for (at, size, _) in live {
                    verify(at, size);
                    vspace::free(at);
                }
            });
        }
    });
    let row = vspace::snapshot();
    assert_eq!((row.process, row.hole), (0, row.regions));
    assert!(vspace::audit());
    vspace::finish();
    assert_eq!(vspace::mapped::bytes(), 0);
}

#[test]
fn readers_see_their_own_segments_while_others_come_and_go() {
    readers(40, 120, 4096);
    readers(40, 5_000, 8192);
}

/// Many starts close together come and go here, so words turn into bits and sheets into blocks, and back.
#[test]
fn readers_see_their_own_segments_while_their_words_change_form() {
    readers(700, 4, 4096);
    readers(700, 30, 1024);
}

#[test]
fn finish_waits_for_readers() {
    let _turn = turn();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut random = Random(4);
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    // Live or not, found or not: it must only come back.
                    vspace::get(1000 + random.below(200_000));
                }
            });
        }
        for _ in 0..300 {
            vspace::init_with(4096, 1000);
            for i in 0..200 {
                vspace::malloc(1 + i * 7);
            }
            vspace::finish();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(vspace::mapped::bytes(), 0);
}

//! The model of the malloc family: the blocks that are live, what fills each, and which kind of call gave it.

use super::api::Api;

/// Live blocks at the most.
pub const PLACES: usize = 48;

/// A live block.
#[derive(Clone, Copy)]
pub struct Block {
    pub at: usize,
    /// Bytes asked.
    pub size: usize,
    /// Bytes that may be used and are filled.
    usable: usize,
    fill: u8,
    /// Whether operator new gave it.
    pub new: bool,
}

/// The blocks of one driver.
#[derive(Clone)]
pub struct Blocks {
    places: [Option<Block>; PLACES],
    next_fill: u8,
}

fn bytes<'a>(at: usize, len: usize) -> &'a [u8] {
    // SAFETY: callers name bytes of a live block, and nobody writes to them meanwhile.
    unsafe { std::slice::from_raw_parts(at as *const u8, len) }
}

/// Where a block of `len` bytes is looked at: everywhere, or in many places where it is long.
fn looked_at(len: usize) -> impl Iterator<Item = usize> {
    let step = if len <= 8192 { 1 } else { len / 509 };
    (0..len).step_by(step).chain(len.saturating_sub(64)..len)
}

impl Blocks {
    pub fn new(first_fill: u8) -> Self {
        Blocks { places: [None; PLACES], next_fill: first_fill }
    }

    pub fn get(&self, place: usize) -> Option<Block> {
        self.places[place % PLACES]
    }

    /// Notes a new block in a place, after looking that it is one; fills it.
    pub fn add(&mut self, api: &Api, place: usize, at: usize, size: usize, align: usize, new: bool) {
        assert!(at.is_multiple_of(align.max(16)), "{at:#x} is no multiple of {align}");
        let usable = api.usable_size(at);
        assert!(usable >= size, "{usable} of {size} bytes are usable at {at:#x}");
        let end = at + usable.max(1);
        for other in self.places.iter().flatten() {
            assert!(
                end <= other.at || other.at + other.usable.max(1) <= at,
                "{at:#x} + {usable} lies in the block at {:#x} + {}",
                other.at,
                other.usable
            );
        }
        self.next_fill = self.next_fill.wrapping_add(37);
        let block = Block { at, size, usable, fill: self.next_fill, new };
        for offset in looked_at(usable) {
            let byte = (at + offset) as *mut u8;
            // SAFETY: within the usable bytes of a block that was just given out.
            unsafe { byte.write(block.fill) };
        }
        self.places[place % PLACES] = Some(block);
    }

    /// Every byte of the first `len` that was filled is what it was.
    pub fn check_front(&self, place: usize, at: usize, len: usize) {
        let Some(block) = self.get(place) else { return };
        let now = bytes(at, len.min(block.usable));
        for offset in looked_at(block.usable).filter(|offset| *offset < now.len()) {
            assert_eq!(now[offset], block.fill, "byte {offset} of the block at {at:#x}, {} long", block.size);
        }
    }

    pub fn check(&self, place: usize) {
        if let Some(block) = self.get(place) {
            self.check_front(place, block.at, block.usable);
        }
    }

    /// calloc's bytes.
    pub fn check_zero(at: usize, len: usize) {
        let now = bytes(at, len);
        assert!(looked_at(len).all(|offset| now[offset] == 0), "calloc gives zeros at {at:#x}");
    }

    /// Takes a block out of the model, looked at.
    pub fn remove(&mut self, place: usize) -> Option<Block> {
        self.check(place);
        self.places[place % PLACES].take()
    }

    /// Takes a block out of the model: it is gone already.
    pub fn forget(&mut self, place: usize) {
        self.places[place % PLACES] = None;
    }

    pub fn check_all(&self) {
        (0..PLACES).for_each(|place| self.check(place));
    }

    /// Frees all of them.
    pub fn end(&mut self, api: &Api) {
        for place in 0..PLACES {
            if let Some(block) = self.remove(place) {
                if block.new { api.delete(block.at) } else { api.free(block.at) }
            }
        }
    }
}

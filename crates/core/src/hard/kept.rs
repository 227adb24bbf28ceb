//! Freed large blocks of up to 256 KiB, whose pages stay: zero, between their guard pages, looked at before they serve again.
//!
//! For them the kernel would have to be asked twice, and every page touched anew, for each block. Only the heap's thread
//! touches a row of them. One serves again only after some others were freed, and which of those that fit is random.

use core::cell::Cell;

use crate::hard::large::Large;
use crate::hard::vault::Vault;

/// The largest block that is kept, in bytes of its pages.
pub const LARGEST: usize = 256 << 10;
/// Most blocks that are kept.
const PLACES: usize = 64;
/// Bytes that are kept: at first, and at most. Twice as many each time that the lack of a block was regretted so often.
const FIRST_BYTES: usize = 256 << 10;
const BYTES: usize = 8 << 20;
const REGRETS: usize = 16;
/// So many large blocks are freed before one serves again.
const REST: usize = 4;

/// See the module. All zero bytes are an empty row.
pub struct Kept {
    places: [Cell<Option<&'static Large>>; PLACES],
    /// When the block in each place was freed, by `clock`.
    since: [Cell<usize>; PLACES],
    bytes: Cell<usize>,
    /// [`FIRST_BYTES`] << this may be kept.
    growth: Cell<usize>,
    /// Blocks that were wanted in vain since one had to go.
    regrets: Cell<usize>,
    /// How many were put here, ever.
    clock: Cell<usize>,
}

impl Kept {
    /// A block with room for `room` bytes and not much more that has rested, taken out. O(places).
    pub fn take(&self, room: usize, vault: &Vault) -> Option<&'static Large> {
        let start = vault.random.below(PLACES);
        for i in 0..PLACES {
            let i = (start + i) % PLACES;
            if let Some(large) = self.places[i].get()
                && (room..=room + room / 8).contains(&large.room())
                && self.clock.get() - self.since[i].get() >= REST
            {
                return self.take_out(i);
            }
        }
        if self.regrets.get() > 0 {
            self.regrets.set(self.regrets.get() + 1);
            if self.regrets.get() > REGRETS && FIRST_BYTES << self.growth.get() < BYTES {
                self.growth.set(self.growth.get() + 1);
                self.regrets.set(0);
            }
        }
        None
    }

    fn take_out(&self, i: usize) -> Option<&'static Large> {
        let large = self.places[i].take()?;
        self.bytes.set(self.bytes.get() - large.room());
        Some(large)
    }

    /// Keeps a freed block, all zero. Those that have to make room lose their pages.
    pub fn put(&self, large: &'static Large, vault: &'static Vault) {
        while self.bytes.get() > 0 && self.bytes.get() + large.room() > FIRST_BYTES << self.growth.get() {
            self.regrets.set(self.regrets.get().max(1));
            self.part(vault.random.below(PLACES), vault);
        }
        let mut i = vault.random.below(PLACES);
        if let Some(free) = (0..PLACES).map(|k| (i + k) % PLACES).find(|k| self.places[*k].get().is_none()) {
            i = free;
        }
        self.part(i, vault);
        self.places[i].set(Some(large));
        self.bytes.set(self.bytes.get() + large.room());
        self.clock.set(self.clock.get() + 1);
        self.since[i].set(self.clock.get());
    }

    fn part(&self, i: usize, vault: &'static Vault) {
        if let Some(large) = self.take_out(i) {
            large.decommit();
            vault.graves.put(large, vault);
        }
    }

    /// Parts with all of them.
    pub fn release(&self) {
        for i in 0..PLACES {
            if let Some(large) = self.take_out(i) {
                large.decommit();
                large.give_up();
            }
        }
    }
}

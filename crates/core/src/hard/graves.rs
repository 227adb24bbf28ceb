//! Freed large blocks whose pages are gone and whose addresses wait: nobody can read or write there, and no new block stands
//! there soon.
//!
//! Only the heap's thread touches them. A random one goes when there are too many; its addresses serve another large block,
//! or go back to the kernel. Where the kernel refuses to take them they are kept, and serve again.

use core::cell::Cell;

use crate::hard::large::Large;
use crate::hard::vault::Vault;

/// Most freed blocks that wait, and most address space that they may hold; one waits in any case.
const PLACES: usize = 64;
const BYTES: usize = 64 << 20;
/// Most address space that is kept for other blocks.
const RESTING: usize = 32 << 20;

/// See the module. All zero bytes are no graves.
pub struct Graves {
    places: [Cell<Option<&'static Large>>; PLACES],
    bytes: Cell<usize>,
    /// Those that have waited, linked.
    rested: Cell<Option<&'static Large>>,
    rested_bytes: Cell<usize>,
}

impl Graves {
    /// Makes the addresses of a freed block wait.
    pub fn put(&self, large: &'static Large, vault: &Vault) {
        let bytes = large.span();
        while self.bytes.get() > 0 && self.bytes.get() + bytes > BYTES {
            self.open(vault.random.below(PLACES));
        }
        let start = vault.random.below(PLACES);
        let mut places = (0..PLACES).map(|i| (start + i) % PLACES);
        let i = places.find(|i| self.places[*i].get().is_none()).unwrap_or(start);
        self.open(i);
        self.places[i].set(Some(large));
        self.bytes.set(self.bytes.get() + bytes);
    }

    /// Ends the waiting of one.
    fn open(&self, i: usize) {
        let Some(large) = self.places[i].take() else { return };
        self.bytes.set(self.bytes.get() - large.span());
        if self.rested_bytes.get() + large.span() <= RESTING || !large.end() {
            self.rest(large);
        }
    }

    fn rest(&self, large: &'static Large) {
        large.forget();
        large.link(self.rested.replace(Some(large)));
        self.rested_bytes.set(self.rested_bytes.get() + large.span());
    }

    /// Addresses that have waited, with room for `room` bytes; with `any`, however much more. O(those that have waited).
    pub fn take(&self, room: usize, any: bool) -> Option<&'static Large> {
        let most = if any { usize::MAX } else { room + room / 8 };
        let fits = |large: &Large| (room..=most).contains(&large.room());
        let (mut before, mut at) = (None::<&'static Large>, self.rested.get());
        while let Some(large) = at.filter(|large| !fits(large)) {
            (before, at) = (at, large.next());
        }
        let large = at?;
        match before {
            Some(before) => before.link(large.next()),
            None => self.rested.set(large.next()),
        }
        self.rested_bytes.set(self.rested_bytes.get() - large.span());
        Some(large)
    }

    /// Gives all addresses back, those that the kernel takes.
    pub fn release(&self) {
        for place in &self.places {
            if let Some(large) = place.take()
                && !large.end()
            {
                self.rest(large);
            }
        }
        self.bytes.set(0);
        let mut at = self.rested.take();
        self.rested_bytes.set(0);
        while let Some(large) = at {
            at = large.next();
            if !large.end() {
                self.rest(large);
            }
        }
    }
}

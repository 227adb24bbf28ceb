//! What the source of crates/core needs around it to run under loom: a heap with no more than its state and its inbox, a
//! pool, and cells that loom watches: two threads that touch one without an order between them fail the model.

/// Cells whose every access loom sees.
pub mod cell {
    use loom::cell::UnsafeCell;

    /// As `core::cell::Cell`.
    pub struct Cell<T>(UnsafeCell<T>);

    // SAFETY: loom fails the model when two threads are here at once, which is what is tested.
    unsafe impl<T> Sync for Cell<T> {}
    // SAFETY: as above.
    unsafe impl<T> Send for Cell<T> {}

    impl<T: Copy> Cell<T> {
        /// A cell.
        pub fn new(value: T) -> Self {
            Cell(UnsafeCell::new(value))
        }

        /// The value.
        pub fn get(&self) -> T {
            // SAFETY: the cell is alive; loom watches the access.
            self.0.with(|value| unsafe { *value })
        }

        /// Another value.
        pub fn set(&self, new: T) {
            // SAFETY: as above.
            self.0.with_mut(|value| unsafe { *value = new });
        }
    }
}

mod pool {
    use std::alloc::{Layout, alloc, dealloc};
    use std::ptr::NonNull;

    pub fn take<T>() -> Option<NonNull<T>> {
        // SAFETY: the layout is not empty.
        NonNull::new(unsafe { alloc(Layout::new::<T>()) }.cast())
    }

    /// # Safety
    /// `at` came from [`take`] of a type of this size.
    pub unsafe fn put(at: NonNull<u8>, size: usize) {
        let layout = Layout::from_size_align(size, align_of::<super::packet::Packet>());
        // SAFETY: only packets are taken and put back here.
        unsafe { dealloc(at.as_ptr(), layout.expect("a packet's layout")) };
    }
}

/// crates/core/src/packet.rs.
#[allow(missing_docs)]
pub mod packet {
    include!(concat!(env!("OUT_DIR"), "/packet.rs"));
}

/// `visit` and `deliver` of remote.rs, `take_over` of registry.rs.
pub mod hand_over {
    use loom::sync::atomic::{AtomicU8, Ordering::*, fence};

    use crate::cell::Cell;
    use crate::packet::{Inbox, Packet};

    /// As in heap.rs.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    #[allow(missing_docs)]
    #[repr(u8)]
    pub enum State {
        New = 0,
        Live = 1,
        Abandoned = 2,
        Visited = 3,
        Lost = 4,
    }

    /// A heap: what others may do to it, and what only who has it may touch.
    pub struct Heap {
        /// A [`State`].
        pub state: AtomicU8,
        /// Packets from other threads.
        pub inbox: Inbox,
        /// Blocks that came back: the heap's own, unlocked.
        pub back: Cell<usize>,
    }

    impl Heap {
        /// A heap in a state.
        pub fn new(state: State) -> Heap {
            Heap { state: AtomicU8::new(state as u8), inbox: Inbox::new(), back: Cell::new(0) }
        }

        /// The state.
        pub fn state(&self) -> State {
            match self.state.load(Acquire) {
                0 => State::New,
                1 => State::Live,
                2 => State::Abandoned,
                3 => State::Visited,
                _ => State::Lost,
            }
        }

        /// Whether something waits in the inbox.
        pub fn is_owed(&self) -> bool {
            !self.inbox.is_empty()
        }

        /// Takes the blocks in the inbox back.
        pub fn tidy(&self) {
            self.inbox.empty(|packet| {
                self.back.set(self.back.get() + packet.blocks().len());
                packet.end();
            });
        }
    }

    include!(concat!(env!("OUT_DIR"), "/hand_over.rs"));

    /// `deliver`, for the models.
    pub fn send(owner: &'static Heap, packet: &'static Packet) {
        deliver(owner, packet);
    }

    /// What `abandon` of registry.rs does without its list and lock.
    pub fn part(heap: &'static Heap) {
        heap.state.store(State::Abandoned as u8, Release);
        visit(heap);
    }

    /// `take_over`, again as long as somebody empties the inbox. Whether the heap is the caller's.
    pub fn adopt(heap: &Heap) -> bool {
        loop {
            match take_over(heap) {
                Some(taken) => return taken,
                None => loom::thread::yield_now(),
            }
        }
    }
}

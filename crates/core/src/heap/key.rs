//! What a heap knows of a page map key: the key of a slab's page is the address of its class's stack in the owning heap.
//!
//! So one word tells the owner, the class, and, since every heap begins with the same page of stacks, where the block goes in
//! the heap of whoever frees it. Reads nothing but the key. Owns nothing.

use super::Heap;
use crate::os::PAGE;
use crate::stack::Stack;

impl Heap {
    /// The stack that a page map key names, if it is one of this heap's.
    #[inline(always)]
    pub fn stack_of(&'static self, key: usize) -> Option<&'static Stack> {
        let mine = (key ^ self.address()) < PAGE;
        // SAFETY: a key within this heap's first page is the address of one of its stacks.
        mine.then(|| unsafe { &*(key as *const Stack) })
    }

    /// The stack of the class that is a 16th of `offset`, which is below 16 times LIMIT.
    #[inline(always)]
    pub fn stack_at(&self, offset: usize) -> &Stack {
        debug_assert!(offset < PAGE / 4 && offset.is_multiple_of(16));
        let stack = self.stacks.as_ptr().wrapping_byte_add(offset * 4);
        // SAFETY: a stack takes 64 bytes, so that is one of them.
        unsafe { &*stack }
    }

    /// This heap's stack of the class whose stack, in whatever heap, a page map key names. For other keys one that was
    /// never opened, or row 0.
    #[inline(always)]
    pub fn twin_of(&'static self, key: usize) -> &'static Stack {
        self.twin_at(key & (PAGE - 1))
    }

    /// The same by the low bits of a key.
    #[inline(always)]
    pub fn twin_at(&'static self, offset: usize) -> &'static Stack {
        debug_assert!(offset < PAGE);
        let twin = (self.address() + offset) as *const Stack;
        // SAFETY: a heap begins with a page of stacks, and the low bits of every key are the offset of one in such a page.
        unsafe { &*twin }
    }
}

/// Address of the heap that a page map key names.
#[inline(always)]
pub fn owner_of(key: usize) -> usize {
    key & !(PAGE - 1)
}

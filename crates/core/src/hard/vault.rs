//! A vault: a heap's hardened part. For each class a row, and what it knows of freed large blocks.
//!
//! Only the heap's thread touches it (see `heap`), so nothing is locked. Vaults live as long as their heaps: for good.

use crate::class::COUNT;
use crate::hard::graves::Graves;
use crate::hard::kept::Kept;
use crate::hard::random::Random;
use crate::hard::region;
use crate::hard::row::Row;
use crate::heap::Heap;
use crate::{os, pool, secret};

/// See the module. All zero bytes are a vault that has nothing yet.
#[repr(C)]
pub struct Vault {
    /// By class; row 0 is that of blocks of no bytes.
    rows: [Row; COUNT + 1],
    /// Decides where blocks go.
    pub random: Random,
    /// Freed large blocks whose pages stay.
    pub kept: Kept,
    /// Freed large blocks whose pages are gone.
    pub graves: Graves,
}

/// The vault of a heap if it has one: not in plain mode, and not where a thread has no heap to use.
#[inline(always)]
pub fn known(heap: &'static Heap) -> Option<&'static Vault> {
    // SAFETY: the word is null or leads to this heap's vault, which lives for good.
    unsafe { heap.vault.get().cast::<Vault>().as_ref() }
}

/// The vault of a heap, made when first needed. None when there is no memory for it.
#[inline]
pub fn of(heap: &'static Heap) -> Option<&'static Vault> {
    match known(heap) {
        None => make(heap),
        vault => vault,
    }
}

#[cold]
fn make(heap: &'static Heap) -> Option<&'static Vault> {
    const { assert!(size_of::<Vault>() > pool::LARGEST, "the pool gives zero pages for it") };
    let at = pool::take::<Vault>()?;
    // SAFETY: a fresh mapping of zero bytes, which are a valid vault, and never unmapped.
    let vault = unsafe { at.as_ref() };
    vault.random.seed(secret::get(), heap.address(), os::now_ns());
    heap.vault.set(at.as_ptr().cast());
    Some(vault)
}

impl Vault {
    /// The row of `class`.
    #[inline(always)]
    pub fn row(&self, class: usize) -> &Row {
        &self.rows[class.min(COUNT)]
    }

    /// Gives every slab without a block, and freed large blocks, back; see `Row::release` for `all`.
    pub fn release(&'static self, all: bool) {
        self.rows.iter().for_each(|row| row.release(all));
        self.kept.release();
        self.graves.release();
        if all {
            region::release();
        }
    }
}

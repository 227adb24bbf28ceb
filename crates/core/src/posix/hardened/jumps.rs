//! malloc and free on the short ways of hardened mode, reached by a jump and left by one where they are not open: so the
//! return address on the stack is still the program's, for `posix` to report. Owns nothing.
//!
//! What is done for short blocks calls nothing, so that no frame is made; the others have functions of their own.

use super::{Ways, live_fast, malloc_fast, put_fast};
use crate::hard::SHORT;
use crate::posix::{free_with_caller, malloc_with_caller};

/// malloc.
#[inline(never)]
pub extern "C" fn malloc(size: usize, ways: Ways) -> *mut u8 {
    if size > SHORT {
        return malloc_long(size, ways);
    }
    match malloc_fast::<false, true>(ways, size) {
        Some(block) => block,
        None => malloc_with_caller(size),
    }
}

#[inline(never)]
extern "C" fn malloc_long(size: usize, ways: Ways) -> *mut u8 {
    match malloc_fast::<false, false>(ways, size) {
        Some(block) => block,
        None => malloc_with_caller(size),
    }
}

/// free.
#[inline(never)]
pub extern "C" fn free(pointer: usize, ways: Ways) {
    match live_fast(ways, pointer, false, None) {
        None => free_with_caller(pointer),
        Some(live) if !live.is_short(ways.heap) => free_long(pointer, ways),
        Some(live) if put_fast::<true>(ways, live) => {}
        Some(_) => free_with_caller(pointer),
    }
}

#[inline(never)]
extern "C" fn free_long(pointer: usize, ways: Ways) {
    match live_fast(ways, pointer, false, None) {
        Some(live) if put_fast::<false>(ways, live) => {}
        _ => free_with_caller(pointer),
    }
}

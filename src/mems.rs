//! The seed's functions as exported symbols, one line each. Owns nothing; everything is in `mems_core::vspace`.

use core::ffi::c_void;

use mems_core::vspace;

/// `void mems_init(void)`: starts anew with the defaults.
#[unsafe(no_mangle)]
pub extern "C" fn mems_init() {
    vspace::init();
}

/// `void mems_init_with(size_t page_size, size_t start)`: what the header's mems_init() calls.
#[unsafe(no_mangle)]
pub extern "C" fn mems_init_with(page_size: usize, start: usize) {
    vspace::init_with(page_size as u64, start as u64);
}

/// `void mems_finish(void)`: unmaps everything.
#[unsafe(no_mangle)]
pub extern "C" fn mems_finish() {
    vspace::finish();
}

/// `void *mems_malloc(size_t size)`: a MeMS virtual address.
#[unsafe(no_mangle)]
pub extern "C" fn mems_malloc(size: usize) -> *mut c_void {
    core::ptr::without_provenance_mut(vspace::malloc(size).unwrap_or(0) as usize)
}

/// `void mems_free(void *ptr)`: frees the segment that starts at a MeMS virtual address.
#[unsafe(no_mangle)]
pub extern "C" fn mems_free(ptr: *mut c_void) {
    vspace::free(ptr.addr() as u64);
}

/// `void *mems_get(void *v_ptr)`: the physical address behind a MeMS virtual address.
#[unsafe(no_mangle)]
pub extern "C" fn mems_get(v_ptr: *mut c_void) -> *mut c_void {
    vspace::get(v_ptr.addr() as u64).cast()
}

/// `void mems_print_stats(void)`: prints the chain on C's stdout.
#[unsafe(no_mangle)]
pub extern "C" fn mems_print_stats() {
    vspace::print_stats();
}

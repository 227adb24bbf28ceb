//! The C interface of a libmems.so that was opened by hand: each function behind a safe wrapper, so that a driver cannot
//! mistake one for another. The process's own malloc stays the C library's.
//!
//! Safe only for one who gives nothing to `free` and the like but what this interface gave out, or what it means to be
//! refused (`MEMS_ON_ERROR=ignore`).

use std::ffi::{CStr, CString, c_void};
use std::path::Path;

/// Functions of the malloc family, C++'s operators, and mems_*.
pub struct Api {
    malloc: extern "C" fn(usize) -> *mut u8,
    calloc: extern "C" fn(usize, usize) -> *mut u8,
    realloc: extern "C" fn(*mut u8, usize) -> *mut u8,
    reallocarray: extern "C" fn(*mut u8, usize, usize) -> *mut u8,
    free: extern "C" fn(*mut u8),
    free_sized: extern "C" fn(*mut u8, usize),
    aligned_alloc: extern "C" fn(usize, usize) -> *mut u8,
    memalign: extern "C" fn(usize, usize) -> *mut u8,
    posix_memalign: extern "C" fn(*mut *mut u8, usize, usize) -> i32,
    usable_size: extern "C" fn(*mut u8) -> usize,
    trim: extern "C" fn(usize) -> i32,
    new_nothrow: extern "C" fn(usize, *const u8) -> *mut u8,
    delete: extern "C" fn(*mut u8),
    delete_sized: extern "C" fn(*mut u8, usize),
    mems_init: extern "C" fn(),
    mems_finish: extern "C" fn(),
    mems_malloc: extern "C" fn(usize) -> *mut u8,
    mems_free: extern "C" fn(*mut u8),
    mems_get: extern "C" fn(*mut u8) -> *mut u8,
}

/// The function of this name; its type is the field's that it is stored in.
fn find<F: Copy>(library: *mut c_void, name: &CStr) -> F {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    // SAFETY: the handle came from dlopen, the name is a C string.
    let at = unsafe { libc::dlsym(library, name.as_ptr()) };
    assert!(!at.is_null(), "libmems.so has no {name:?}");
    // SAFETY: a function pointer of the type that the C header (or the C++ ABI) gives this name; sizes are equal.
    unsafe { std::mem::transmute_copy(&at) }
}

impl Api {
    /// Opens the library, apart from the process's own symbols.
    pub fn open(path: &Path) -> Api {
        let name = CString::new(path.to_str().expect("a path in UTF-8")).expect("a path without NUL");
        // SAFETY: a C string; the library's constructors may run here as anywhere.
        let library = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        assert!(!library.is_null(), "{} cannot be opened", path.display());
        Api {
            malloc: find(library, c"malloc"),
            calloc: find(library, c"calloc"),
            realloc: find(library, c"realloc"),
            reallocarray: find(library, c"reallocarray"),
            free: find(library, c"free"),
            free_sized: find(library, c"free_sized"),
            aligned_alloc: find(library, c"aligned_alloc"),
            memalign: find(library, c"memalign"),
            posix_memalign: find(library, c"posix_memalign"),
            usable_size: find(library, c"malloc_usable_size"),
            trim: find(library, c"malloc_trim"),
            new_nothrow: find(library, c"_ZnwmRKSt9nothrow_t"),
            delete: find(library, c"_ZdlPv"),
            delete_sized: find(library, c"_ZdlPvm"),
            mems_init: find(library, c"mems_init"),
            mems_finish: find(library, c"mems_finish"),
            mems_malloc: find(library, c"mems_malloc"),
            mems_free: find(library, c"mems_free"),
            mems_get: find(library, c"mems_get"),
        }
    }

    pub fn malloc(&self, size: usize) -> usize {
        (self.malloc)(size) as usize
    }
    pub fn calloc(&self, count: usize, size: usize) -> usize {
        (self.calloc)(count, size) as usize
    }
    pub fn realloc(&self, at: usize, size: usize) -> usize {
        (self.realloc)(at as *mut u8, size) as usize
    }
    pub fn reallocarray(&self, at: usize, count: usize, size: usize) -> usize {
        (self.reallocarray)(at as *mut u8, count, size) as usize
    }
    pub fn free(&self, at: usize) {
        (self.free)(at as *mut u8);
    }
    pub fn free_sized(&self, at: usize, size: usize) {
        (self.free_sized)(at as *mut u8, size);
    }
    pub fn aligned_alloc(&self, align: usize, size: usize) -> usize {
        (self.aligned_alloc)(align, size) as usize
    }
    pub fn memalign(&self, align: usize, size: usize) -> usize {
        (self.memalign)(align, size) as usize
    }
    /// The block and the error number; the block is what it was before when it fails.
    pub fn posix_memalign(&self, before: usize, align: usize, size: usize) -> (usize, i32) {
        let mut out = before as *mut u8;
        let error = (self.posix_memalign)(&mut out, align, size);
        (out as usize, error)
    }
    pub fn usable_size(&self, at: usize) -> usize {
        (self.usable_size)(at as *mut u8)
    }
    pub fn trim(&self) {
        (self.trim)(0);
    }
    /// operator new, the one that gives null.
    pub fn new_nothrow(&self, size: usize) -> usize {
        (self.new_nothrow)(size, c"".as_ptr().cast()) as usize
    }
    pub fn delete(&self, at: usize) {
        (self.delete)(at as *mut u8);
    }
    pub fn delete_sized(&self, at: usize, size: usize) {
        (self.delete_sized)(at as *mut u8, size);
    }
    pub fn mems_init(&self) {
        (self.mems_init)();
    }
    pub fn mems_finish(&self) {
        (self.mems_finish)();
    }
    pub fn mems_malloc(&self, size: usize) -> usize {
        (self.mems_malloc)(size) as usize
    }
    pub fn mems_free(&self, at: usize) {
        (self.mems_free)(at as *mut u8);
    }
    pub fn mems_get(&self, at: usize) -> usize {
        (self.mems_get)(at as *mut u8) as usize
    }
}

//! The C++ operators new and delete in every standard form, without linking C++.
//!
//! On failure the throwing forms go on in the next operator new in line, libstdc++'s: it calls the new_handler,
//! tries again (through our malloc) and throws std::bad_alloc, as ever. The nothrow forms do the same, since the
//! standard wants the new_handler called there too.

use core::ffi::{CStr, c_void};

use mems_core::count::Function;
use mems_core::posix;

type Pointer = *mut c_void;

/// The next function of this name in the search order after this library.
fn next(name: &CStr) -> Pointer {
    // SAFETY: a C string; dlsym has no other precondition.
    unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) }
}

#[cold]
fn no_next(name: &CStr) -> ! {
    mems_core::say::line(|text| {
        text.text("out of memory in ");
        text.text(name.to_str().unwrap_or("operator new"));
        text.text(", and no C++ library to throw std::bad_alloc");
    });
    // SAFETY: abort has no precondition.
    unsafe { libc::abort() }
}

macro_rules! new {
    ($($name:ident($size:ident $(, $more:ident: $type:ty)*) = $take:expr;)*) => { $(
        #[unsafe(no_mangle)]
        unsafe extern "C-unwind" fn $name($size: usize $(, $more: $type)*) -> Pointer {
            let block = $take;
            if !block.is_null() {
                return block.cast();
            }
            #[cold]
            #[inline(never)]
            unsafe extern "C-unwind" fn failed($size: usize $(, $more: $type)*) -> Pointer {
                const NAME: &CStr = match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                    Ok(name) => name,
                    Err(_) => c"operator new",
                };
                let next = next(NAME);
                if next.is_null() {
                    no_next(NAME);
                }
                type Form = unsafe extern "C-unwind" fn(usize $(, $type)*) -> Pointer;
                // SAFETY: the C++ ABI gives the function of this name this type.
                let next = unsafe { core::mem::transmute::<Pointer, Form>(next) };
                // SAFETY: called with the caller's own arguments.
                unsafe { next($size $(, $more)*) }
            }
            // SAFETY: called with the caller's own arguments.
            unsafe { failed($size $(, $more)*) }
        }
    )* };
}

new! {
    _Znwm(size) = posix::new(size);
    _Znam(size) = posix::new(size);
    _ZnwmRKSt9nothrow_t(size, _nothrow: Pointer) = posix::new(size);
    _ZnamRKSt9nothrow_t(size, _nothrow: Pointer) = posix::new(size);
    _ZnwmSt11align_val_t(size, align: usize) = posix::aligned(Function::New, align, size);
    _ZnamSt11align_val_t(size, align: usize) = posix::aligned(Function::New, align, size);
    _ZnwmSt11align_val_tRKSt9nothrow_t(size, align: usize, _nothrow: Pointer) = posix::aligned(Function::New, align, size);
    _ZnamSt11align_val_tRKSt9nothrow_t(size, align: usize, _nothrow: Pointer) = posix::aligned(Function::New, align, size);
}

macro_rules! delete {
    ($($name:ident($($more:ident: $type:ty),*);)*) => { $(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(pointer: Pointer $(, $more: $type)*) {
            posix::delete(pointer.cast());
        }
    )* };
}

delete! {
    _ZdlPv();
    _ZdaPv();
    _ZdlPvm(_size: usize);
    _ZdaPvm(_size: usize);
    _ZdlPvRKSt9nothrow_t(_nothrow: Pointer);
    _ZdaPvRKSt9nothrow_t(_nothrow: Pointer);
    _ZdlPvSt11align_val_t(_align: usize);
    _ZdaPvSt11align_val_t(_align: usize);
    _ZdlPvmSt11align_val_t(_size: usize, _align: usize);
    _ZdaPvmSt11align_val_t(_size: usize, _align: usize);
    _ZdlPvSt11align_val_tRKSt9nothrow_t(_align: usize, _nothrow: Pointer);
    _ZdaPvSt11align_val_tRKSt9nothrow_t(_align: usize, _nothrow: Pointer);
}

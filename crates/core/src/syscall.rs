//! One system call, made by the instruction itself.
//!
//! The C library's wrappers are symbols that the loader has to look up in every process, they lie scattered over its text
//! (each touched page of a file is mapped with the 15 around it), some are cancellation points, and they set errno. This
//! does none of that. Owns nothing.

use core::arch::asm;
use core::ffi::c_long;

/// Makes system call `number`: the result, or the negated error number. errno stays as it is.
///
/// # Safety
/// As the system call's.
#[inline(always)]
pub unsafe fn call(number: c_long, [a, b, c, d, e, f]: [usize; 6]) -> isize {
    let got: isize;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the kernel's convention; it changes rcx, r11 and what the call says, which is the caller's promise.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => got,
            in("rdi") a,
            in("rsi") b,
            in("rdx") c,
            in("r10") d,
            in("r8") e,
            in("r9") f,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack)
        )
    };
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the kernel's convention; it changes x0 and what the call says, which is the caller's promise.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") a as isize => got,
            in("x1") b,
            in("x2") c,
            in("x3") d,
            in("x4") e,
            in("x5") f,
            options(nostack)
        )
    };
    got
}

#[cfg(test)]
mod tests {
    use super::call;

    #[test]
    fn a_result_comes_back_as_it_is_and_an_error_negated_with_errno_untouched() {
        crate::os::set_errno(77);
        // SAFETY: getpid takes nothing.
        let pid = unsafe { call(libc::SYS_getpid, [0; 6]) };
        // SAFETY: as above.
        assert_eq!(pid as i32, unsafe { libc::getpid() });
        // SAFETY: closing a descriptor that cannot be open.
        assert_eq!(unsafe { call(libc::SYS_close, [usize::MAX, 0, 0, 0, 0, 0]) }, -(libc::EBADF as isize));
        assert_eq!(crate::os::errno(), 77);
    }

    #[test]
    fn six_arguments_arrive_in_their_places() {
        let at = crate::os::map(4096, 0).unwrap();
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        let [address, len] = [at.as_ptr() as usize, 4096];
        // SAFETY: a page of this test's own, laid over itself; an offset that is no whole page is refused.
        let wrong = unsafe { call(libc::SYS_mmap, [address, len, 3, flags as usize, usize::MAX, 1]) };
        assert_eq!(wrong, -(libc::EINVAL as isize));
        // SAFETY: as above.
        let right = unsafe { call(libc::SYS_mmap, [address, len, 3, flags as usize, usize::MAX, 0]) };
        assert_eq!(right as usize, address);
        // SAFETY: nothing refers to the page.
        assert!(unsafe { crate::os::unmap(at, len) });
    }
}

//! A call site in words: the module is found, the offset leads back to the address, and unknown addresses say nothing.

use mems_core::buffer::Buffer;
use mems_core::site;

fn words(address: usize) -> String {
    let mut place = [0; 200];
    let mut text = Buffer::new(&mut place);
    site::describe(address, &mut text);
    String::from_utf8(text.as_bytes().to_vec()).unwrap()
}

#[test]
fn an_address_of_this_program_is_named_with_its_offset() {
    let here = words as fn(usize) -> String as usize;
    let text = words(here);
    let (name, offset) = text.trim_matches(|c| "( )".contains(c)).split_once("+0x").expect("file+0xoffset");
    let program = std::env::current_exe().unwrap();
    assert_eq!(name, &program.file_name().unwrap().to_string_lossy()[..name.len()]);
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let base = maps.lines().find(|line| line.ends_with(&*program.to_string_lossy())).unwrap();
    let base = usize::from_str_radix(base.split('-').next().unwrap(), 16).unwrap();
    assert_eq!(usize::from_str_radix(offset, 16).unwrap(), here - base);
}

#[test]
fn a_library_far_down_the_list_is_named() {
    // Thousands of lines: neighbours of different rights do not merge.
    let far: Vec<_> = (0..3000).map(|n| one_page(n % 2 == 0)).collect();
    assert!(std::fs::read_to_string("/proc/self/maps").unwrap().lines().count() > 2500);
    let text = words(libc::getpid as *const () as usize);
    drop(far);
    assert!(text.starts_with(" (libc") && text.contains("+0x"), "{text}");
}

#[test]
fn an_address_of_no_file_says_nothing() {
    assert_eq!(words(0), "");
    assert_eq!(words(usize::MAX - 1), "");
    let block = Box::new(7u8);
    assert!(!words(&raw const *block as usize).contains("site"), "a block belongs to no module");
}

#[test]
fn errno_is_kept() {
    mems_core::os::set_errno(33);
    words(0);
    assert_eq!(mems_core::os::errno(), 33);
}

/// A page of its own, with or without the right to write; unmapped when dropped.
struct Page(usize);

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: the page mapped by one_page.
        #[allow(clippy::disallowed_methods)]
        unsafe {
            libc::munmap(self.0 as *mut _, 4096)
        };
    }
}

fn one_page(writable: bool) -> Page {
    let rights = if writable { libc::PROT_READ | libc::PROT_WRITE } else { libc::PROT_READ };
    // SAFETY: a fresh anonymous mapping.
    #[allow(clippy::disallowed_methods)]
    let at = unsafe {
        libc::mmap(std::ptr::null_mut(), 4096, rights, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
    };
    assert_ne!(at, libc::MAP_FAILED);
    Page(at as usize)
}

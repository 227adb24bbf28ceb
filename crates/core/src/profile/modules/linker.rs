//! The dynamic linker: which module lies at an address, and what there is to know of it.
//!
//! Asked by `_dl_find_object` (glibc 2.35 and later), which takes no lock, and by what a module's own headers say; else by
//! dl_iterate_phdr. That one is never called under a lock of ours, since a thread that has the linker's may allocate; nor in
//! a child of a process with threads, one of which may have had it at the fork: the C library does not open it in the child.
//! Owns the address of the one and whether the other is barred.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use super::{Module, PATH, TEXTS};
use crate::os::{self, PAGE};

/// Where an address lies.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Place {
    /// First byte of the module.
    pub start: usize,
    /// One past its last.
    pub end: usize,
    /// Its PT_GNU_EH_FRAME segment; 0: it has none.
    pub header: usize,
}

/// Address of `_dl_find_object`; 0: there is none.
static FIND: AtomicUsize = AtomicUsize::new(0);

/// Whether the linker's list of modules may not be walked.
static BARRED: AtomicBool = AtomicBool::new(false);

/// The public front of glibc's description of a module (link.h).
#[repr(C)]
struct LinkMap {
    bias: usize,
    name: *const c_char,
}

/// What glibc writes, and room for what later versions add.
#[repr(C)]
struct Found {
    flags: u64,
    start: usize,
    end: usize,
    link_map: *const LinkMap,
    header: usize,
    reserved: [u64; 16],
}

/// Looks `_dl_find_object` up. Called once, at load.
pub(super) fn start() {
    // SAFETY: a C string. At load, so an error message for a name that is missing may be allocated.
    let at = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"_dl_find_object".as_ptr()) };
    FIND.store(at as usize, Relaxed);
}

/// Whether [`place`] takes no lock.
pub(super) fn needs_no_lock() -> bool {
    FIND.load(Relaxed) != 0
}

/// In a forked child. `alone`: the process had one thread.
pub fn restart(alone: bool) {
    if !alone {
        BARRED.store(true, Relaxed);
    }
}

/// What the linker's function without a lock says of `pc`; None where there is no such function, or no module.
fn found(pc: usize) -> Option<Found> {
    let find = FIND.load(Relaxed);
    if find == 0 {
        return None;
    }
    // SAFETY: glibc's function of that name has this type.
    let find: extern "C" fn(usize, *mut Found) -> c_int = unsafe { core::mem::transmute(find) };
    let mut found = Found { flags: 0, start: 0, end: 0, link_map: ptr::null(), header: 0, reserved: [0; 16] };
    (find(pc, &mut found) == 0).then_some(found)
}

/// Where `pc` lies, from the linker; None in code that no file brought.
pub fn place(pc: usize) -> Option<Place> {
    if FIND.load(Relaxed) == 0 {
        return walked(pc).map(|module| module.place);
    }
    found(pc).map(|found| Place { start: found.start, end: found.end, header: found.header })
}

/// What one walk of the linker's list looks for, and finds.
struct Question {
    pc: usize,
    answer: Option<Module>,
}

/// All about the module that has `pc`, whose code is not unloaded meanwhile.
pub fn ask(pc: usize) -> Option<Module> {
    if FIND.load(Relaxed) == 0 {
        return walked(pc);
    }
    let found = found(pc)?;
    // SAFETY: a description of a loaded module.
    let map = unsafe { &*found.link_map };
    match headers_at(found.start) {
        Some(headers) => Some(described(map.bias, map.name, headers)),
        None => walked(pc),
    }
}

/// The program headers of the module whose file is mapped from `start` on; None where that does not begin with the file's.
fn headers_at(start: usize) -> Option<&'static [libc::Elf64_Phdr]> {
    if !os::is_readable(start) {
        return None;
    }
    // SAFETY: the first page of a loaded module, which is readable.
    let file = unsafe { &*(start as *const libc::Elf64_Ehdr) };
    let (offset, count) = (file.e_phoff as usize, usize::from(file.e_phnum));
    let end = offset + count * size_of::<libc::Elf64_Phdr>();
    let known = file.e_ident.starts_with(b"\x7fELF")
        && usize::from(file.e_phentsize) == size_of::<libc::Elf64_Phdr>()
        && end <= PAGE;
    // SAFETY: within that page, where the file's header says that they are.
    known.then(|| unsafe { core::slice::from_raw_parts((start + offset) as *const libc::Elf64_Phdr, count) })
}

/// The same by a walk of the linker's list, which takes its lock.
fn walked(pc: usize) -> Option<Module> {
    if BARRED.load(Relaxed) {
        return None;
    }
    let mut question = Question { pc, answer: None };
    // SAFETY: the callback has the type that is asked for, and the question outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(look), ptr::from_mut(&mut question).cast()) };
    question.answer
}

unsafe extern "C" fn look(info: *mut libc::dl_phdr_info, _: usize, question: *mut c_void) -> c_int {
    // SAFETY: the linker passes a valid description, which stands for the length of this call.
    let info = unsafe { &*info };
    // SAFETY: what ask passed.
    let question = unsafe { &mut *question.cast::<Question>() };
    // SAFETY: the program headers of a loaded module, as many as it has.
    let headers = unsafe { core::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum as usize) };
    let bias = info.dlpi_addr as usize;
    let has = |p: &libc::Elf64_Phdr| {
        question.pc.wrapping_sub(bias.wrapping_add(p.p_vaddr as usize)) < p.p_memsz as usize
    };
    if !headers.iter().any(|p| p.p_type == libc::PT_LOAD && has(p)) {
        return 0;
    }
    question.answer = Some(described(bias, info.dlpi_name, headers));
    1
}

/// A loaded module: what its file's addresses are moved by, its name (null or a C string), its program headers.
fn described(bias: usize, name: *const c_char, headers: &[libc::Elf64_Phdr]) -> Module {
    let place = |p: &libc::Elf64_Phdr| {
        let from = bias.wrapping_add(p.p_vaddr as usize);
        (from, from.wrapping_add(p.p_memsz as usize))
    };
    let mut module = Module::NONE;
    (module.place.start, module.place.end) = (usize::MAX, 0);
    module.bias = bias;
    let mut texts = 0;
    for header in headers {
        let (from, to) = place(header);
        match header.p_type {
            libc::PT_LOAD => {
                module.place.start = module.place.start.min(from & !(PAGE - 1));
                module.place.end = module.place.end.max(to);
                if header.p_flags & libc::PF_X != 0 && texts < TEXTS {
                    module.texts[texts] = (from, to);
                    texts += 1;
                }
            }
            libc::PT_GNU_EH_FRAME => module.place.header = from,
            libc::PT_NOTE => note((from, to), &mut module),
            _ => {}
        }
    }
    if !name.is_null() {
        // SAFETY: a module's name is a C string.
        let name = unsafe { CStr::from_ptr(name) }.to_bytes();
        let length = name.len().min(PATH);
        module.path.0[..length].copy_from_slice(&name[..length]);
        module.path.1 = length;
    }
    module
}

/// Reads the build id from a segment of notes.
fn note((from, to): (usize, usize), module: &mut Module) {
    const BUILD_ID: u32 = 3;
    // SAFETY: a segment of notes lies in a loaded, readable segment of a module that is not unloaded during the walk.
    let bytes = unsafe { core::slice::from_raw_parts(from as *const u8, to - from) };
    let word = |at: usize| -> Option<u32> {
        bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_ne_bytes)
    };
    let mut at = 0;
    while let (Some(name), Some(size), Some(kind)) = (word(at), word(at + 4), word(at + 8)) {
        let data = at + 12 + (name as usize).next_multiple_of(4);
        let Some(content) = bytes.get(data..data + size as usize) else { return };
        if kind == BUILD_ID && bytes.get(at + 12..at + 16) == Some(b"GNU\0") {
            let length = content.len().min(module.build_id.0.len());
            module.build_id.0[..length].copy_from_slice(&content[..length]);
            module.build_id.1 = length;
            return;
        }
        at = data + (size as usize).next_multiple_of(4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_the_same_with_and_without_the_linkers_lock() {
        start();
        assert!(FIND.load(Relaxed) != 0, "a C library before 2.35");
        let codes: [*const (); 3] = [walked as _, libc::memchr as _, libc::dl_iterate_phdr as _];
        for code in codes {
            let pc = code.addr();
            let asked = ask(pc).expect("a module");
            let walked = walked(pc).expect("a module");
            assert!(asked.is_same(&walked) && asked.texts == walked.texts);
            assert!(place(pc).is_some_and(|place| place.header == walked.place.header));
            assert!(asked.texts.iter().any(|text| (text.0..text.1).contains(&pc)));
        }
        assert!(ask(16).is_none());
    }
}

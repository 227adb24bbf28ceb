//! Where the libmems.so is that belongs to this command, and what can be said of a program before it runs.

use std::env;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, elf};

use crate::failure::{Failure, Outcome, code};

/// The library: what MEMS_LIB names, or beside this command (`../lib`, the same directory, `../release` in a checkout).
pub fn find() -> Outcome<PathBuf> {
    if let Some(named) = env::var_os("MEMS_LIB").filter(|named| !named.is_empty()) {
        let path = PathBuf::from(named);
        return check(&path).ok_or_else(|| absent(format!("MEMS_LIB: there is no file {}", path.display())));
    }
    let own = env::current_exe().and_then(fs::canonicalize).unwrap_or_default();
    let place = own.parent().unwrap_or(Path::new("/"));
    let places = ["../lib", ".", "../lib64", "../lib/mems", "../release", "../debug"];
    let found = places.iter().find_map(|near| check(&place.join(near).join("libmems.so")));
    found.ok_or_else(|| {
        let text = format!(
            "libmems.so is not beside {} (../lib, .): name it with MEMS_LIB=/path/libmems.so",
            own.display()
        );
        absent(text)
    })
}

fn absent(text: String) -> Failure {
    Failure { code: code::RUN, text }
}

fn check(path: &Path) -> Option<PathBuf> {
    // A path with a colon or a space would be two for the dynamic linker.
    fs::canonicalize(path).ok().filter(|path| path.is_file())
}

/// The program that `name` leads to, as execvp finds it.
pub fn program(name: &std::ffi::OsStr) -> Option<PathBuf> {
    let direct = Path::new(name);
    if direct.components().count() > 1 || name.to_string_lossy().contains('/') {
        return direct.is_file().then(|| direct.to_path_buf());
    }
    let path = env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    env::split_paths(&path).map(|place| place.join(name)).find(|file| {
        fs::metadata(file).is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
    })
}

/// Why the dynamic linker will not preload anything into this program; None when nothing is in the way.
pub fn obstacle(path: &Path) -> Option<&'static str> {
    let facts = fs::metadata(path).ok()?;
    let start = start_of(path)?;
    if !start.starts_with(b"\x7fELF") {
        // A script: its interpreter decides.
        let line = start.strip_prefix(b"#!")?;
        let line = line.split(|byte| *byte == b'\n').next()?;
        let words = line.split(|byte| byte.is_ascii_whitespace()).find(|word| !word.is_empty())?;
        let interpreter = PathBuf::from(String::from_utf8_lossy(words).into_owned());
        return if interpreter == path { None } else { obstacle(&interpreter) };
    }
    // SAFETY: geteuid has no precondition.
    let me = unsafe { libc::geteuid() };
    let mode = facts.permissions().mode();
    if mode & 0o4000 != 0 && facts.uid() != me {
        return Some("setuid");
    }
    // SAFETY: getegid has no precondition.
    if mode & 0o2010 == 0o2010 && facts.gid() != unsafe { libc::getegid() } {
        return Some("setgid");
    }
    of_elf(path)
}

fn start_of(path: &Path) -> Option<Vec<u8>> {
    use std::io::Read;
    let mut start = Vec::new();
    fs::File::open(path).ok()?.take(256).read_to_end(&mut start).ok()?;
    Some(start)
}

fn of_elf(path: &Path) -> Option<&'static str> {
    let file = fs::File::open(path).ok()?;
    let data = object::ReadCache::new(file);
    let header = match elf::FileHeader64::<Endianness>::parse(&data) {
        Ok(header) => header,
        Err(_) => return Some("not a 64-bit program"),
    };
    let endian = header.endian().ok()?;
    let native = if cfg!(target_arch = "x86_64") { elf::EM_X86_64 } else { elf::EM_AARCH64 };
    if header.e_machine(endian) != native {
        return Some("built for another machine");
    }
    let programs = header.program_headers(endian, &data).ok()?;
    if programs.iter().any(|part| part.p_type(endian) == elf::PT_INTERP) {
        None
    } else {
        Some("statically linked")
    }
}

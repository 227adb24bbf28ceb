//! From an address in a module to functions, files and lines: DWARF with inlined frames, else the symbol table.
//!
//! Debug information is looked for in the module itself, by its build-id, and by its debug link, as debuggers do. A module
//! whose file is not the one that ran (another build-id) is not used. What is missing is kept, to be said once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use addr2line::Loader;
use object::{Object, ObjectSymbol, SymbolKind};

/// Where distributions put separate debug files.
const DEBUG: &str = "/usr/lib/debug";

/// A function in a call stack.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Frame {
    /// Its name, demangled; where none is known `module+0x1234`.
    pub function: String,
    /// Its source file, if known.
    pub file: Option<String>,
    /// The line in it; 0: not known.
    pub line: u32,
    /// The module's path.
    pub module: String,
    /// Whether it was inlined into the next one.
    pub inlined: bool,
    /// Whether a name was found.
    pub named: bool,
}

impl Frame {
    /// Whether its source is of the C++ or the Rust standard library.
    pub fn is_standard(&self) -> bool {
        const PLACES: [&str; 5] =
            ["/include/c++/", "/rustc/", "/library/alloc/src/", "/library/core/src/", "/library/std/src/"];
        self.file.as_ref().is_some_and(|file| PLACES.iter().any(|place| file.contains(place)))
    }
}

/// What is known of one module.
enum Source {
    /// The file cannot be used.
    None,
    File {
        loader: Option<Box<Loader>>,
        symbols: Vec<(u64, u64, String)>,
    },
}

/// Opens modules as they are needed.
#[derive(Default)]
pub struct Symbols {
    sources: BTreeMap<(String, String), Source>,
    /// What is missing, by module.
    missing: BTreeMap<String, &'static str>,
}

impl Symbols {
    /// The functions at `address` of the file, innermost (inlined) first; at least one.
    pub fn at(&mut self, path: &str, build_id: &str, address: u64) -> Vec<Frame> {
        let key = (path.to_string(), build_id.to_string());
        if !self.sources.contains_key(&key) {
            let source = self.open(path, build_id);
            self.sources.insert(key.clone(), source);
        }
        let mut frames = Vec::new();
        if let Some(Source::File { loader, symbols }) = self.sources.get(&key) {
            let symbol = symbol_at(symbols, address);
            if let Some(loader) = loader {
                frames = of_dwarf(loader, address, symbol, path);
            }
            if frames.is_empty()
                && let Some(name) = symbol
            {
                let function = demangled(name);
                frames.push(Frame { function, module: path.into(), named: true, ..Frame::default() });
            }
        }
        if frames.is_empty() {
            let name = path.rsplit('/').next().unwrap_or(path);
            let function = format!("{name}+{address:#x}");
            frames.push(Frame { function, module: path.into(), ..Frame::default() });
        }
        frames
    }

    /// What was missing for names or lines, one line a module.
    pub fn missing(&self) -> Vec<String> {
        self.missing.iter().map(|(path, what)| format!("{path}: {what}")).collect()
    }

    fn open(&mut self, path: &str, build_id: &str) -> Source {
        let mut miss = |what| {
            self.missing.insert(path.to_string(), what);
        };
        if !path.starts_with('/') {
            return Source::None;
        }
        let Ok(bytes) = fs::read(path) else {
            miss("the file is gone: module and offset only");
            return Source::None;
        };
        let Ok(file) = object::File::parse(&*bytes) else {
            miss("not an ELF file any more: module and offset only");
            return Source::None;
        };
        let own = file.build_id().ok().flatten().map(hex).unwrap_or_default();
        if !build_id.is_empty() && own != build_id {
            miss("the file has changed since the program ran (another build-id): module and offset only");
            return Source::None;
        }
        let debug =
            if file.has_debug_symbols() { Some(PathBuf::from(path)) } else { separate(&file, path, &own) };
        let mut symbols = table(&file);
        let mut loader = None;
        if let Some(debug) = &debug {
            if debug.as_os_str() != path
                && let Ok(bytes) = fs::read(debug)
                && let Ok(file) = object::File::parse(&*bytes)
            {
                symbols.extend(table(&file));
            }
            loader = Loader::new_with_sup(debug, supplement(debug).as_ref()).ok().map(Box::new);
        }
        symbols.sort();
        symbols.dedup();
        if loader.is_none() {
            let stripped = file.symbols().next().is_none();
            miss(match stripped {
                true => "stripped, no debug symbols found: exported names only, else module and offset",
                false => "no debug information: functions without file and line (build with -g)",
            });
        }
        Source::File { loader, symbols }
    }
}

/// The separate debug file of a module: by build-id, by debug link.
fn separate(file: &object::File, path: &str, build_id: &str) -> Option<PathBuf> {
    let mut places = Vec::new();
    if let Some((first, rest)) = build_id.split_at_checked(2) {
        places.push(PathBuf::from(format!("{DEBUG}/.build-id/{first}/{rest}.debug")));
    }
    if let Ok(Some((name, _))) = file.gnu_debuglink() {
        let name = String::from_utf8_lossy(name).into_owned();
        let directory = Path::new(path).parent().unwrap_or(Path::new("/"));
        places.push(directory.join(".debug").join(&name));
        places.push(PathBuf::from(format!("{DEBUG}{}/{name}", directory.display())));
        places.push(directory.join(name));
    }
    let same = |place: &PathBuf| {
        let Ok(bytes) = fs::read(place) else { return false };
        let Ok(found) = object::File::parse(&*bytes) else { return false };
        found.has_debug_symbols() && found.build_id().ok().flatten().map(hex).unwrap_or_default() == build_id
    };
    places.into_iter().find(|place| place.as_os_str() != path && same(place))
}

/// The file that a debug file shares with others (dwz), if it names one.
fn supplement(debug: &Path) -> Option<PathBuf> {
    let bytes = fs::read(debug).ok()?;
    let file = object::File::parse(&*bytes).ok()?;
    let (name, _) = file.gnu_debugaltlink().ok()??;
    let name = PathBuf::from(String::from_utf8_lossy(name).into_owned());
    let path = if name.is_absolute() { name } else { debug.parent()?.join(name) };
    path.is_file().then_some(path)
}

/// Functions of a symbol table: address, size, name.
fn table(file: &object::File) -> Vec<(u64, u64, String)> {
    let all = file.symbols().chain(file.dynamic_symbols());
    let functions = all.filter(|s| s.is_definition() && s.kind() == SymbolKind::Text && s.address() != 0);
    let entry = |s: object::Symbol| Some((s.address(), s.size(), s.name().ok()?.to_string()));
    functions.filter_map(entry).filter(|(.., name)| !name.is_empty()).collect()
}

/// The symbol that `address` lies in. One without a size (assembly) reaches to the next.
fn symbol_at(symbols: &[(u64, u64, String)], address: u64) -> Option<&str> {
    let end = symbols.partition_point(|(start, ..)| *start <= address);
    let inside = |(start, size, _): &&(u64, u64, String)| address < start + size;
    let near = symbols[..end].iter().rev().take(16);
    near.clone()
        .find(inside)
        .or_else(|| near.clone().next().filter(|(_, size, _)| *size == 0))
        .map(|(.., name)| name.as_str())
}

fn of_dwarf(loader: &Loader, address: u64, symbol: Option<&str>, path: &str) -> Vec<Frame> {
    let Ok(mut found) = loader.find_frames(address) else { return Vec::new() };
    let mut frames: Vec<Frame> = Vec::new();
    while let Ok(Some(frame)) = found.next() {
        let name = frame.function.as_ref().and_then(|f| f.demangle().ok().map(|name| plain(&name)));
        let location = frame.location;
        let file = location.as_ref().and_then(|l| l.file).map(str::to_string);
        let line = location.as_ref().and_then(|l| l.line).unwrap_or(0);
        let named = name.is_some();
        let function = name.unwrap_or_default();
        frames.push(Frame { function, file, line, module: path.into(), inlined: true, named });
    }
    let last = frames.len().checked_sub(1);
    if let Some(frame) = last.and_then(|last| frames.get_mut(last)) {
        frame.inlined = false;
        if !frame.named
            && let Some(name) = symbol
        {
            frame.function = demangled(name);
            frame.named = true;
        }
    }
    frames.retain(|frame| frame.named);
    frames
}

fn demangled(name: &str) -> String {
    // A version behind @ is no part of the name.
    let name = name.split('@').next().unwrap_or(name);
    plain(&addr2line::demangle_auto(Cow::Borrowed(name), None))
}

/// Without the mark of glibc's internal aliases.
fn plain(name: &str) -> String {
    name.strip_prefix("__GI_").unwrap_or(name).to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

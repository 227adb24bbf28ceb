//! A process's record as docs/record.md describes it, read from JSON lines into tables.
//!
//! Unknown kinds of lines, fields and columns are passed over. What is missing, of another type or cut short is said in
//! one line with file and line number. Holds no more than the records themselves do.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::failure::{Failure, Outcome, reason};

/// The columns of a site that this command knows, in the order of [`Site::figures`].
pub const COLUMNS: [&str; 11] = [
    "calls",
    "asked",
    "usable",
    "live_blocks",
    "live_bytes",
    "peak_blocks",
    "peak_bytes",
    "temporary",
    "min",
    "max",
    "samples",
];

/// One process image's record.
pub struct Record {
    /// The `mems/1` object.
    pub dump: Value,
    /// How call sites were recorded; None when the record has no such line.
    pub profile: Option<Value>,
    /// Where code was loaded, by number.
    pub modules: Vec<Module>,
    /// The tree of call frames; node 0 is none.
    pub nodes: Vec<Node>,
    /// What each site allocated.
    pub sites: Vec<Site>,
    /// Rows of time (ns), live and mapped (bytes), blocks asked so far.
    pub timeline: Vec<[u64; 4]>,
    /// The main chain, if it is there.
    pub regions: Vec<Region>,
    /// Regions and segments that the record leaves out.
    pub chain_cut: [u64; 2],
    ended: bool,
    lines: u64,
}

/// A module of the process.
pub struct Module {
    /// Its file.
    pub path: String,
    /// Hexadecimal, or empty.
    pub build_id: String,
    /// Address in the process minus address in the file.
    pub bias: u64,
}

/// A call frame.
#[derive(Clone, Copy)]
pub struct Node {
    /// Its caller's node; 0: none known.
    pub parent: usize,
    /// The return address in it.
    pub address: u64,
    /// The number of its module, if known.
    pub module: Option<usize>,
}

/// What one site allocated.
pub struct Site {
    /// Its innermost frame.
    pub node: usize,
    /// By [`COLUMNS`].
    pub figures: [i64; COLUMNS.len()],
}

/// A region of the main chain with its sub-chain.
pub struct Region {
    /// Its address.
    pub start: u64,
    /// Its length.
    pub bytes: u64,
    /// In address order.
    pub segments: Vec<Segment>,
}

/// A segment of a sub-chain.
#[derive(Clone, Copy)]
pub struct Segment {
    /// Given out, or else a HOLE.
    pub process: bool,
    /// Its length.
    pub bytes: u64,
    /// Slot size, slots and slots in use of a slab.
    pub slab: Option<[u64; 3]>,
}

impl Record {
    fn new(dump: Value) -> Record {
        Record {
            dump,
            profile: None,
            modules: Vec::new(),
            nodes: vec![Node { parent: 0, address: 0, module: None }],
            sites: Vec::new(),
            timeline: Vec::new(),
            regions: Vec::new(),
            chain_cut: [0; 2],
            ended: false,
            lines: 1,
        }
    }

    /// A whole number of the dump, by JSON pointer; 0 where there is none.
    pub fn number(&self, pointer: &str) -> i64 {
        whole(self.dump.pointer(pointer)).unwrap_or(0)
    }

    /// A text of the dump; empty where there is none.
    pub fn text(&self, pointer: &str) -> &str {
        self.dump.pointer(pointer).and_then(Value::as_str).unwrap_or("")
    }

    /// The process's number.
    pub fn pid(&self) -> i64 {
        self.number("/process/pid")
    }

    /// All calls that ask for a block or free one.
    pub fn calls(&self) -> i64 {
        let names =
            ["malloc", "calloc", "realloc", "reallocarray", "memalign", "aligned_alloc", "posix_memalign"];
        let more = ["valloc", "pvalloc", "new", "free", "delete"];
        names.iter().chain(&more).map(|name| self.number(&format!("/calls/{name}"))).sum()
    }

    /// Bytes asked, all functions together.
    pub fn asked(&self) -> i64 {
        let names = ["malloc", "calloc", "realloc", "aligned", "new"];
        names.iter().map(|name| self.number(&format!("/bytes/asked/{name}"))).sum()
    }

    /// The arguments with spaces between them, else the path of the executable.
    pub fn command(&self) -> String {
        let arguments = self.dump.pointer("/process/argv").and_then(Value::as_array);
        let words: Vec<&str> = arguments.into_iter().flatten().filter_map(Value::as_str).collect();
        if words.is_empty() { self.text("/process/exe").to_string() } else { words.join(" ") }
    }

    /// The last part of the program's name.
    pub fn program(&self) -> String {
        let first = self.dump.pointer("/process/argv/0").and_then(Value::as_str).unwrap_or("");
        let from = if first.is_empty() { self.text("/process/exe") } else { first };
        from.rsplit('/').next().unwrap_or(from).to_string()
    }

    /// How it ended, in words.
    pub fn ending(&self) -> String {
        let code = self.number("/process/exit/code");
        match self.text("/process/exit/kind") {
            "exec" => "exec".into(),
            "live" => "still running".into(),
            "signal" => format!("killed by {}", crate::signal::name(code as i32)),
            "unknown" => "ended unseen".into(),
            kind => format!("{kind} {code}"),
        }
    }

    /// Whether the figures of the sites are estimates.
    pub fn is_estimated(&self) -> bool {
        self.profile.as_ref().and_then(|p| p.get("estimated")).and_then(Value::as_bool).unwrap_or(false)
    }

    fn take(&mut self, line: &Value) -> Result<(), String> {
        self.lines += 1;
        match line.get("schema").and_then(Value::as_str).ok_or("a line has no schema")? {
            "mems-profile/1" => self.profile = Some(line.clone()),
            "mems-modules/1" => self.modules.push(Module {
                path: line.get("path").and_then(Value::as_str).ok_or("a module has no path")?.into(),
                build_id: line.get("build_id").and_then(Value::as_str).unwrap_or("").into(),
                bias: line.get("bias").and_then(Value::as_u64).ok_or("a module has no bias")?,
            }),
            "mems-nodes/1" => self.take_nodes(line)?,
            "mems-sites/1" => self.take_sites(line)?,
            "mems-timeline/1" => {
                let rows = Rows::of(line, &["t_ns", "live", "mapped", "calls"])?;
                rows.each(|row| {
                    self.timeline.push([row[0], row[1], row[2], row[3]].map(|n| n.max(0) as u64));
                    Ok(())
                })?;
            }
            "mems-chain/1" => self.take_region(line)?,
            "mems-end/1" => {
                if line.get("lines").and_then(Value::as_u64) != Some(self.lines - 1) {
                    return Err("lines of the record are missing".into());
                }
                self.ended = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn take_nodes(&mut self, line: &Value) -> Result<(), String> {
        let first = line.get("first").and_then(Value::as_u64).ok_or("nodes have no first")?;
        if first != self.nodes.len() as u64 {
            return Err(format!("nodes begin at {first}, not at {}", self.nodes.len()));
        }
        let rows = Rows::of(line, &["parent", "address", "module"])?;
        rows.each(|row| {
            let parent = usize::try_from(row[0]).ok().filter(|parent| *parent < self.nodes.len());
            let parent = parent.ok_or("a node's parent does not stand before it")?;
            let module = usize::try_from(row[2]).ok();
            self.nodes.push(Node { parent, address: row[1] as u64, module });
            Ok(())
        })
    }

    fn take_sites(&mut self, line: &Value) -> Result<(), String> {
        let names: Vec<&str> = std::iter::once("node").chain(COLUMNS).collect();
        let rows = Rows::of(line, &names)?;
        rows.each(|row| {
            let node = usize::try_from(row[0]).ok().filter(|node| *node < self.nodes.len());
            let node = node.ok_or("a site's node is not in the record")?;
            self.sites.push(Site { node, figures: std::array::from_fn(|i| row[i + 1]) });
            Ok(())
        })
    }

    fn take_region(&mut self, line: &Value) -> Result<(), String> {
        if line.get("cut").and_then(Value::as_bool) == Some(true) {
            self.chain_cut =
                ["regions", "segments"].map(|name| line.get(name).and_then(Value::as_u64).unwrap_or(0));
            return Ok(());
        }
        let number =
            |name: &str| line.get(name).and_then(Value::as_u64).ok_or(format!("a region has no {name}"));
        if line.get("from").and_then(Value::as_u64).unwrap_or(0) == 0 {
            self.regions.push(Region {
                start: number("start")?,
                bytes: number("bytes")?,
                segments: Vec::new(),
            });
        }
        let region = self.regions.last_mut().ok_or("a sub-chain has no region")?;
        let segments = line.get("segments").and_then(Value::as_array).ok_or("a region has no segments")?;
        for segment in segments {
            let figure = |i: usize| segment.get(i).and_then(Value::as_u64);
            let slab =
                figure(2).zip(figure(3)).zip(figure(4)).map(|((slot, slots), used)| [slot, slots, used]);
            let process = match segment.get(0).and_then(Value::as_str) {
                Some("P") => true,
                Some("H") => false,
                _ => return Err("a segment is neither P nor H".into()),
            };
            region.segments.push(Segment {
                process,
                bytes: figure(1).ok_or("a segment has no length")?,
                slab,
            });
        }
        Ok(())
    }

    /// Whether lines are missing at its end.
    fn is_cut(&self) -> bool {
        self.lines > 1 && !self.ended
    }
}

/// A table of whole numbers, read by the names of its columns.
struct Rows<'a> {
    places: Vec<Option<usize>>,
    rows: &'a [Value],
}

impl<'a> Rows<'a> {
    fn of(line: &'a Value, names: &[&str]) -> Result<Rows<'a>, String> {
        let columns = line.get("columns").and_then(Value::as_array).ok_or("a table has no columns")?;
        let place = |name: &&str| columns.iter().position(|column| column.as_str() == Some(name));
        let rows = line.get("rows").and_then(Value::as_array).ok_or("a table has no rows")?;
        let places: Vec<_> = names.iter().map(place).collect();
        if places.first().copied().flatten().is_none() {
            return Err(format!("a table has no column {}", names[0]));
        }
        Ok(Rows { places, rows })
    }

    /// Shows each row's figures; a column that is not there is 0.
    fn each(&self, mut see: impl FnMut(&[i64]) -> Result<(), String>) -> Result<(), String> {
        let mut figures = Vec::new();
        for row in self.rows {
            figures.clear();
            for place in &self.places {
                figures.push(match place {
                    Some(column) => whole(row.get(*column)).ok_or("a row lacks a whole number")?,
                    None => 0,
                });
            }
            see(&figures)?;
        }
        Ok(())
    }
}

/// A whole number; above 2^63 (addresses) it wraps, and is cast back where it is used.
fn whole(value: Option<&Value>) -> Option<i64> {
    let value = value?;
    value.as_i64().or_else(|| value.as_u64().map(|n| n as i64))
}

/// The records of one file. A record that is cut short or not right is a failure with file and line.
pub fn read_file(path: &Path) -> Outcome<Vec<Record>> {
    let bytes =
        fs::read(path).map_err(|e| Failure::refused(format!("{}: {}", path.display(), reason(&e))))?;
    parse(path, &bytes)
}

/// As [`read_file`], of bytes that stand in that file.
pub fn parse(path: &Path, bytes: &[u8]) -> Outcome<Vec<Record>> {
    let wrong = |number: usize, text: &str| Failure::wrong(format!("{}:{number}: {text}", path.display()));
    let mut records: Vec<Record> = Vec::new();
    let mut last = 0;
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let number = index + 1;
        last = number;
        let value: Value = serde_json::from_slice(line).map_err(|error| match error.is_eof() {
            true => wrong(number, "the record is cut short in the middle of this line"),
            false => wrong(number, &format!("not JSON: {error}")),
        })?;
        if value.get("schema").and_then(Value::as_str) == Some("mems/1") {
            if records.last().is_some_and(Record::is_cut) {
                return Err(wrong(number, "the record before this line is cut short"));
            }
            if value.pointer("/process/pid").and_then(Value::as_u64).is_none() {
                return Err(wrong(number, "a mems/1 line without process.pid"));
            }
            records.push(Record::new(value));
        } else {
            let record = records.last_mut();
            let record =
                record.ok_or_else(|| wrong(number, "not a record: it must begin with a mems/1 line"))?;
            record.take(&value).map_err(|text| wrong(number, &text))?;
        }
    }
    match records.last() {
        None => Err(wrong(1, "there is no record in this file")),
        Some(record) if record.is_cut() => {
            Err(wrong(last, "the record is cut short after this line: its mems-end/1 line is missing"))
        }
        Some(_) => Ok(records),
    }
}

/// The records of a file, or of all `*.mems` files of a directory, in order of their start. With a directory, files that
/// are not right are left out and returned beside the records.
pub fn read(path: &Path) -> Outcome<(Vec<Record>, Vec<Failure>)> {
    if !path.is_dir() {
        return Ok((read_file(path)?, Vec::new()));
    }
    let cannot = |e: std::io::Error| Failure::refused(format!("{}: {}", path.display(), reason(&e)));
    let mut files: Vec<PathBuf> =
        fs::read_dir(path).map_err(cannot)?.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "mems" || extension == "json"));
    files.sort();
    let (mut records, mut failures) = (Vec::new(), Vec::new());
    for file in files {
        match read_file(&file) {
            Ok(found) => records.extend(found),
            Err(failure) => failures.push(failure),
        }
    }
    if records.is_empty() {
        return Err(failures.into_iter().next().unwrap_or_else(|| {
            Failure::wrong(format!("{}: there is no record (*.mems) in this directory", path.display()))
        }));
    }
    records.sort_by_key(|record| record.number("/process/start_unix_ns"));
    Ok((records, failures))
}

//! A profile in the pprof format (profile.proto, gzipped), which Pyroscope, Parca, Grafana and `go tool pprof` take as it is.
//!
//! Written by hand: the format is a dozen messages of numbers. The field numbers are those of
//! github.com/google/pprof/proto/profile.proto.

use std::collections::HashMap;
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::record::Record;
use crate::sites::Sites;

/// Fields of one protobuf message.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.0.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.0.push(n as u8);
    }

    fn number(&mut self, field: u32, n: i64) {
        if n != 0 {
            self.varint(u64::from(field) << 3);
            self.varint(n as u64);
        }
    }

    fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn numbers(&mut self, field: u32, numbers: &[i64]) {
        let mut packed = Message::default();
        numbers.iter().for_each(|n| packed.varint(*n as u64));
        self.bytes(field, &packed.0);
    }

    fn message(&mut self, field: u32, fill: impl FnOnce(&mut Message)) {
        let mut inner = Message::default();
        fill(&mut inner);
        self.bytes(field, &inner.0);
    }
}

/// Texts by number; number 0 is the empty one.
struct Texts {
    all: Vec<String>,
    numbers: HashMap<String, i64>,
}

impl Texts {
    fn number(&mut self, text: &str) -> i64 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.all.len() as i64;
        self.all.push(text.into());
        self.numbers.insert(text.into(), number);
        number
    }
}

/// What each sample has, in the order of its values.
const TYPES: [(&str, &str); 7] = [
    ("alloc_objects", "count"),
    ("alloc_space", "bytes"),
    ("inuse_objects", "count"),
    ("inuse_space", "bytes"),
    ("peak_objects", "count"),
    ("peak_space", "bytes"),
    ("temporary_objects", "count"),
];

/// Writes the profile.
pub fn write(records: &[Record], sites: &Sites, to: impl Write) -> io::Result<()> {
    let mut texts = Texts { all: vec![String::new()], numbers: HashMap::from([(String::new(), 0)]) };
    let mut profile = Message::default();
    for (kind, unit) in TYPES {
        let (kind, unit) = (texts.number(kind), texts.number(unit));
        profile.message(1, |to| {
            to.number(1, kind);
            to.number(2, unit);
        });
    }
    for stack in &sites.stacks {
        let f = &stack.figures;
        let values =
            [f.calls(), f.asked(), f.live_blocks(), f.live(), f.peak_blocks(), f.peak(), f.temporary()];
        // An inlined frame and the one it is in are one location, whose number is that of the innermost frame's.
        let locations: Vec<i64> = stack.frames.iter().map(|frame| *frame as i64 + 1).collect();
        profile.message(2, |to| {
            to.numbers(1, &locations);
            to.numbers(2, &values);
        });
    }
    let mut modules: Vec<&str> = sites.frames.iter().map(|frame| frame.module.as_str()).collect();
    modules.sort_unstable();
    modules.dedup();
    for (index, module) in modules.iter().enumerate() {
        let ids: Option<&str> =
            records.iter().flat_map(|r| &r.modules).find(|m| m.path == *module).map(|m| m.build_id.as_str());
        let (name, build_id) = (texts.number(module), texts.number(ids.unwrap_or("")));
        profile.message(3, |to| {
            to.number(1, index as i64 + 1);
            to.number(5, name);
            to.number(6, build_id);
            // has_functions, has_filenames, has_line_numbers, has_inline_frames: names are in the profile.
            (7..=10).for_each(|field| to.number(field, 1));
        });
    }
    for (index, frame) in sites.frames.iter().enumerate() {
        let number = index as i64 + 1;
        let module = modules.binary_search(&frame.module.as_str()).map_or(0, |at| at as i64 + 1);
        profile.message(4, |to| {
            to.number(1, number);
            to.number(2, module);
            to.message(4, |line| {
                line.number(1, number);
                line.number(2, i64::from(frame.line));
            });
        });
        let (name, file) = (texts.number(&frame.function), texts.number(frame.file.as_deref().unwrap_or("")));
        profile.message(5, |to| {
            to.number(1, number);
            to.number(2, name);
            to.number(3, name);
            to.number(4, file);
        });
    }
    let start = records.iter().map(|record| record.number("/process/start_unix_ns")).min().unwrap_or(0);
    let end =
        records.iter().map(|r| r.number("/process/start_unix_ns") + r.number("/process/elapsed_ns")).max();
    profile.number(9, start);
    profile.number(10, end.unwrap_or(0) - start);
    let (kind, unit) = (texts.number("space"), texts.number("bytes"));
    profile.message(11, |to| {
        to.number(1, kind);
        to.number(2, unit);
    });
    let interval =
        records.iter().filter_map(|r| r.profile.as_ref()?.get("interval")?.as_i64()).max().unwrap_or(0);
    profile.number(12, interval.max(1));
    if sites.estimated {
        let comment = texts.number("figures are unbiased estimates from samples");
        profile.numbers(13, &[comment]);
    }
    let default = texts.number("inuse_space");
    profile.number(14, default);
    texts.all.iter().for_each(|text| profile.bytes(6, text.as_bytes()));
    let mut gzip = GzEncoder::new(to, Compression::default());
    gzip.write_all(&profile.0)?;
    gzip.finish()?.flush()
}

//! The record of a process (`MEMS_RECORD`): the dump's object and what call sites, time line and main chain say, as JSON
//! lines. docs/record.md is the format.
//!
//! Written at the end of the process like the dump: no lock is waited for, nothing allocated. Every line is bounded, and
//! so is the whole: by the rooms of the tables that it is written from.

mod sites;

use crate::buffer::Buffer;
use crate::count::WalkItem;
use crate::profile::{self, Mode, modules, timeline};
use crate::report::{Report, json};
use crate::snapshot;

use super::json::{field, string};

/// Segments of the main chain that are listed.
const SEGMENTS: usize = 4096;
/// Segments a line.
const SEGMENTS_A_LINE: usize = 800;

/// Bytes that are enough for the record now, with arguments of up to `args` bytes.
pub fn room(args: usize) -> usize {
    const MODULE: usize = 6 * 1024 + 1024;
    let modules = (modules::known().len() + 8) * MODULE;
    json::room(args) + modules + sites::room() + timeline::SAMPLES * 96 + (SEGMENTS + 1024) * 96 + (64 << 10)
}

/// The record being written: counts its lines.
struct Lines<'a, 'b> {
    to: &'a mut Buffer<'b>,
    count: u64,
}

impl Lines<'_, '_> {
    /// Begins a line of this kind; its fields follow, each with a comma in front.
    fn begin(&mut self, kind: &str) -> &mut Self {
        self.to.text("{\"schema\":\"mems-");
        self.to.text(kind);
        self.to.text("/1\"");
        self
    }

    fn end(&mut self) {
        self.to.text("}\n");
        self.count += 1;
    }
}

/// Writes the record. Needs [`room`], taken at the same moment.
pub fn write(report: &Report, to: &mut Buffer) {
    json::write(report, to);
    let mut lines = Lines { to, count: 1 };
    header(&mut lines);
    if profile::is_on() {
        modules::check_last();
        for (number, module) in modules::known().iter().enumerate() {
            one_module(number, module, report, &mut lines);
        }
        sites::nodes(&mut lines);
        sites::rows(report, &mut lines);
    }
    time(report, &mut lines);
    chain(&mut lines);
    let count = lines.count;
    field(",lines", count, lines.begin("end").to);
    lines.end();
}

fn header(lines: &mut Lines) {
    let mode = profile::mode();
    let to = &mut *lines.begin("profile").to;
    to.text(",\"mode\":\"");
    to.text(mode.name());
    to.text("\"");
    field(",interval", profile::interval() as u64, to);
    to.text(if mode == Mode::Sample { ",\"estimated\":true" } else { ",\"estimated\":false" });
    field(",sites", profile::sites::count() as u64, to);
    field(",nodes", profile::sites::nodes().len() as u64, to);
    field(",lost_sites", profile::sites::lost(), to);
    field(",cut_stacks", profile::cut(), to);
    field(",generation", modules::generation().into(), to);
    field(",frames_max", profile::FRAMES as u64, to);
    lines.end();
}

fn one_module(number: usize, module: &modules::Module, report: &Report, lines: &mut Lines) {
    let to = &mut *lines.begin("modules").to;
    field(",module", number as u64, to);
    to.text(",\"path\":");
    // The linker has no name for the program itself.
    string(if module.path().is_empty() { report.process.exe } else { module.path() }, to);
    to.text(",\"build_id\":\"");
    for byte in module.build_id() {
        to.hex(usize::from(byte >> 4));
        to.hex(usize::from(byte & 15));
    }
    to.text("\"");
    field(",bias", module.bias as u64, to);
    field(",start", module.place.start as u64, to);
    field(",end", module.place.end as u64, to);
    to.text(",\"text\":[");
    for (index, (from, end)) in module.texts.iter().filter(|text| text.1 != 0).enumerate() {
        to.text(if index == 0 { "[" } else { ",[" });
        numbers(&[*from as i128, *end as i128], to);
        to.text("]");
    }
    to.text("]");
    field(",from", module.from.into(), to);
    match module.to {
        u32::MAX => to.text(",\"to\":null"),
        generation => field(",to", generation.into(), to),
    }
    lines.end();
}

/// Numbers with commas between them.
fn numbers(row: &[i128], to: &mut Buffer) {
    for (index, value) in row.iter().enumerate() {
        to.text(if index == 0 { "" } else { "," });
        if *value < 0 {
            to.text("-");
        }
        to.number(value.unsigned_abs() as u64);
    }
}

fn time(report: &Report, lines: &mut Lines) {
    timeline::see(|timeline| {
        let to = &mut *lines.begin("timeline").to;
        field(",step_ns", timeline.step(), to);
        to.text(",\"columns\":[\"t_ns\",\"live\",\"mapped\",\"calls\"],\"rows\":[");
        for (index, sample) in timeline.samples().iter().enumerate() {
            to.text(if index == 0 { "[" } else { ",[" });
            let at = sample.at_ns.saturating_sub(report.process.start_ns);
            numbers(&[at, sample.live, sample.mapped, sample.calls].map(i128::from), to);
            to.text("]");
        }
        to.text("]");
        lines.end();
    });
}

/// Where the listing of the main chain is.
struct Listing {
    regions: u64,
    /// Segments of this region so far, and in this line.
    segments: u64,
    in_line: usize,
    open: Option<(usize, usize)>,
    listed: usize,
    left_out: (u64, u64),
}

fn chain(lines: &mut Lines) {
    let mut at = Listing { regions: 0, segments: 0, in_line: 0, open: None, listed: 0, left_out: (0, 0) };
    snapshot::walk(&mut |item| at.item(&item, lines));
    at.close(false, lines);
    if at.left_out != (0, 0) {
        let to = &mut *lines.begin("chain").to;
        to.text(",\"cut\":true");
        field(",regions", at.left_out.0, to);
        field(",segments", at.left_out.1, to);
        lines.end();
    }
}

impl Listing {
    fn item(&mut self, item: &WalkItem, lines: &mut Lines) {
        if self.listed >= SEGMENTS {
            match item {
                WalkItem::Region { .. } => self.left_out.0 += 1,
                _ => self.left_out.1 += 1,
            }
            return;
        }
        if let WalkItem::Region { start, bytes } = *item {
            self.close(false, lines);
            self.open = Some((start, bytes));
            (self.segments, self.in_line) = (0, 0);
            return;
        }
        if self.in_line == SEGMENTS_A_LINE {
            let region = self.open;
            self.close(true, lines);
            (self.open, self.in_line) = (region, 0);
            self.regions -= 1;
        }
        if self.in_line == 0 {
            let (start, bytes) = self.open.unwrap_or_default();
            let to = &mut *lines.begin("chain").to;
            field(",region", self.regions, to);
            field(",start", start as u64, to);
            field(",bytes", bytes as u64, to);
            field(",from", self.segments, to);
            to.text(",\"segments\":[");
        }
        let to = &mut *lines.to;
        to.text(if self.in_line == 0 { "[\"" } else { ",[\"" });
        match *item {
            WalkItem::Hole { bytes, .. } => {
                to.text("H\",");
                numbers(&[bytes as i128], to);
            }
            WalkItem::Process { bytes, slab, .. } => {
                to.text("P\",");
                match slab {
                    None => numbers(&[bytes as i128], to),
                    Some((slot, slots, used)) => {
                        numbers(&[bytes as i128, slot.into(), slots.into(), used.into()], to);
                    }
                }
            }
            WalkItem::Region { .. } => {}
        }
        to.text("]");
        self.in_line += 1;
        self.segments += 1;
        self.listed += 1;
    }

    /// Ends the line of a region, if one is begun.
    fn close(&mut self, more: bool, lines: &mut Lines) {
        if self.open.take().is_some() && self.in_line > 0 {
            lines.to.text(if more { "],\"more\":true" } else { "],\"more\":false" });
            lines.end();
            self.regions += 1;
        }
        self.in_line = 0;
    }
}

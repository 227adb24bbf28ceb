//! The call sites of a running process, read from outside: what each has asked and what of it is live.
//!
//! The process keeps them when it was started with MEMS_PROFILE (`mems run --profile`). Rows are summed over the heaps as
//! they stand while they are read; nothing is stopped. Names are looked up for the sites that are shown, and kept.

use std::collections::HashMap;
use std::io;

use mems_core::ledger::{BLOCK, ROWS, Row, Sum};
use mems_core::profile::modules::Module;
use mems_core::profile::sites::Node;
use mems_core::profile::{FRAMES, Mode};

use crate::figures::{cut, short};
use crate::memory::{Memory, place};
use crate::symbols::{Frame, Symbols};

/// Frames that stand in a site's line.
const SHOWN: usize = 6;

/// What a site has done by now.
#[derive(Clone, Copy, Default)]
pub struct Site {
    /// Its number in the process.
    pub number: usize,
    /// Blocks asked.
    pub calls: u64,
    /// Bytes asked.
    pub asked: u64,
    /// Blocks that are live.
    pub live_blocks: i64,
    /// Their usable bytes.
    pub live: i64,
    /// Blocks freed before the thread asked for another.
    pub temporary: u64,
}

/// All sites of a process at one moment.
pub struct Sites {
    /// How they are recorded.
    pub mode: Mode,
    /// Those that have been called.
    pub all: Vec<Site>,
}

/// Names of sites, kept from look to look.
#[derive(Default)]
pub struct Names {
    symbols: Symbols,
    /// By site, innermost frame first.
    stacks: HashMap<usize, Vec<Frame>>,
    modules: Vec<Module>,
}

/// How call sites are recorded there.
pub fn mode(memory: &Memory) -> io::Result<Mode> {
    let mut mode = [0];
    memory.read(place!(memory, sites, 3), &mut mode)?;
    let all = [Mode::Off, Mode::Sites, Mode::Stacks, Mode::Sample];
    Ok(all.into_iter().find(|known| *known as u8 == mode[0]).unwrap_or(Mode::Off))
}

/// The sites now. O(sites × heaps).
pub fn of(memory: &Memory) -> io::Result<Sites> {
    let mode = mode(memory)?;
    if mode == Mode::Off {
        return Ok(Sites { mode, all: Vec::new() });
    }
    let count = (memory.word(place!(memory, sites, 2))? as usize).min(1 << 20);
    let mut sums = vec![Sum { sizes: (u64::MAX, 0), ..Sum::default() }; count + 1];
    for heap in memory.heaps()? {
        let ledger = memory.word(heap + place!(memory, ledger))?;
        if ledger == 0 {
            continue;
        }
        let directory = memory.words(ledger + place!(memory, pages), 2)?;
        let pages = (count + 1).div_ceil(ROWS).min(directory[1] as usize);
        for (page, at) in memory.words(directory[0], pages)?.into_iter().enumerate() {
            if at != 0 {
                let sums = &mut sums[page * ROWS..];
                let rows: [Row; ROWS] = memory.value(at)?;
                rows.iter().zip(sums).for_each(|(row, sum)| row.sum_into(sum, None));
            }
        }
    }
    let unit = if mode == Mode::Sample { BLOCK } else { 1 };
    let site = |(number, sum): (usize, &Sum)| Site {
        number,
        calls: sum.calls / unit,
        asked: sum.asked,
        live_blocks: sum.live_blocks / unit as i64,
        live: sum.live_bytes,
        temporary: sum.temporary / unit,
    };
    let all = sums.iter().enumerate().skip(1).filter(|(_, sum)| sum.calls > 0 || sum.live_bytes > 0);
    Ok(Sites { mode, all: all.map(site).collect() })
}

impl Names {
    /// Looks up the functions of a site, unless that was done.
    pub fn look_up(&mut self, pid: u32, memory: &Memory, site: usize) {
        if !self.stacks.contains_key(&site) {
            let frames = self.read(pid, memory, site).unwrap_or_default();
            self.stacks.insert(site, frames);
        }
    }

    /// The functions of a site in one line, innermost first: `copy text.c:12 < read < main`.
    pub fn line(&self, site: usize) -> String {
        let Some(frames) = self.stacks.get(&site) else { return format!("site {site}") };
        let mut line = String::new();
        for (index, frame) in frames.iter().take(SHOWN).enumerate() {
            let place = match (&frame.file, frame.line) {
                (Some(file), line) if line > 0 => {
                    format!(" {}:{line}", file.rsplit('/').next().unwrap_or(file))
                }
                _ if frame.named && index == 0 => {
                    format!(" {}", frame.module.rsplit('/').next().unwrap_or(""))
                }
                _ => String::new(),
            };
            line +=
                &format!("{}{}{place}", if index > 0 { " < " } else { "" }, cut(&short(&frame.function), 60));
        }
        match frames.len().saturating_sub(SHOWN) {
            _ if line.is_empty() => "(not known)".into(),
            0 => line,
            more => format!("{line} < {more} more"),
        }
    }

    fn read(&mut self, pid: u32, memory: &Memory, site: usize) -> io::Result<Vec<Frame>> {
        let stacks = memory.word(place!(memory, sites, 0))?;
        let mut node = u64::from(memory.value::<u32>(stacks + site as u64 * 4)?);
        let nodes = memory.word(place!(memory, sites, 1))?;
        let mut frames = Vec::new();
        // A longer way is a ring: the table was read while it was written.
        for _ in 0..FRAMES {
            if node == 0 {
                break;
            }
            let at = nodes + node * size_of::<Node>() as u64;
            let (address, parent, module) = memory.value::<Node>(at)?.facts();
            frames.extend(self.frames(pid, memory, address as u64, module.into())?);
            node = parent.into();
        }
        Ok(frames)
    }

    fn frames(&mut self, pid: u32, memory: &Memory, address: u64, module: usize) -> io::Result<Vec<Frame>> {
        if module >= self.modules.len() {
            self.read_modules(memory)?;
        }
        let Some(module) = self.modules.get(module) else {
            let function = format!("{address:#x}");
            return Ok(vec![Frame { function, module: "?".into(), ..Frame::default() }]);
        };
        let mut path = String::from_utf8_lossy(module.path()).into_owned();
        if path.is_empty() {
            // The program itself; its file can be read also when its name has gone.
            let shown = crate::proc::executable(pid).unwrap_or_default();
            path = if shown.is_file() { shown.display().to_string() } else { format!("/proc/{pid}/exe") };
        }
        let build_id: String = module.build_id().iter().map(|byte| format!("{byte:02x}")).collect();
        // The line of the call, and not of what comes after it.
        Ok(self.symbols.at(&path, &build_id, address.wrapping_sub(1).wrapping_sub(module.bias as u64)))
    }

    fn read_modules(&mut self, memory: &Memory) -> io::Result<()> {
        let table = memory.word(place!(memory, modules, 0))?;
        let count = memory.word(place!(memory, modules, 1))? as usize;
        for number in self.modules.len()..count.min(mems_core::profile::modules::LIMIT) {
            self.modules.push(memory.value(table + (number * size_of::<Module>()) as u64)?);
        }
        Ok(())
    }
}

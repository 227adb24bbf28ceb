//! The model of mems_*: regions and segments in plain lists, first fit from the front, as the seed tells it.

use super::api::Api;
use super::input::Input;

const PAGE: usize = 4096;
const START: usize = 1000;
/// Regions at the most, so that lists stay short.
const REGIONS: usize = 40;

/// A segment: bytes, and what fills it if it is a PROCESS.
#[derive(Clone, Copy)]
struct Segment {
    size: usize,
    fill: Option<u8>,
}

#[derive(Clone)]
struct Region {
    start: usize,
    size: usize,
    /// Physical address of its first byte.
    base: usize,
    segments: Vec<Segment>,
}

/// The main chain.
#[derive(Clone, Default)]
pub struct Space {
    regions: Vec<Region>,
    next_fill: u8,
}

impl Space {
    /// mems_malloc: the address is the one that first fit gives.
    pub fn malloc(&mut self, api: &Api, size: usize, starved: bool) {
        let size = if size < 1 << 20 { size } else { size % 30_000 };
        if self.regions.len() >= REGIONS {
            return self.finish(api);
        }
        let mut at = self.regions.first().map_or(START, |region| region.start);
        let mut found = None;
        'all: for (r, region) in self.regions.iter().enumerate() {
            for (s, segment) in region.segments.iter().enumerate() {
                if segment.fill.is_none() && segment.size >= size {
                    found = Some((r, s));
                    break 'all;
                }
                at += segment.size;
            }
        }
        let got = api.mems_malloc(size);
        if size == 0 {
            return assert_eq!(got, 0, "no bytes, no address");
        }
        if got == 0 && starved && found.is_none() {
            return;
        }
        assert_eq!(got, at, "first fit for {size} bytes");
        self.next_fill = self.next_fill.wrapping_add(31);
        let fill = self.next_fill;
        let (r, s) = found.unwrap_or_else(|| {
            let whole = size.next_multiple_of(PAGE);
            let hole = Segment { size: whole, fill: None };
            let base = api.mems_get(at);
            self.regions.push(Region { start: at, size: whole, base, segments: vec![hole] });
            (self.regions.len() - 1, 0)
        });
        let region = &mut self.regions[r];
        let rest = region.segments[s].size - size;
        region.segments[s] = Segment { size, fill: Some(fill) };
        if rest > 0 {
            region.segments.insert(s + 1, Segment { size: rest, fill: None });
        }
        let physical = region.base + (at - region.start);
        assert_eq!(api.mems_get(at), physical);
        // SAFETY: the segment was just given out, `size` bytes long.
        unsafe { (physical as *mut u8).write_bytes(fill, size) };
    }

    /// mems_free of the n-th PROCESS, if there is one. Holes join within their region.
    pub fn free(&mut self, api: &Api, n: usize) {
        let all: Vec<(usize, usize)> = self
            .regions
            .iter()
            .enumerate()
            .flat_map(|(r, region)| (0..region.segments.len()).map(move |s| (r, s)))
            .filter(|&(r, s)| self.regions[r].segments[s].fill.is_some())
            .collect();
        let Some(&(r, s)) = all.get(n % all.len().max(1)) else { return };
        self.check_segment(r, s);
        let region = &mut self.regions[r];
        let at = region.start + region.segments[..s].iter().map(|segment| segment.size).sum::<usize>();
        api.mems_free(at);
        region.segments[s].fill = None;
        if s + 1 < region.segments.len() && region.segments[s + 1].fill.is_none() {
            region.segments[s].size += region.segments.remove(s + 1).size;
        }
        if s > 0 && region.segments[s - 1].fill.is_none() {
            region.segments[s - 1].size += region.segments.remove(s).size;
        }
        assert_eq!(api.mems_get(at), 0, "a hole has no physical address");
    }

    /// mems_get of any byte: inside, in a hole, outside.
    pub fn get(&self, api: &Api, input: &mut Input) {
        let end = self.regions.last().map_or(START, |region| region.start + region.size);
        let at = START.wrapping_sub(100) + input.word() * 7 % (end - START + 200);
        let mut expected = 0;
        for region in &self.regions {
            let mut from = region.start;
            for segment in &region.segments {
                if segment.fill.is_some() && (from..from + segment.size).contains(&at) {
                    expected = region.base + (at - region.start);
                }
                from += segment.size;
            }
        }
        assert_eq!(api.mems_get(at), expected, "physical address of {at}");
    }

    fn check_segment(&self, r: usize, s: usize) {
        let region = &self.regions[r];
        let before: usize = region.segments[..s].iter().map(|segment| segment.size).sum();
        let segment = region.segments[s];
        if let Some(fill) = segment.fill {
            // SAFETY: a live segment, whose physical address stays put.
            let bytes =
                unsafe { std::slice::from_raw_parts((region.base + before) as *const u8, segment.size) };
            assert!(bytes.iter().all(|&byte| byte == fill), "a segment keeps its bytes");
        }
    }

    pub fn check_all(&self) {
        for r in 0..self.regions.len() {
            (0..self.regions[r].segments.len()).for_each(|s| self.check_segment(r, s));
        }
    }

    /// mems_finish: the next address is the first again.
    pub fn finish(&mut self, api: &Api) {
        self.check_all();
        api.mems_finish();
        self.regions.clear();
    }
}

//! The chain against a shadow: a plain vector of segments that is scanned from the front. After every step the
//! two agree on every segment, and every link of the chain is checked from outside.

use mems_chain::{ALIGNED_TRIES, Chain, NoStorage, Node, NodeId, Nodes};
use proptest::prelude::*;

/// Storage with a limit, so that running out is tested too.
struct Store {
    nodes: Vec<Node>,
    limit: usize,
}

impl Nodes for Store {
    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index() as usize]
    }

    fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.index() as usize]
    }

    fn grow(&mut self) -> Option<NodeId> {
        if self.nodes.len() >= self.limit {
            return None;
        }
        self.nodes.push(Node::EMPTY);
        NodeId::new(self.nodes.len() as u32 - 1)
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Part {
    start: u64,
    size: u64,
    process: bool,
    tag: u64,
}

/// The naive chain.
#[derive(Default)]
struct Shadow {
    /// Regions: start, size, tag, segments.
    regions: Vec<(u64, u64, u64, Vec<Part>)>,
    end: u64,
}

impl Shadow {
    fn holes(&self) -> impl Iterator<Item = (usize, usize, &Part)> {
        self.regions.iter().enumerate().flat_map(|(r, region)| {
            region.3.iter().enumerate().filter(|(_, p)| !p.process).map(move |(s, p)| (r, s, p))
        })
    }

    fn push(&mut self, start: u64, size: u64, tag: u64) {
        self.regions.push((start, size, tag, vec![Part { start, size, process: false, tag: 0 }]));
        self.end = start + size;
    }

    fn fit(&self, size: u64, align: u64) -> Option<(usize, usize, u64)> {
        let mut bad = 0;
        for (r, s, p) in self.holes() {
            if p.size < size || (bad >= ALIGNED_TRIES && p.size < size + align - 1) {
                continue;
            }
            let lead = p.start.next_multiple_of(align) - p.start;
            if lead + size <= p.size {
                return Some((r, s, lead));
            }
            bad += 1;
        }
        None
    }

    fn take(&mut self, size: u64, align: u64) -> Option<u64> {
        let (r, s, lead) = self.fit(size, align)?;
        let segments = &mut self.regions[r].3;
        let hole = segments.remove(s);
        let rest = hole.size - lead - size;
        let at = hole.start + lead;
        if rest > 0 {
            segments.insert(s, Part { start: at + size, size: rest, process: false, tag: 0 });
        }
        segments.insert(s, Part { start: at, size, process: true, tag: 0 });
        if lead > 0 {
            segments.insert(s, Part { start: hole.start, size: lead, process: false, tag: 0 });
        }
        Some(at)
    }

    fn locate(&self, start: u64) -> Option<(usize, usize)> {
        self.regions.iter().enumerate().find_map(|(r, region)| {
            region.3.iter().position(|p| p.start <= start && start < p.start + p.size).map(|s| (r, s))
        })
    }

    fn put(&mut self, start: u64) -> Part {
        let (r, s) = self.locate(start).unwrap();
        let segments = &mut self.regions[r].3;
        segments[s].process = false;
        segments[s].tag = 0;
        join_at(segments, s);
        if s > 0 {
            join_at(segments, s - 1)
        }
        let (r, s) = self.locate(start).unwrap();
        self.regions[r].3[s].clone()
    }

    fn grow(&mut self, start: u64, size: u64) -> bool {
        let (r, s) = self.locate(start).unwrap();
        let segments = &mut self.regions[r].3;
        if size < segments[s].size {
            return false;
        }
        let more = size - segments[s].size;
        if more == 0 {
            return true;
        }
        match segments.get_mut(s + 1) {
            Some(hole) if !hole.process && hole.size >= more => {
                hole.start += more;
                hole.size -= more;
                if hole.size == 0 {
                    segments.remove(s + 1);
                }
                segments[s].size = size;
                true
            }
            _ => false,
        }
    }

    fn shrink(&mut self, start: u64, size: u64) {
        let (r, s) = self.locate(start).unwrap();
        let segments = &mut self.regions[r].3;
        let old = segments[s].size;
        if size == 0 || size >= old {
            return;
        }
        segments[s].size = size;
        segments.insert(s + 1, Part { start: start + size, size: old - size, process: false, tag: 0 });
        join_at(segments, s + 1);
    }
}

fn join_at(segments: &mut Vec<Part>, s: usize) {
    if s + 1 < segments.len() && !segments[s].process && !segments[s + 1].process {
        segments[s].size += segments[s + 1].size;
        segments.remove(s + 1);
    }
}

/// Everything the two can be compared by, and every promise that can be seen from outside.
fn check(chain: &Chain<Store>, shadow: &Shadow) {
    assert!(chain.audit(), "tree or link invariant broken");
    let regions: Vec<_> = chain.regions().collect();
    assert_eq!(regions.len(), shadow.regions.len());
    let (mut process, mut holes, mut hole_granules, mut granules, mut largest) = (0, 0, 0, 0, 0);
    for (region, (start, size, tag, parts)) in regions.iter().zip(&shadow.regions) {
        assert_eq!((region.start, region.size, region.tag), (*start, *size, *tag));
        let segments: Vec<_> = chain.segments(region.id).collect();
        let seen: Vec<_> = segments
            .iter()
            .map(|(_, s)| Part { start: s.start, size: s.size, process: s.process, tag: s.tag })
            .collect();
        assert_eq!(&seen, parts);
        assert_eq!(region.first, segments[0].0);
        assert_eq!(region.last, segments[segments.len() - 1].0);
        let mut prev = None;
        for (i, (id, s)) in segments.iter().enumerate() {
            assert_eq!(s.region, region.id);
            let next = segments.get(i + 1).map(|(id, _)| *id);
            assert_eq!(chain.neighbours(*id), (prev, next));
            assert_eq!(chain.find(s.start), Some(*id));
            assert_eq!(chain.find(s.start + s.size - 1), Some(*id));
            prev = Some(*id);
            granules += s.size;
            if s.process {
                process += 1;
            } else {
                holes += 1;
                hole_granules += s.size;
                largest = largest.max(s.size);
            }
        }
    }
    let c = chain.counters();
    assert_eq!(c.regions, shadow.regions.len() as u64);
    assert_eq!((c.process, c.holes, c.hole_granules, c.granules), (process, holes, hole_granules, granules));
    assert_eq!(chain.largest_hole(), largest);
    assert_eq!(chain.end(), shadow.end);
    assert_eq!(chain.find(shadow.end), None);
}

#[derive(Clone, Debug)]
enum Step {
    Push { gap: u64, size: u64 },
    Remove(usize),
    Take(u64),
    TakeAligned(u64, u32),
    Put(usize),
    Grow(usize, u64),
    Shrink(usize, u64),
    NextHole(u64, u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0u64..3, 1u64..200).prop_map(|(gap, size)| Step::Push { gap, size }),
        1 => any::<usize>().prop_map(Step::Remove),
        8 => (1u64..24).prop_map(Step::Take),
        3 => (1u64..12, 0u32..6).prop_map(|(size, k)| Step::TakeAligned(size, k)),
        8 => any::<usize>().prop_map(Step::Put),
        2 => (any::<usize>(), 1u64..40).prop_map(|(i, n)| Step::Grow(i, n)),
        2 => (any::<usize>(), 0u64..24).prop_map(|(i, n)| Step::Shrink(i, n)),
        1 => (0u64..2000, 0u64..24).prop_map(|(from, min)| Step::NextHole(from, min)),
    ]
}

fn run(start: u64, limit: usize, steps: &[Step]) {
    let mut chain = Chain::new(Store { nodes: Vec::new(), limit });
    let mut shadow = Shadow { end: start, ..Shadow::default() };
    chain.set_start(start);
    let mut live: Vec<NodeId> = Vec::new();
    for step in steps {
        match *step {
            Step::Push { gap, size } => {
                let (at, tag) = (shadow.end + gap, shadow.end ^ size);
                match chain.push_region(at, size, tag) {
                    Ok(id) => {
                        shadow.push(at, size, tag);
                        assert_eq!(chain.region(id).start, at);
                    }
                    Err(NoStorage) => assert!(chain.nodes().nodes.len() == limit),
                }
            }
            Step::Remove(i) => {
                let Some(region) = chain.regions().nth(i % shadow.regions.len().max(1)) else { continue };
                let r = i % shadow.regions.len();
                let empty = shadow.regions[r].3.len() == 1 && !shadow.regions[r].3[0].process;
                assert_eq!(chain.remove_region(region.id), empty);
                if empty {
                    shadow.regions.remove(r);
                }
            }
            Step::Take(size) => match chain.take(size) {
                Ok(id) => {
                    assert_eq!(id.map(|id| chain.segment(id).start), shadow.take(size, 1));
                    note(&mut chain, &mut shadow, &mut live, id);
                }
                Err(NoStorage) => assert!(chain.nodes().nodes.len() == limit),
            },
            Step::TakeAligned(size, k) => match chain.take_aligned(size, 1 << k) {
                Ok(id) => {
                    assert_eq!(id.map(|id| chain.segment(id).start), shadow.take(size, 1 << k));
                    note(&mut chain, &mut shadow, &mut live, id);
                }
                Err(NoStorage) => assert!(chain.nodes().nodes.len() == limit),
            },
            Step::Put(i) if !live.is_empty() => {
                let id = live.swap_remove(i % live.len());
                let start = chain.segment(id).start;
                let hole = chain.put(id);
                let hole = chain.segment(hole);
                let part = shadow.put(start);
                assert_eq!((hole.start, hole.size, hole.process), (part.start, part.size, false));
            }
            Step::Grow(i, size) if !live.is_empty() => {
                let id = live[i % live.len()];
                let start = chain.segment(id).start;
                assert_eq!(chain.grow(id, size), shadow.grow(start, size));
            }
            Step::Shrink(i, size) if !live.is_empty() => {
                let id = live[i % live.len()];
                let start = chain.segment(id).start;
                match chain.shrink(id, size) {
                    Ok(()) => shadow.shrink(start, size),
                    Err(NoStorage) => assert!(chain.nodes().nodes.len() == limit),
                }
            }
            Step::NextHole(from, min) => {
                let naive = shadow.holes().find(|(_, _, p)| p.start >= from && p.size >= min.max(1));
                let found = chain.next_hole(from, min).map(|id| chain.segment(id).start);
                assert_eq!(found, naive.map(|(_, _, p)| p.start));
            }
            _ => {}
        }
        check(&chain, &shadow);
    }
    // Everything goes back: each region is one HOLE again, and can be removed.
    for id in live {
        let start = chain.segment(id).start;
        chain.put(id);
        shadow.put(start);
        check(&chain, &shadow);
    }
    let regions: Vec<_> = chain.regions().collect();
    assert_eq!(chain.counters().holes, regions.len() as u64);
    for region in regions {
        assert!(chain.remove_region(region.id));
        assert!(chain.audit());
    }
    assert_eq!(chain.largest_hole(), 0);
    // Nodes are used again: a refilled chain needs no more storage than it once had.
    let had = chain.nodes().nodes.len();
    for _ in 0..had / 2 {
        chain.push_region(chain.end(), 1, 0).unwrap();
    }
    assert_eq!(chain.nodes().nodes.len(), had);
}

fn note(chain: &mut Chain<Store>, shadow: &mut Shadow, live: &mut Vec<NodeId>, id: Option<NodeId>) {
    let Some(id) = id else { return };
    let start = chain.segment(id).start;
    chain.set_tag(id, !start);
    let (r, s) = shadow.locate(start).unwrap();
    shadow.regions[r].3[s].tag = !start;
    live.push(id);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_a_linear_scan(start in 0u64..5000, steps in prop::collection::vec(step(), 1..400)) {
        run(start, usize::MAX, &steps);
    }

    #[test]
    fn changes_nothing_when_storage_runs_out(limit in 0usize..40, steps in prop::collection::vec(step(), 1..300)) {
        run(1000, limit, &steps);
    }
}

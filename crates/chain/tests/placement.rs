//! Single promises of the chain, one a test.

use mems_chain::{Chain, NoStorage, Node, NodeId, Nodes};

#[derive(Default)]
struct Store(Vec<Node>);

impl Nodes for Store {
    fn node(&self, id: NodeId) -> &Node {
        &self.0[id.index() as usize]
    }

    fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.0[id.index() as usize]
    }

    fn grow(&mut self) -> Option<NodeId> {
        self.0.push(Node::EMPTY);
        NodeId::new(self.0.len() as u32 - 1)
    }
}

fn chain(start: u64, regions: &[u64]) -> Chain<Store> {
    let mut chain = Chain::new(Store::default());
    chain.set_start(start);
    for &size in regions {
        chain.push_region(chain.end(), size, 0).unwrap();
    }
    chain
}

fn draw(chain: &Chain<Store>) -> String {
    let mut text = String::new();
    for region in chain.regions() {
        for (_, s) in chain.segments(region.id) {
            text += &format!("{}[{}:{}] ", if s.process { 'P' } else { 'H' }, s.start, s.start + s.size - 1);
        }
        text += "| ";
    }
    text
}

#[test]
fn a_take_leaves_process_in_front_and_the_hole_behind() {
    let mut chain = chain(1000, &[4096]);
    chain.take(1234).unwrap();
    assert_eq!(draw(&chain), "P[1000:2233] H[2234:5095] | ");
}

#[test]
fn an_exact_fit_leaves_no_empty_hole() {
    let mut chain = chain(0, &[100]);
    chain.take(100).unwrap();
    assert_eq!(draw(&chain), "P[0:99] | ");
    assert_eq!(chain.counters().splits, 0);
    assert_eq!(chain.take(1), Ok(None));
}

#[test]
fn a_put_joins_both_neighbours_but_never_across_regions() {
    let mut chain = chain(0, &[30, 30]);
    let ids: Vec<_> = (0..6).map(|_| chain.take(10).unwrap().unwrap()).collect();
    chain.put(ids[2]);
    chain.put(ids[3]);
    assert_eq!(draw(&chain), "P[0:9] P[10:19] H[20:29] | H[30:39] P[40:49] P[50:59] | ");
    chain.put(ids[0]);
    chain.put(ids[1]);
    assert_eq!(draw(&chain), "H[0:29] | H[30:39] P[40:49] P[50:59] | ");
    assert_eq!(chain.counters().joins, 2);
}

#[test]
fn an_aligned_take_leaves_a_hole_in_front() {
    let mut chain = chain(3, &[100]);
    let id = chain.take_aligned(10, 16).unwrap().unwrap();
    assert_eq!(chain.segment(id).start, 16);
    assert_eq!(draw(&chain), "H[3:15] P[16:25] H[26:102] | ");
}

#[test]
fn an_illegal_region_is_refused_and_changes_nothing() {
    let mut chain = chain(10, &[10]);
    assert_eq!(chain.push_region(19, 5, 0), Err(NoStorage));
    assert_eq!(chain.push_region(20, 0, 0), Err(NoStorage));
    assert_eq!(chain.push_region(u64::MAX - 3, 5, 0), Err(NoStorage));
    assert_eq!(draw(&chain), "H[10:19] | ");
}

#[test]
fn putting_a_hole_changes_nothing() {
    let mut chain = chain(0, &[10]);
    let id = chain.take(4).unwrap().unwrap();
    let hole = chain.put(id);
    assert_eq!(chain.put(hole), hole);
    assert_eq!(draw(&chain), "H[0:9] | ");
}

#[test]
fn addresses_of_removed_regions_are_not_used_again() {
    let mut chain = chain(0, &[10]);
    let region = chain.regions().next().unwrap();
    assert!(chain.remove_region(region.id));
    assert_eq!(chain.end(), 10);
    assert_eq!(chain.find(5), None);
    assert_eq!(chain.push_region(5, 10, 0), Err(NoStorage));
    assert!(chain.push_region(10, 10, 0).is_ok());
}

#[test]
fn a_million_segments_stay_balanced() {
    let mut chain = chain(0, &[]);
    for _ in 0..1000 {
        chain.push_region(chain.end(), 1000, 0).unwrap();
    }
    let ids: Vec<_> = (0..1_000_000).map(|_| chain.take(1).unwrap().unwrap()).collect();
    assert!(chain.audit());
    for id in ids.iter().step_by(2) {
        chain.put(*id);
    }
    assert!(chain.audit());
    assert_eq!(chain.largest_hole(), 1);
    for id in ids.iter().skip(1).step_by(2) {
        chain.put(*id);
    }
    assert!(chain.audit());
    assert_eq!((chain.largest_hole(), chain.counters().holes), (1000, 1000));
}

#[test]
fn reserved_nodes_serve_a_push_and_a_take() {
    struct Never(Vec<Node>, bool);
    impl Nodes for Never {
        fn node(&self, id: NodeId) -> &Node {
            &self.0[id.index() as usize]
        }
        fn node_mut(&mut self, id: NodeId) -> &mut Node {
            &mut self.0[id.index() as usize]
        }
        fn grow(&mut self) -> Option<NodeId> {
            if self.1 {
                return None;
            }
            self.0.push(Node::EMPTY);
            NodeId::new(self.0.len() as u32 - 1)
        }
    }
    let mut chain = Chain::new(Never(Vec::new(), false));
    chain.reserve(3).unwrap();
    chain.nodes_mut().1 = true;
    assert!(chain.push_region(0, 10, 0).is_ok());
    assert!(chain.take(4).unwrap().is_some());
    assert_eq!(chain.take(4), Err(NoStorage));
    assert_eq!(chain.reserve(1), Err(NoStorage));
}

//! Branch and bound: a node is chosen, or it is contracted.

use super::graph::Graph;
use super::reduce::reduce;

/// Returns a minimum set of at most `upper` nodes; `None` if `budget` is exceeded.
pub(super) fn solve(graph: &Graph, upper: &[usize], budget: &mut usize) -> Option<Vec<usize>> {
    let mut best = Best { nodes: upper.to_vec(), budget };
    best.branch(graph.clone(), Vec::new())?;
    Some(best.nodes)
}

struct Best<'a> {
    nodes: Vec<usize>,
    budget: &'a mut usize,
}

impl Best<'_> {
    fn branch(&mut self, mut graph: Graph, mut chosen: Vec<usize>) -> Option<()> {
        // Reducing, bounding and copying visit the whole graph a few times.
        *self.budget = self.budget.checked_sub(8 * graph.size() + 1)?;
        reduce(&mut graph, &mut chosen);
        if graph.is_empty() {
            if chosen.len() < self.nodes.len() {
                self.nodes = chosen;
            }
            return Some(());
        }
        if chosen.len() + disjoint_cycles(&graph) >= self.nodes.len() {
            return Some(());
        }
        let Some(node) = max_degree_node(&graph) else { return Some(()) };

        let mut without = graph.clone();
        without.remove(node);
        let mut and_node = chosen.clone();
        and_node.push(node as usize);
        self.branch(without, and_node)?;

        graph.contract(node);
        self.branch(graph, chosen)
    }
}

/// The node that is probably in the most cycles, by degree.
pub(super) fn max_degree_node(graph: &Graph) -> Option<u32> {
    graph.nodes().max_by_key(|node| {
        let (out, into) = (graph.successors(*node), graph.predecessors(*node));
        let pairs = out.intersection(into).count();
        (pairs, out.len() * into.len(), std::cmp::Reverse(*node))
    })
}

/// Lower bound: the number of disjoint cycles found greedily.
fn disjoint_cycles(graph: &Graph) -> usize {
    let mut left = graph.clone();
    let mut cycles = 0;
    reduce_and_count(&mut left, &mut cycles);
    while let Some(cycle) = short_cycle(&left) {
        cycles += 1;
        for node in cycle {
            left.remove(node);
        }
        reduce_and_count(&mut left, &mut cycles);
    }
    cycles
}

fn reduce_and_count(graph: &mut Graph, cycles: &mut usize) {
    let mut forced = Vec::new();
    reduce(graph, &mut forced);
    *cycles += forced.len();
}

/// A shortest cycle through a node of the smallest degree.
fn short_cycle(graph: &Graph) -> Option<Vec<u32>> {
    let start = graph.nodes().min_by_key(|node| graph.successors(*node).len() + graph.predecessors(*node).len())?;
    let mut came_from = std::collections::BTreeMap::from([(start, start)]);
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for to in graph.successors(node) {
            if *to == start {
                let mut cycle = vec![node];
                let mut at = node;
                while at != start {
                    at = came_from[&at];
                    cycle.push(at);
                }
                return Some(cycle);
            }
            if !came_from.contains_key(to) {
                came_from.insert(*to, node);
                queue.push_back(*to);
            }
        }
    }
    // In no cycle.
    let mut rest = graph.clone();
    rest.remove(start);
    short_cycle(&rest)
}

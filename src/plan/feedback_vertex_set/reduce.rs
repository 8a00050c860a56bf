//! Reduction rules that preserve the size of a minimum set (Levy and Low, 1988).

use super::graph::Graph;

/// Applies the rules until none matches; adds forced nodes to `chosen`.
///
/// - No predecessors or no successors: the node is in no cycle; remove it.
/// - Self-loop: the node must be chosen.
/// - Exactly one predecessor or successor: contract the node, since that neighbor is at least as good a choice.
pub(super) fn reduce(graph: &mut Graph, chosen: &mut Vec<usize>) {
    let mut work: Vec<u32> = graph.nodes().collect();
    while let Some(node) = work.pop() {
        if !graph.has(node) {
            continue;
        }
        if graph.has_loop(node) {
            chosen.push(node as usize);
            work.extend(graph.remove(node));
        } else if graph.successors(node).is_empty() || graph.predecessors(node).is_empty() {
            work.extend(graph.remove(node));
        } else if graph.successors(node).len() == 1 || graph.predecessors(node).len() == 1 {
            work.extend(graph.contract(node));
        }
    }
}

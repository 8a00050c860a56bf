//! What can be decided without trying. Each rule keeps the size of a smallest set (Levy and Low, 1988).

use super::graph::Graph;

/// Applies the rules until none fits; nodes that must go are added to `chosen`.
///
/// - Nobody waits for it, or it waits for nobody: it is in no ring, it stays.
/// - It waits for itself: it must go.
/// - It waits for one only, or one only waits for it: that one does at least as well, it stays.
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

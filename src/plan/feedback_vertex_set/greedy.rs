//! Greedy heuristic: repeatedly choose the node of the highest degree and reduce.

use super::graph::Graph;
use super::is_acyclic;
use super::reduce::reduce;
use super::search::max_degree_node;

/// Returns a set that breaks every cycle and of which no single node is redundant.
pub(super) fn solve(graph: &Graph) -> Vec<usize> {
    let mut left = graph.clone();
    let mut chosen = Vec::new();
    loop {
        reduce(&mut left, &mut chosen);
        let Some(node) = max_degree_node(&left) else { break };
        chosen.push(node as usize);
        left.remove(node);
    }
    drop_redundant(graph, chosen)
}

/// Removes redundant nodes from the set.
fn drop_redundant(graph: &Graph, chosen: Vec<usize>) -> Vec<usize> {
    // Each attempt visits the whole graph.
    const LARGEST: usize = 2_000;
    if chosen.len() > LARGEST {
        return chosen;
    }
    let edges = graph.edges();
    let mut without: Vec<bool> = (0..edges.len() as u32).map(|node| !graph.has(node)).collect();
    chosen.iter().for_each(|node| without[*node] = true);
    chosen
        .into_iter()
        .filter(|node| {
            without[*node] = false;
            let needed = !is_acyclic(&edges, &without);
            without[*node] = needed;
            needed
        })
        .collect()
}

//! A good answer without a search: the busiest node goes, what that decides is decided, and so on.

use super::graph::Graph;
use super::is_acyclic;
use super::reduce::reduce;
use super::search::max_degree_node;

/// A set that leaves no ring of `graph`, from which no single node can be spared.
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

/// Puts back what turned out not to be needed.
fn drop_redundant(graph: &Graph, chosen: Vec<usize>) -> Vec<usize> {
    // Trying each costs a look at the whole graph.
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

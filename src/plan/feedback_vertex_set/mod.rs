//! Minimum feedback vertex set: the smallest set of nodes whose removal breaks every cycle of a directed graph.
//!
//! | module | purpose |
//! |---|---|
//! | `graph` | a graph that supports removing nodes |
//! | `reduce` | reduction rules that preserve optimality |
//! | `search` | branch and bound on the reduced graph, within a budget |
//! | `greedy` | heuristic if the budget is exceeded |
//!
//! The problem is NP-hard in general. Here a network depends on at most two others, so reductions and a short search
//! solve realistic locations. Nodes are plain integers.

mod graph;
mod greedy;
mod reduce;
mod search;

use graph::Graph;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedbackVertexSet {
    pub nodes: Vec<usize>,
    pub is_minimal: bool,
}

/// Budget of the exact search in visited nodes and edges; takes less than 100 ms.
pub const BUDGET: usize = 2_000_000;

/// Finds a minimum set, or a small one that may not be minimal if `budget` is exceeded.
///
/// `depends_on[u]` are the successors of `u`.
pub fn smallest(edges: &[Vec<usize>], budget: usize) -> FeedbackVertexSet {
    let mut graph = Graph::new(edges);
    let mut nodes = Vec::new();
    reduce::reduce(&mut graph, &mut nodes);
    let mut budget = budget;
    let mut is_minimal = true;
    for component in graph.components() {
        let part = graph.restricted_to(&component);
        let upper = greedy::solve(&part);
        match search::solve(&part, &upper, &mut budget) {
            Some(best) => nodes.extend(best),
            None => {
                is_minimal = false;
                nodes.extend(upper);
            }
        }
    }
    nodes.sort_unstable();
    FeedbackVertexSet { nodes, is_minimal }
}

/// Whether the graph is acyclic without the nodes `without`.
pub(super) fn is_acyclic(edges: &[Vec<usize>], without: &[bool]) -> bool {
    let mut indegree = vec![0_usize; edges.len()];
    for (_, targets) in edges.iter().enumerate().filter(|(from, _)| !without[*from]) {
        for to in targets.iter().filter(|to| !without[**to]) {
            indegree[*to] += 1;
        }
    }
    let mut free: Vec<usize> = (0..edges.len()).filter(|node| !without[*node] && indegree[*node] == 0).collect();
    let mut left = without.iter().filter(|out| !**out).count();
    while let Some(node) = free.pop() {
        left -= 1;
        for to in edges[node].iter().filter(|to| !without[**to]) {
            indegree[*to] -= 1;
            if indegree[*to] == 0 {
                free.push(*to);
            }
        }
    }
    left == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Size of a minimum set by exhaustive search.
    fn by_trying(edges: &[Vec<usize>]) -> usize {
        (0_u32..1 << edges.len())
            .filter(|set| {
                let without: Vec<bool> = (0..edges.len()).map(|node| set & (1 << node) != 0).collect();
                is_acyclic(edges, &without)
            })
            .map(u32::count_ones)
            .min()
            .unwrap_or(0) as usize
    }

    fn graphs(most: usize, degree: usize) -> impl Strategy<Value = Vec<Vec<usize>>> {
        (1..=most).prop_flat_map(move |n| {
            proptest::collection::vec(proptest::collection::btree_set(0..n, 0..=degree.min(n)), n)
                .prop_map(|sets| sets.into_iter().map(|set| set.into_iter().collect()).collect())
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn no_smaller_set_exists(edges in graphs(10, 3)) {
            let found = smallest(&edges, BUDGET);
            let mut without = vec![false; edges.len()];
            found.nodes.iter().for_each(|node| without[*node] = true);
            prop_assert!(is_acyclic(&edges, &without));
            prop_assert!(found.is_minimal);
            prop_assert_eq!(found.nodes.len(), by_trying(&edges));
        }

        #[test]
        fn without_a_budget_the_set_still_breaks_every_cycle(edges in graphs(40, 2)) {
            let found = smallest(&edges, 0);
            let mut without = vec![false; edges.len()];
            found.nodes.iter().for_each(|node| without[*node] = true);
            prop_assert!(is_acyclic(&edges, &without));
        }
    }
}

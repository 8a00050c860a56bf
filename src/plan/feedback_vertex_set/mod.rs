//! The fewest nodes of a directed graph that must go so that no ring is left: a smallest feedback vertex set.
//!
//! | file | what it is |
//! |---|---|
//! | `graph` | a graph that nodes can be taken out of |
//! | `reduce` | what can be decided without trying |
//! | `search` | branch and bound on what is left, within a budget |
//! | `greedy` | a good answer where the budget does not suffice |
//!
//! The problem is NP-hard in general. Here a network waits for at most two others, so reductions and a short search
//! solve what real locations hold. Bare integers: no network, no name, no code.

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

/// How much work the exact search may be, in visited nodes and edges: so much takes less than 100 ms.
pub const BUDGET: usize = 2_000_000;

/// Finds a smallest set; a small one that is not proven smallest when `budget` does not suffice.
///
/// `waits[u]` are the nodes that `u` has an edge to.
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

/// Whether the graph has no ring once `without` are taken out.
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

    /// The size of a smallest set, by trying all sets.
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
        fn without_a_budget_the_answer_still_breaks_every_ring(edges in graphs(40, 2)) {
            let found = smallest(&edges, 0);
            let mut without = vec![false; edges.len()];
            found.nodes.iter().for_each(|node| without[*node] = true);
            prop_assert!(is_acyclic(&edges, &without));
        }
    }
}

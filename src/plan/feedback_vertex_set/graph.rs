//! A directed graph that supports removing nodes.

use std::collections::BTreeSet;

use petgraph::graph::DiGraph;

#[derive(Clone, Debug)]
pub(super) struct Graph {
    out: Vec<BTreeSet<u32>>,
    into: Vec<BTreeSet<u32>>,
    alive: BTreeSet<u32>,
    edges: usize,
}

impl Graph {
    pub(super) fn new(edges: &[Vec<usize>]) -> Self {
        let mut graph = Self {
            out: vec![BTreeSet::new(); edges.len()],
            into: vec![BTreeSet::new(); edges.len()],
            alive: (0..edges.len() as u32).collect(),
            edges: 0,
        };
        for (from, targets) in edges.iter().enumerate() {
            for to in targets {
                graph.add_edge(from as u32, *to as u32);
            }
        }
        graph
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = u32> + '_ {
        self.alive.iter().copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.alive.is_empty()
    }

    /// Cost of visiting the whole graph.
    pub(super) fn size(&self) -> usize {
        self.alive.len() + self.edges
    }

    /// Successors of every node; removed nodes have none.
    pub(super) fn edges(&self) -> Vec<Vec<usize>> {
        self.out.iter().map(|targets| targets.iter().map(|to| *to as usize).collect()).collect()
    }

    pub(super) fn has(&self, node: u32) -> bool {
        self.alive.contains(&node)
    }

    pub(super) fn successors(&self, node: u32) -> &BTreeSet<u32> {
        &self.out[node as usize]
    }

    pub(super) fn predecessors(&self, node: u32) -> &BTreeSet<u32> {
        &self.into[node as usize]
    }

    pub(super) fn has_loop(&self, node: u32) -> bool {
        self.successors(node).contains(&node)
    }

    fn add_edge(&mut self, from: u32, to: u32) {
        if self.out[from as usize].insert(to) {
            self.into[to as usize].insert(from);
            self.edges += 1;
        }
    }

    /// Removes a node with all its edges; returns its former neighbors.
    pub(super) fn remove(&mut self, node: u32) -> Vec<u32> {
        let out = std::mem::take(&mut self.out[node as usize]);
        let into = std::mem::take(&mut self.into[node as usize]);
        let looped = out.contains(&node);
        self.edges -= out.len() + into.len() - usize::from(looped);
        let mut neighbors: Vec<u32> = Vec::with_capacity(out.len() + into.len());
        for to in out.into_iter().filter(|to| *to != node) {
            self.into[to as usize].remove(&node);
            neighbors.push(to);
        }
        for from in into.into_iter().filter(|from| *from != node) {
            self.out[from as usize].remove(&node);
            neighbors.push(from);
        }
        self.alive.remove(&node);
        neighbors
    }

    /// Contracts a node that is not chosen: its predecessors are connected to its successors.
    pub(super) fn contract(&mut self, node: u32) -> Vec<u32> {
        let out = self.successors(node).clone();
        let into = self.predecessors(node).clone();
        let neighbors = self.remove(node);
        for from in &into {
            for to in &out {
                self.add_edge(*from, *to);
            }
        }
        neighbors
    }

    /// The strongly connected components that contain a cycle.
    pub(super) fn components(&self) -> Vec<Vec<u32>> {
        let edges = self.nodes().flat_map(|node| self.successors(node).iter().map(move |to| (node, *to)));
        // That of Tarjan recurses: a chain of 10,000 networks would overflow the stack.
        let components = petgraph::algo::kosaraju_scc(&DiGraph::<(), ()>::from_edges(edges));
        let components = components.into_iter().map(|component| {
            let mut nodes: Vec<u32> = component.into_iter().map(|node| node.index() as u32).collect();
            nodes.sort_unstable();
            nodes
        });
        let mut cyclic: Vec<Vec<u32>> =
            components.filter(|component| component.len() > 1 || self.has_loop(component[0])).collect();
        cyclic.sort_unstable();
        cyclic
    }

    pub(super) fn restricted_to(&self, nodes: &[u32]) -> Self {
        let keep: BTreeSet<u32> = nodes.iter().copied().collect();
        let mut part = self.clone();
        for node in self.nodes().filter(|node| !keep.contains(node)) {
            part.remove(node);
        }
        part
    }
}

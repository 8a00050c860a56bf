//! How well a limit of so many requests explains what was let in and refused.

/// The number that is contradicted least, and by how many requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Explanation {
    pub(super) contradiction: usize,
    pub(super) most: usize,
}

/// Of each decision, in order: whether it let the request in, and how many requests counted then, this one included if so.
pub(super) fn best(decisions: impl IntoIterator<Item = (bool, usize)>) -> Explanation {
    // Of requests that were let in one after the other the last count says all, of refused ones the lowest.
    let decisions: Vec<(bool, usize)> = decisions.into_iter().collect();
    let runs = decisions.chunk_by(|(one, _), (other, _)| one == other).map(|run| {
        let counts = run.iter().map(|(_, count)| *count);
        (run[0].0, if run[0].0 { counts.max() } else { counts.min() }.unwrap_or_default())
    });
    let runs: Vec<(bool, usize)> = runs.collect();
    let contradiction = |most: usize| -> usize {
        let by = |(is_admitted, count): &(bool, usize)| {
            if *is_admitted { count.saturating_sub(most) } else { most.saturating_sub(*count) }
        };
        runs.iter().map(by).sum()
    };
    // The least of equally good ones.
    let mut candidates: Vec<usize> = runs.iter().map(|(_, count)| (*count).max(1)).collect();
    candidates.sort_unstable();
    candidates.dedup();
    let explained = candidates.into_iter().map(|most| Explanation { contradiction: contradiction(most), most });
    explained
        .min_by_key(|explanation| explanation.contradiction)
        .unwrap_or(Explanation { contradiction: usize::MAX, most: 1 })
}

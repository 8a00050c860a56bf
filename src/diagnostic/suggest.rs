//! Suggestions: the known words that a misspelled one is closest to.

/// The known words closest to `word`, best first, at most three; none if no word is close.
pub fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let folded = word.to_lowercase();
    let mut candidates: Vec<(f64, &str)> = known
        .into_iter()
        .filter_map(|candidate| {
            let likeness = strsim::jaro_winkler(&folded, &candidate.to_lowercase());
            (likeness >= 0.8).then_some((likeness, candidate))
        })
        .collect();
    candidates.sort_by(|(one, a), (other, b)| other.total_cmp(one).then_with(|| a.cmp(b)));
    candidates.dedup_by_key(|(_, candidate)| *candidate);
    candidates.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

/// Words as a list in quotes: `"a", "b"`; truncated after `most`, with the number of the others.
pub fn quoted_list<'a>(words: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    let mut list = words.iter().take(most).map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ");
    if words.len() > most {
        list.push_str(&format!(" and {} more", words.len() - most));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_comes_first_and_strangers_not_at_all() {
        let known = ["displayName", "defaultAccessCode", "defaultAccessCodeEnabled", "name"];
        assert_eq!(suggest("defaultAcessCode", known)[0], "defaultAccessCode");
        assert_eq!(suggest("displayname", known), ["displayName"]);
        assert!(suggest("xyz", known).is_empty());
    }
}

//! Numbers with their nouns: the only place where plurals are made.

/// A number and its noun: `1 write`, `2 writes`, `3 entries`.
pub fn plural(count: usize, noun: &str) -> String {
    if count != 1 && noun == "person" {
        return format!("{count} people");
    }
    match (count, noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']))) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plural_agrees_with_the_number() {
        assert_eq!(plural(1, "write"), "1 write");
        assert_eq!([plural(1, "person"), plural(2, "person")], ["1 person", "2 people"]);
        assert_eq!(plural(0, "DECT network"), "0 DECT networks");
        assert_eq!(plural(2, "entry"), "2 entries");
        assert_eq!(plural(2, "day"), "2 days");
    }
}

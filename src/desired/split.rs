//! Finds a split point so that large files can be parsed on two threads.
//!
//! The split is between two locations: before an item of the list `locations` near the middle of the text.
//! Anything that starts before such a line has ended before it, with three exceptions: an open quoted scalar, an open
//! bracket, and an anchor that is used after the split. Each makes one half invalid on its own. So two halves that both
//! parse are equivalent to the whole file; otherwise the whole file is parsed.

/// Returns the start of a line that begins an item; `None` if no safe split point was found.
pub(super) fn split_point(text: &str) -> Option<usize> {
    let begin = list_start(text)?;
    let (indent, first) = list_items(&text[begin..]).next()?;
    let middle = (begin + first).max(text.len() / 2);
    let line_end = middle + text.as_bytes()[middle..].iter().position(|byte| *byte == b'\n')?;
    let (_, at) = list_items(&text[line_end..]).find(|(other, _)| *other == indent)?;
    let split_point = line_end + at;
    (!leaves_list(&text[begin..split_point], indent)).then_some(split_point)
}

/// Returns the offset after the line `locations:`, which must be a top-level field and occur once.
fn list_start(text: &str) -> Option<usize> {
    if text.starts_with('%') {
        return None;
    }
    const FIELD: &str = "\nlocations:";
    let at = text.find(FIELD)?;
    if text[at + FIELD.len()..].contains(FIELD) {
        return None;
    }
    let rest = &text[at + FIELD.len()..];
    let line = rest.lines().next()?.trim();
    (line.is_empty() || line.starts_with('#')).then_some(text.len() - rest.len())
}

/// Iterates over the lines that begin a list item: indentation and offset.
fn list_items(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    text.match_indices('\n').filter_map(|(at, _)| {
        let line = &text[at + 1..];
        let indent = line.bytes().take_while(|byte| *byte == b' ').count();
        line[indent..].starts_with("- ").then_some((indent, at + 1))
    })
}

/// Whether a line is indented less than the items, which ends the list.
fn leaves_list(text: &str, indent: usize) -> bool {
    text.lines().skip(1).any(|line| {
        let left = line.bytes().take_while(|byte| *byte == b' ').count();
        let rest = &line[left..];
        let says_nothing = rest.is_empty() || rest.starts_with('#');
        !says_nothing && (left < indent || left == indent && !rest.starts_with("- "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_cut_between_two_locations() {
        let location = |name: &str| format!("  - name: {name}\n    networks:\n      - name: x\n      - name: y\n");
        let file = format!("version: 1\nlocations: # all\n{}", ["a", "b", "c", "d", "e", "f"].map(location).concat());
        let at = split_point(&file).expect("a place");
        assert!(file[at..].starts_with("  - name: "), "{}", &file[at..]);
        assert!(at > file.len() / 2);
    }

    #[test]
    fn the_middle_may_lie_within_a_character() {
        for padding in 0..4 {
            let file = format!("locations:\n  - {}{}\n  - a\n  - b\n", "x".repeat(padding), "🏥".repeat(40));
            let file = format!("version: 1\n{file}");
            assert!(split_point(&file).is_some_and(|at| file[at..].starts_with("  - ")), "{file}");
        }
    }

    #[test]
    fn unclear_files_are_not_split() {
        let list_items = "- name: a\n".repeat(9);
        for file in [
            "version: 1\n".to_owned(),
            format!("version: 1\nlocations: [a]\n{list_items}"),
            format!("version: 1\nlocations:\n{list_items}locations:\n{list_items}"),
            format!("%YAML 1.2\n---\nversion: 1\nlocations:\n{list_items}"),
            format!("version: 1\nlocations:\n- name: a\nrules:\n{list_items}"),
            format!(
                "version: 1\nlocations:\n{}",
                list_items.replace('-', "  -").replace("  - name: a\n  -", "  - name: a\n -")
            ),
        ] {
            assert_eq!(split_point(&file), None, "{file}");
        }
    }
}

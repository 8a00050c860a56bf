//! Escapes characters that could deceive a reader: control characters, invisible characters, bidirectional overrides.

use std::borrow::Cow;

/// Escapes every character that would not be displayed as what it is.
///
/// Leading and trailing spaces are made visible as well.
pub fn sanitize(text: &str) -> Cow<'_, str> {
    let blank_ends = text.starts_with(' ') || text.ends_with(' ');
    if !blank_ends && !text.chars().any(is_invisible_or_control) {
        return Cow::Borrowed(text);
    }
    let last = text.len() - text.trim_end_matches(' ').len();
    let first = text.len() - text.trim_start_matches(' ').len();
    let mut shown = "␠".repeat(first.min(text.len()));
    let core = text.trim_matches(' ');
    for character in core.chars() {
        if is_invisible_or_control(character) {
            shown.push_str(&format!("\\u{{{:x}}}", character as u32));
        } else {
            shown.push(character);
        }
    }
    if !core.is_empty() {
        shown.push_str(&"␠".repeat(last));
    }
    Cow::Owned(shown)
}

fn is_invisible_or_control(character: char) -> bool {
    // The last two of each plane are no characters, and XML forbids them.
    character.is_control()
        || character as u32 & 0xfffe == 0xfffe
        || matches!(character,
            '\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// The first of these names in one line, and how many more there are.
pub(super) fn first_names<N: AsRef<str>>(names: &[N], most: usize) -> String {
    let shown: Vec<_> = names.iter().take(most).map(|name| sanitize(name.as_ref())).collect();
    let more = if names.len() > most { format!(" and {} more", names.len() - most) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_escaped() {
        assert_eq!(sanitize("Ward 1"), "Ward 1");
        assert_eq!(sanitize(" Ward 1  "), "␠Ward 1␠␠");
        assert_eq!(sanitize("a\u{202e}b\u{1b}[2J"), "a\\u{202e}b\\u{1b}[2J");
        assert_eq!(sanitize("  "), "␠␠");
        assert_eq!(sanitize("a\u{fffe}\u{1ffff}\u{e0041}\u{61c}"), "a\\u{fffe}\\u{1ffff}\\u{e0041}\\u{61c}");
        assert_eq!(sanitize("emoji 🏥 病棟 Ålesund"), "emoji 🏥 病棟 Ålesund");
    }
}

//! Where in a desired-state file an access code or a password may be.
//!
//! A snippet is shown when a file is invalid, so nothing of its structure can be relied on. Redacted is all text behind a word
//! that is about codes, until something begins that is certainly not its value: a key of the format, another key that is no
//! deeper, or the next key of the same flow mapping. What an alias there stands for is redacted as well, and every scalar of
//! digits alone. Rather too much than too little.

use std::collections::HashSet;
use std::ops::Range;

use super::redact::{code_words, digit_scalars};

/// The keys of the format, which end a value.
const KEYS: [&str; 30] = [
    "baseStations",
    "customDisplayName",
    "defaults",
    "displayName",
    "extension",
    "frozen",
    "handsets",
    "id",
    "line1",
    "line2",
    "location",
    "locations",
    "mac",
    "match",
    "model",
    "name",
    "networks",
    "organization",
    "protected",
    "reason",
    "reassignedFrom",
    "renamedFrom",
    "replaces",
    "rules",
    "set",
    "state",
    "until",
    "version",
    "defaultAccessCode",
    "serviceabilityPassword",
];

/// So many bytes of a long line are looked at before a word.
pub(super) const FAR: usize = 4096;

/// What is no secret where it stands alone: switches, and what YAML needs.
const PLAIN: [&str; 21] = [
    "true", "false", "null", "~", "yes", "no", "on", "off", "enabled", "disabled", "env", "=", "-", "?", "|", ">",
    "|-", ">-", "|+", ">+", "#",
];

/// The ranges of a text that may be secrets, sorted, and without overlaps.
pub(super) fn find_secrets(text: &str) -> Vec<Range<usize>> {
    let (mut secrets, mut aliases) = (Vec::new(), HashSet::new());
    let mut covered = 0;
    let mut words: Vec<usize> = code_words(&text.to_ascii_lowercase()).collect();
    words.sort_unstable();
    for at in words {
        if at < covered {
            continue;
        }
        let region = Region::after(text, at);
        covered = if region.is_prose(at) { region.start } else { region.end() };
        aliases.extend(region.mask(covered, &mut secrets));
    }
    let mut covered = 0;
    for (at, _) in text.match_indices('&').filter(|_| !aliases.is_empty()) {
        let rest = text[at + 1..].trim_start_matches(is_word);
        let region = Region { text, start: text.len() - rest.len() };
        if at >= covered && aliases.contains(&text[at + 1..region.start]) {
            covered = region.end();
            region.mask(covered, &mut secrets);
        }
    }
    let mut start = 0;
    for line in text.split_inclusive(['\n', '\r']) {
        secrets.extend(digit_scalars(line.trim_end()).into_iter().map(|range| start + range.start..start + range.end));
        start += line.len();
    }
    joined(secrets)
}

/// Sorted, and without overlaps.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    ranges.dedup_by(|later, first| {
        let overlaps = later.start < first.end;
        first.end = if overlaps { first.end.max(later.end) } else { first.end };
        overlaps
    });
    ranges
}

/// Whether a comment may follow: after a byte order mark, too.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

/// What stands behind the `#` of a comment, or of what looks like one, in a line.
pub(super) fn comment(line: &str) -> Option<Range<usize>> {
    let mut signs = line.match_indices('#').map(|(at, _)| at);
    let sign = signs.find(|at| line[..*at].chars().next_back().is_none_or(is_blank))?;
    let text = line[sign + 1..].trim();
    let start = line.len() - line[sign + 1..].trim_start().len();
    (!text.is_empty()).then_some(start..start + text.len())
}

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// The text behind a word that is about codes.
#[derive(Clone, Copy)]
struct Region<'t> {
    text: &'t str,
    start: usize,
}

impl<'t> Region<'t> {
    /// Begins behind the word at `at`.
    fn after(text: &'t str, at: usize) -> Self {
        let rest = text[at..].trim_start_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-'));
        Self { text, start: text.len() - rest.len() }
    }

    /// The line up to the word.
    fn before(&self, at: usize) -> &'t str {
        &self.text[line_start(self.text, at)..at]
    }

    /// Whether the word at `at` is part of a name, as in `name: Code blue`, and not a key.
    fn is_prose(&self, at: usize) -> bool {
        let item = self.before(at).rsplit([',', '{', '[', '#']).next().unwrap_or_default();
        let is_key = self.text[self.start..].trim_start_matches(['"', '\'', ' ']).starts_with([':', '=']);
        !is_key && known_key(item.trim_start_matches(['-', ' '])).is_some()
    }

    /// Where the value ends at the latest.
    fn end(&self) -> usize {
        let before = self.before(self.start);
        let word = before.trim_end_matches(is_word).trim_end_matches(['"', '\'']);
        let key = Key { column: word.chars().count(), indentation: leading_spaces(word) };
        let is_in_flow = word.contains('{');
        let is_comment = comment(before).is_some() || before.trim_start().starts_with('#');
        let (mut depth, mut quote, mut last) = (0, None, ' ');
        let mut characters = self.text[self.start..].char_indices().map(|(at, c)| (self.start + at, c)).peekable();
        while let Some((at, c)) = characters.next() {
            let rest = &self.text[at + c.len_utf8()..];
            match (c, quote) {
                ('\n' | '\r', _) if is_comment || key.ends_at(rest, quote.is_some() || depth > 0) => {
                    return at;
                }
                ('\\', Some('"')) => drop(characters.next()),
                (c, Some(open)) => quote = quote.filter(|_| c != open),
                // Quotes open where a value begins.
                ('"' | '\'', None) if ":=[{,-".contains(last) => quote = Some(c),
                ('{' | '[', None) => depth += 1,
                ('}' | ']', None) if depth == 0 && is_in_flow && !rest.starts_with(|c: char| is_word(c)) => return at,
                ('}' | ']', None) => depth -= i32::from(depth > 0),
                (',', None) if depth == 0 && is_in_flow && starts_key(rest.trim_start()) => return at,
                _ => {}
            }
            if !c.is_whitespace() {
                last = c;
            }
        }
        self.text.len()
    }

    /// Adds what is to be redacted up to `end`, and returns the names of aliases in it.
    fn mask(&self, end: usize, secrets: &mut Vec<Range<usize>>) -> Vec<&'t str> {
        let known = secrets.len();
        let mut aliases = Vec::new();
        let mut after_env = false;
        let is_between = |c: char| c.is_whitespace() || "{}[],:\"'".contains(c);
        let mut at = self.start;
        for token in self.text[self.start..end].split_inclusive(is_between) {
            let word = token.trim_end_matches(is_between);
            let is_variable = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            let is_plain = PLAIN.contains(&word) || after_env && word.chars().all(is_variable);
            if !word.is_empty() {
                if !is_plain {
                    push_or_extend(self.text, at..at + word.len(), secrets);
                }
                aliases.extend(word.strip_prefix('*').filter(|name| !name.is_empty()));
                after_env = word == "env";
            }
            at += token.len();
        }
        secrets[known..].iter_mut().for_each(|secret| *secret = with_quotes(self.text, secret.clone()));
        aliases
    }
}

/// With the quotes around it, if it is quoted as a whole.
fn with_quotes(text: &str, secret: Range<usize>) -> Range<usize> {
    let (before, after) = (text[..secret.start].chars().next_back(), text[secret.end..].chars().next());
    if before == after && matches!(before, Some('"' | '\'')) { secret.start - 1..secret.end + 1 } else { secret }
}

/// Words of one line with nothing but blanks between them are one secret.
fn push_or_extend(text: &str, word: Range<usize>, secrets: &mut Vec<Range<usize>>) {
    match secrets.last_mut() {
        Some(last) if last.end < word.start && text[last.end..word.start].chars().all(|c| c == ' ') => {
            last.end = word.end
        }
        _ => secrets.push(word),
    }
}

/// Where a key that is about codes stands in its line.
struct Key {
    column: usize,
    /// Of its line.
    indentation: usize,
}

impl Key {
    /// Whether the line that begins here ends the value: it has a key that is no deeper. Within quotes and brackets only one of the
    /// format does, in a line that is no deeper.
    fn ends_at(&self, line: &str, is_open: bool) -> bool {
        let text = line.trim_start_matches(['-', ' ', '{']);
        match is_open {
            false => line.len() - text.len() <= self.column && starts_key(text),
            true => leading_spaces(line) <= self.indentation && known_key(text).is_some(),
        }
    }
}

fn leading_spaces(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Whether a key begins here.
fn starts_key(text: &str) -> bool {
    let word = text.trim_start_matches(['"', '\'']);
    let rest = word.trim_start_matches(is_word).trim_start_matches(['"', '\'']).trim_start_matches(' ');
    known_key(text).is_some() || word.starts_with(is_word) && ends_key(rest)
}

/// Whether the colon of a key begins here.
fn ends_key(rest: &str) -> bool {
    rest.strip_prefix(':').is_some_and(|value| value.is_empty() || value.starts_with(char::is_whitespace))
}

/// The key of the format that begins here. A blank may be missing behind one in quotes.
fn known_key(text: &str) -> Option<&'static str> {
    let word = text.trim_start_matches(['"', '\'']);
    KEYS.into_iter().find(|key| {
        let rest = word.strip_prefix(key).map(|rest| rest.trim_start_matches(['"', '\'', ' ']));
        rest.is_some_and(|rest| ends_key(rest) || word.len() < text.len() && rest.starts_with(':'))
    })
}

/// Where the line begins, or what is looked at of a long one.
fn line_start(text: &str, at: usize) -> usize {
    let from = (at.saturating_sub(FAR)..=at).find(|from| text.is_char_boundary(*from)).unwrap_or(at);
    text[from..at].rfind(['\n', '\r']).map_or(from, |end| from + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::redact::MASK;

    fn masked(line: &str) -> String {
        let mut text = line.to_owned();
        let mut secrets = find_secrets(line);
        secrets.extend(comment(line));
        for range in joined(secrets).into_iter().rev() {
            text.replace_range(range, MASK);
        }
        text
    }

    #[test]
    fn codes_are_hidden_wherever_they_stand() {
        let cases = [
            (r#"defaultAccessCode: "4821""#, "defaultAccessCode: ••••"),
            ("  defaultAcessCode: 48211 # old", "  defaultAcessCode: •••• # ••••"),
            ("  # hunter2 until May", "  # ••••"),
            ("- { name: 'A # 1', displayName: O'Hara } # hunter2", "- { name: 'A # ••••"),
            ("pass: hunter2", "pass: ••••"),
            ("{ passphrase: hunter2, x: 1 }", "{ passphrase: ••••, x: 1 }"),
            ("pwd: hunter2", "pwd: ••••"),
            ("serviceabilityPassword: [\"a]b\", hunter2]", "serviceabilityPassword: [\"••••]••••\", ••••]"),
            ("serviceabilityPassword: [\"a,b\", hunter2]", "serviceabilityPassword: [\"••••,••••\", ••••]"),
            ("{ name: A, defaultAccessCode: 0042, x: 1 }", "{ name: A, defaultAccessCode: ••••, x: 1 }"),
            (r#"defaultAccessCode: &c "4821""#, "defaultAccessCode: •••• ••••"),
            ("  - 4821", "  - ••••"),
            ("passwort: 4821", "passwort: ••••"),
            ("HQ,Ward 1,4821,true", "HQ,Ward 1,••••,true"),
            ("\"defaultAccessCode\": 4821", "\"defaultAccessCode\": ••••"),
            ("defaultAccessCode: abcd", "defaultAccessCode: ••••"),
            ("pin: 98a6", "pin: ••••"),
            (r#"{ name: HQ, "PIN": "98a6" }"#, r#"{ name: HQ, "PIN": •••• }"#),
            ("codes: [&c '7777', &d '8888']", "codes: [•••• ••••, •••• ••••]"),
            ("defaultAccessCode 7777", "defaultAccessCode ••••"),
            ("x: *7777", "x: *••••"),
            ("serviceabilityPassword: [hunter2, \"b c\"]", "serviceabilityPassword: [••••, ••••]"),
            ("serviceabilityPassword: { value: hunter2 }", "serviceabilityPassword: { ••••: •••• }"),
            ("{ name: A, password: {value: !!str hunter2}, x: 1 }", "{ name: A, password: {••••: ••••}, x: 1 }"),
            ("defaultAccessCode: { enb: 'abcd', env: HQ }", "defaultAccessCode: { ••••: ••••, env: HQ }"),
            ("defaultAccessCode: { hunter2", "defaultAccessCode: { ••••"),
        ];
        let wrong =
            cases.map(|(line, shown)| (masked(line), shown)).into_iter().filter(|(masked, shown)| masked != shown);
        assert_eq!(wrong.collect::<Vec<_>>(), []);
    }

    #[test]
    fn other_text_is_not_redacted() {
        for line in [
            "defaultAccessCode: { env: HQ_WARD_2_CODE }",
            r#""defaultAccessCode": {"env": "HQ_WARD_2_CODE"}"#,
            "defaultAccessCodeEnabled: yes",
            "name: Ward 1234 north",
            "shipping: 98a6",
            "name: Pin board",
            "version: 1",
            "displayName: W 12",
            "- AC7A-5611:FF01",
            "- mac: AC7A-5611-A001",
            "{ mac: AC7A.5611.0001, state: absent }",
            "model: 210",
            "line1: \"1551\"",
            "line2: { extension: 1552, location: Bergen }",
            "reassignedFrom: 1549",
        ] {
            assert_eq!(masked(line), line);
        }
    }

    #[test]
    fn every_key_of_the_format_ends_a_value() {
        fn add_keys<'s>(schema: &'s serde_json::Value, keys: &mut Vec<&'s str>) {
            if let Some(properties) = schema["properties"].as_object() {
                keys.extend(properties.keys().map(String::as_str));
            }
            let parts = schema
                .as_object()
                .map(|object| object.values().collect::<Vec<_>>())
                .or_else(|| Some(schema.as_array()?.iter().collect()));
            parts.unwrap_or_default().into_iter().for_each(|part| add_keys(part, keys));
        }
        let schema = serde_json::from_str(include_str!("../../docs/networks.schema.json")).expect("a schema");
        let mut keys = Vec::new();
        add_keys(&schema, &mut keys);
        // Those of an external code are part of its value, and a key that is about codes begins one.
        let ends_none =
            |key: &&&str| !["env", "file"].contains(*key) && code_words(&key.to_lowercase()).next().is_none();
        let unknown: Vec<_> = keys.iter().filter(ends_none).filter(|key| !KEYS.contains(*key)).collect();
        assert!(!keys.is_empty() && unknown.is_empty(), "{unknown:?}");
    }
}

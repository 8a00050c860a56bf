//! Where in a text an access code may be.
//!
//! A snippet is shown when a file is invalid, so it cannot be assumed to be well formed: the search goes by characters
//! and not by structure, and rather redacts too much. Redacted are the value after any key that names a code
//! ([`names_code`]; of `{ env: … }` the name shows), and every scalar that consists of digits alone, quoted or not.
//! Snippets show no comments either, which may hold what was tried before.

use std::ops::Range;

/// Whether a password is enabled is no secret.
pub(super) const SWITCHES: [&str; 2] = ["enabled", "disabled"];

pub(super) const MASK: &str = "••••";

/// The ranges of one line that may be an access code.
pub(super) fn find_secret_ranges(line: &str) -> Vec<Range<usize>> {
    let mut ranges = code_key_values(line);
    for digits in digit_scalars(line) {
        if !ranges.iter().any(|range| range.start <= digits.start && digits.end <= range.end) {
            ranges.push(digits);
        }
    }
    ranges.sort_by_key(|range| range.start);
    ranges
}

/// The same, and comments.
pub(super) fn find_secrets_and_comment(line: &str) -> Vec<Range<usize>> {
    let comment = comment(line);
    let is_before = |range: &Range<usize>| comment.as_ref().is_none_or(|comment| range.start < comment.start);
    let mut ranges: Vec<_> = find_secret_ranges(line).into_iter().filter(is_before).collect();
    ranges.extend(comment);
    ranges
}

/// What stands behind the `#` of a comment: at the start or after a blank, and not in quotes.
fn comment(line: &str) -> Option<Range<usize>> {
    let start =
        outside_quotes(line).find(|(at, c)| *c == '#' && !line[..*at].ends_with(|c: char| !c.is_whitespace()))?.0;
    let text = line[start + 1..].trim();
    let from = start + 1 + line[start + 1..].find(text)?;
    (!text.is_empty()).then_some(from..from + text.len())
}

/// The characters of a line that are not within quotes. A quote opens where a scalar may begin, so that of `O'Hara` does not.
fn outside_quotes(line: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut quote, mut last) = (None, ' ');
    line.char_indices().filter(move |(_, c)| {
        let before = std::mem::replace(&mut last, *c);
        match quote {
            Some(open) => {
                quote = quote.filter(|_| *c != open);
                false
            }
            None => {
                let opens = matches!(c, '"' | '\'') && (before.is_whitespace() || "[{(,:".contains(before));
                quote = opens.then_some(*c);
                !opens
            }
        }
    })
}

/// The numbers in a text that have about the length of an access code; one digit may be missing, or some added.
pub(super) fn code_like_numbers(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = None;
    for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
        match (character.is_alphanumeric() || character == '_', start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                let word = &text[from..at];
                if (3..=8).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit()) {
                    ranges.push(from..at);
                }
                start = None;
            }
            _ => {}
        }
    }
    ranges
}

/// Redacts the quoted values of a message that may be a code, or cells that a wrong separator has merged with one. Counts
/// and names stay.
pub(super) fn redact_quoted_codes(message: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (at, part) in message.split('"').enumerate() {
        let is_quoted = at % 2 == 1;
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
        parts.push(if is_quoted && (is_number || part.contains([',', ';', '\t', '|', '\\'])) {
            redact_code_like_numbers(part)
        } else {
            part.to_owned()
        });
    }
    parts.join("\"")
}

pub(super) fn redact_code_like_numbers(text: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut from = 0;
    for range in code_like_numbers(text) {
        hidden.push_str(&text[from..range.start]);
        hidden.push_str(MASK);
        from = range.end;
    }
    hidden.push_str(&text[from..]);
    hidden
}

/// Whether a key of YAML, or a heading of a table, is about access codes or passwords: `Access code`, `Passcode`, `PIN`, not
/// `shipping`; the switch `defaultAccessCodeEnabled` is not. That of a password shows where it is a switch.
pub fn names_code(name: &str) -> bool {
    code_words(&name.to_ascii_lowercase()).next().is_some() && !name.to_ascii_lowercase().contains("enabled")
}

/// Where in a text in lower case words stand that are about codes.
fn code_words(lower: &str) -> impl Iterator<Item = usize> {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let pins = lower.match_indices("pin").map(|(at, _)| at).filter(move |at| {
        !is_letter(lower[..*at].chars().next_back()) && !is_letter(lower[at + "pin".len()..].chars().next())
    });
    let words =
        ["code", "pass", "pwd", "secret"].into_iter().flat_map(move |word| lower.match_indices(word).map(|(at, _)| at));
    words.chain(pins)
}

/// What of a line may be a code if it is part of the value of a key on a line above it: all but `env: NAME`.
pub(super) fn within_code(line: &str) -> Vec<Range<usize>> {
    if line.trim_start().starts_with("env:") {
        return find_secret_ranges(line);
    }
    let (start, end) = (line.len() - line.trim_start().len(), line.trim_end().len());
    if start < end { std::iter::once(start..end).collect() } else { Vec::new() }
}

/// Whether a line is a key whose value is a code on the lines below it.
pub(super) fn starts_multiline_code(line: &str) -> bool {
    // The last key of a flow mapping may have its value on the next line.
    let last_key = line.trim_end().strip_suffix(':').and_then(|keys| keys.rsplit([',', '{']).next());
    if last_key.is_some_and(names_code) {
        return true;
    }
    let Some((key, value)) = line.split_once(':') else { return false };
    let value = value.trim_start();
    let open_quote = value.starts_with(['"', '\'']) && value[1..].find(&value[..1]).is_none();
    let open_bracket = value.starts_with(['{', '[']) && !value.contains(['}', ']']);
    names_code(key) && (value.is_empty() || value.starts_with(['|', '>', '#']) || open_quote || open_bracket)
}

fn code_key_values(line: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let lower = line.to_ascii_lowercase();
    for at in code_words(&lower) {
        let after_word = &lower[at..];
        let Some(word_end) = after_word.find(|c: char| !c.is_alphanumeric() && !matches!(c, '"' | '\'' | '_' | '-'))
        else {
            continue;
        };
        if after_word[..word_end].trim_end_matches(['"', '\'']).ends_with("enabled") {
            continue;
        }
        let rest = &line[at + word_end..];
        let Some(rest) = rest.trim_start().strip_prefix([':', '=']) else { continue };
        let value = behind_anchor(rest.trim_start());
        let start = line.len() - value.len();
        if value.starts_with(['{', '[']) {
            push_items(&mut ranges, line, start);
        } else {
            push_value(&mut ranges, line, start);
        }
    }
    ranges
}

/// What an anchor or a tag stands before: `&code "4821"`, `!!str 4821`. Empty where nothing follows it.
fn behind_anchor(value: &str) -> &str {
    if !value.starts_with(['&', '!']) {
        return value;
    }
    value.split_once(' ').map_or("", |(_, behind)| behind.trim_start())
}

/// The items of a flow list or the values of a flow mapping, to the first closing bracket. `env: NAME` says where a code is, and
/// is none.
fn push_items(ranges: &mut Vec<Range<usize>>, line: &str, start: usize) {
    let is_mapping = line[start..].starts_with('{');
    let mut item_start = start + 1;
    let mut open = outside_quotes(&line[start..]).map(|(at, c)| (start + at, c)).filter(|(at, _)| *at > start);
    let end = open.find(|(_, c)| matches!(c, ']' | '}')).map_or(line.len(), |(at, _)| at);
    for item in line[item_start..end].split(',') {
        let end = item_start + item.trim_end().len();
        let (key, value) = item.trim().split_once(':').filter(|_| is_mapping).unwrap_or(("", item.trim()));
        let value = behind_anchor(value.trim());
        let code = value.trim_matches(['"', '\'']);
        if key.trim().trim_matches(['"', '\'']) != "env" && !code.is_empty() {
            let code_start = end - value.len() + value.find(code).unwrap_or_default();
            ranges.push(code_start..code_start + code.len());
        }
        item_start += item.len() + 1;
    }
}

fn push_value(ranges: &mut Vec<Range<usize>>, line: &str, start: usize) {
    let value = &line[start..];
    let spelled_like_a_word = ["true", "false", "null", "~"].iter().chain(&SWITCHES).any(|word| {
        value
            .strip_prefix(word)
            .map(str::trim_start)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([',', '}', ']', '#']))
    });
    if value.is_empty() || value.starts_with(['*', '|', '>', '#']) || spelled_like_a_word {
        return;
    }
    let length = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].find(quote).map_or(value.len(), |end| end + 2),
        _ => value.find([',', '}', ']']).or_else(|| value.find(" #")).unwrap_or(value.len()),
    };
    let text = value[..length].trim_end();
    if !text.is_empty() {
        ranges.push(start..start + text.len());
    }
}

fn digit_scalars(line: &str) -> Vec<Range<usize>> {
    let bytes = line.as_bytes();
    // A colon may be missing: on a line with the word "code" every number may be one.
    let speaks_of_codes = line.to_ascii_lowercase().contains("code");
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let end = at + bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let long_enough = (3..=8).contains(&(end - at));
        let stands_alone =
            opens_scalar(&line[..at]) && closes_scalar(&line[end..]) && !is_plain_value(&line[..at], &line[end..]);
        if long_enough && (stands_alone || (speaks_of_codes && is_a_word(&line[..at], &line[end..]))) {
            ranges.push(at..end);
        }
        at = end;
    }
    ranges
}

/// Keys whose values are never access codes.
const PLAIN_KEYS: [&str; 9] =
    ["version", "model", "mac", "replaces", "line1", "line2", "extension", "customDisplayName", "reassignedFrom"];

/// Whether digits are the value of such a key, or a part of an address: `AC7A-5611-A001`.
fn is_plain_value(before: &str, after: &str) -> bool {
    let opening = before.strip_suffix(['"', '\'']).unwrap_or(before);
    let key = opening.trim_end().strip_suffix(':').map(|key| key.trim_end().trim_end_matches(['"', '\'']));
    let is_plain_key = key.is_some_and(|key| {
        let word = key.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        PLAIN_KEYS.contains(&word)
    });
    let glued = |c: Option<char>| c.is_some_and(|c| matches!(c, '-' | ':' | '.'));
    let follows_word = before.strip_suffix('-').is_some_and(|word| word.ends_with(|c: char| c.is_alphanumeric()));
    let is_within_word = glued(before.chars().next_back())
        && glued(after.chars().next())
        && after[1..].starts_with(|c: char| c.is_alphanumeric());
    is_plain_key || follows_word || is_within_word
}

fn is_a_word(before: &str, after: &str) -> bool {
    let part_of_a_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    !part_of_a_word(before.chars().next_back()) && !part_of_a_word(after.chars().next())
}

/// Whether a scalar may begin after this text: at the start, a quote, a separator, or blanks after one of those.
fn opens_scalar(before: &str) -> bool {
    let before = before.strip_suffix(['"', '\'']).unwrap_or(before);
    if before.ends_with(['*', '&']) {
        return true;
    }
    match before.trim_end().chars().next_back() {
        None => true,
        Some(last) => matches!(last, ':' | ',' | ';' | '[' | '{' | '-' | '?' | '|' | '=') || ends_with_anchor(before),
    }
}

fn ends_with_anchor(before: &str) -> bool {
    before.ends_with(' ')
        && before
            .split_whitespace()
            .next_back()
            .is_some_and(|word| word.trim_start_matches(['[', '{', ',']).starts_with(['&', '!']))
}

fn closes_scalar(after: &str) -> bool {
    let after = after.strip_prefix(['"', '\'']).unwrap_or(after);
    let trimmed = after.trim_start();
    trimmed.is_empty()
        || trimmed.starts_with([',', ';', ']', '}', ':'])
        || (trimmed.starts_with('#') && trimmed.len() < after.len())
}

/// A message that quotes its input, truncated, and with everything redacted that may be a code.
pub fn mask_message(message: &str) -> String {
    const LONGEST: usize = 200;
    let cut: String = message.chars().take(LONGEST).collect();
    let mut masked = mask_digits(&cut);
    if cut.len() < message.len() {
        masked.push('…');
    }
    masked
}

fn mask_digits(message: &str) -> String {
    let mut masked = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let length = rest[start..].bytes().take_while(u8::is_ascii_digit).count();
        masked.push_str(&rest[..start]);
        masked.push_str(if length >= 3 { MASK } else { &rest[start..start + length] });
        rest = &rest[start + length..];
    }
    masked.push_str(rest);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(line: &str) -> String {
        let mut text = line.to_owned();
        for range in find_secrets_and_comment(line).into_iter().rev() {
            text.replace_range(range, MASK);
        }
        text
    }

    #[test]
    fn codes_are_hidden_wherever_they_stand() {
        for (line, shown) in [
            (r#"defaultAccessCode: "4821""#, "defaultAccessCode: ••••"),
            ("  defaultAcessCode: 48211 # old", "  defaultAcessCode: •••• # ••••"),
            ("  # hunter2 until May", "  # ••••"),
            ("- { name: 'A # 1', displayName: O'Hara } # hunter2", "- { name: 'A # 1', displayName: O'Hara } # ••••"),
            ("pass: hunter2", "pass: ••••"),
            ("{ passphrase: hunter2, x: 1 }", "{ passphrase: ••••, x: 1 }"),
            ("pwd: hunter2", "pwd: ••••"),
            ("serviceabilityPassword: [\"a]b\", hunter2]", "serviceabilityPassword: [\"••••\", ••••]"),
            ("serviceabilityPassword: [\"a,b\", hunter2]", "serviceabilityPassword: [\"••••,••••\", ••••]"),
            ("{ name: A, defaultAccessCode: 0042, x: 1 }", "{ name: A, defaultAccessCode: ••••, x: 1 }"),
            (r#"defaultAccessCode: &c "4821""#, "defaultAccessCode: &c ••••"),
            ("  - 4821", "  - ••••"),
            ("passwort: 4821", "passwort: ••••"),
            ("HQ,Ward 1,4821,true", "HQ,Ward 1,••••,true"),
            ("\"defaultAccessCode\": 4821", "\"defaultAccessCode\": ••••"),
            ("defaultAccessCode: abcd", "defaultAccessCode: ••••"),
            ("pin: 98a6", "pin: ••••"),
            (r#"{ name: HQ, "PIN": "98a6" }"#, r#"{ name: HQ, "PIN": •••• }"#),
            ("codes: [&c '7777', &d '8888']", "codes: [&c '••••', &d '••••']"),
            ("defaultAccessCode 7777", "defaultAccessCode ••••"),
            ("x: *7777", "x: *••••"),
            ("serviceabilityPassword: [hunter2, \"b c\"]", "serviceabilityPassword: [••••, \"••••\"]"),
            ("serviceabilityPassword: { value: hunter2 }", "serviceabilityPassword: { value: •••• }"),
            ("{ name: A, password: {value: !!str hunter2}, x: 1 }", "{ name: A, password: {value: !!str ••••}, x: 1 }"),
            ("defaultAccessCode: { enb: 'abcd', env: HQ }", "defaultAccessCode: { enb: '••••', env: HQ }"),
            ("defaultAccessCode: { hunter2", "defaultAccessCode: { ••••"),
        ] {
            assert_eq!(masked(line), shown);
        }
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
}

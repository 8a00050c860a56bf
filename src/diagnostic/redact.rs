//! What may be an access code or a password: words that name one, scalars of digits, and numbers in messages.

use std::ops::Range;

/// Whether a password is enabled is no secret.
pub(super) const SWITCHES: [&str; 2] = ["enabled", "disabled"];

pub(super) const MASK: &str = "••••";

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
pub(super) fn code_words(lower: &str) -> impl Iterator<Item = usize> {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let pins = lower.match_indices("pin").map(|(at, _)| at).filter(move |at| {
        !is_letter(lower[..*at].chars().next_back()) && !is_letter(lower[at + "pin".len()..].chars().next())
    });
    let words =
        ["code", "pass", "pwd", "secret"].into_iter().flat_map(move |word| lower.match_indices(word).map(|(at, _)| at));
    words.chain(pins)
}

/// The scalars of a line that consist of digits alone.
pub(super) fn digit_scalars(line: &str) -> Vec<Range<usize>> {
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

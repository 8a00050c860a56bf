//! Text as it arrives from files, variables and commands: in another encoding, and secrets and codes pasted with what was
//! around them.

/// What is wrong with a text. The message does not reveal it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlainTextError {
    #[error("is in quotes: remove them, they are no part of it")]
    Quoted,
    #[error("begins with a name and `=`: give only what follows")]
    Assignment,
    #[error("has an invisible character (U+{:04X}): copy or type it again", u32::from(*.0))]
    Invisible(char),
    #[error("is a whole document: give only the value in it")]
    Document,
    #[error("is in UTF-16, as PowerShell's `>` writes it: save it as UTF-8")]
    Utf16,
    #[error("is not valid UTF-8")]
    NotUtf8,
}

/// The secret in a text: without whitespace at the ends and without a byte order mark.
///
/// # Errors
/// If it is in quotes, an assignment such as `NAME=secret`, a JSON document, or has an invisible character.
pub fn secret_text(text: &str) -> Result<&str, PlainTextError> {
    const QUOTES: [char; 7] = ['"', '\'', '`', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}'];
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if text.starts_with(QUOTES) || text.ends_with(QUOTES) {
        return Err(PlainTextError::Quoted);
    }
    let is_invisible = |c: &char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    if let Some(invisible) = text.chars().find(is_invisible) {
        return Err(PlainTextError::Invisible(invisible));
    }
    if text.starts_with('{') && text.ends_with('}') && text.contains("\":") {
        return Err(PlainTextError::Document);
    }
    // The padding of base64 is at the end.
    let name = text.trim_end_matches('=').split_once('=').map(|(name, _)| name.trim_end());
    let name = name.map(|name| name.strip_prefix("export ").or(name.strip_prefix("$env:")).unwrap_or(name));
    let is_name = |name: &str| {
        let mut letters = name.chars();
        letters.next().is_some_and(|c| c.is_ascii_uppercase() || c == '_')
            && letters.all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    if name.is_some_and(is_name) { Err(PlainTextError::Assignment) } else { Ok(text) }
}

/// The text of a file, without a byte order mark.
///
/// # Errors
/// If they are no UTF-8.
pub fn utf8_text(bytes: &[u8]) -> Result<&str, PlainTextError> {
    // Without its mark, UTF-16 of plain letters is UTF-8 with zeros.
    if is_utf16(bytes) {
        return Err(PlainTextError::Utf16);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| PlainTextError::NotUtf8)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Whether a file is UTF-16: by its byte order mark, or by the zeros that its first letters have.
pub fn is_utf16(bytes: &[u8]) -> bool {
    let has_mark = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    has_mark || matches!(bytes, [one, 0, other, 0, ..] | [0, one, 0, other, ..] if *one != 0 && *other != 0)
}

/// Whether a file is the journal of a run, by its first line.
pub fn is_journal(bytes: &[u8]) -> bool {
    let first = bytes[..bytes.len().min(200)].split(|byte| *byte == b'\n').next().unwrap_or_default();
    let event = br#""event":"runStarted""#;
    first.starts_with(b"{") && first.windows(event.len()).any(|words| words == event)
}

/// What to say of quotes around a pattern or template: `cmd.exe` hands single ones on, and others are there after a copy.
pub fn quotes_hint(text: &str) -> Option<&'static str> {
    let is_in = |quote: char| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote);
    if is_in('\'') {
        Some("the single quotes are part of it: in cmd.exe write double quotes")
    } else if is_in('"') {
        Some("the double quotes are part of it: write one pair of quotes only")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_around_a_secret_is_removed_or_named() {
        let cases = [
            ("abc", Ok("abc")),
            (" abc\r\n", Ok("abc")),
            ("\u{feff}abc\n", Ok("abc")),
            ("YWJj==", Ok("YWJj==")),
            ("AGE-SECRET-KEY-1ABC", Ok("AGE-SECRET-KEY-1ABC")),
            ("a=b", Ok("a=b")),
            ("\"abc\"", Err(PlainTextError::Quoted)),
            ("'abc", Err(PlainTextError::Quoted)),
            ("\u{201c}abc\u{201d}", Err(PlainTextError::Quoted)),
            ("WEBEX_ACCESS_TOKEN=abc", Err(PlainTextError::Assignment)),
            ("export TOKEN=abc==", Err(PlainTextError::Assignment)),
            ("$env:TOKEN = abc", Err(PlainTextError::Assignment)),
        ];
        for (text, expected) in cases {
            assert_eq!(secret_text(text), expected, "{text:?}");
        }
        assert_eq!(utf8_text(b"\xef\xbb\xbfabc"), Ok("abc"));
        assert_eq!(utf8_text(b"\xff\xfea\0b\0"), Err(PlainTextError::Utf16));
        assert_eq!(utf8_text(b"a\0b\0"), Err(PlainTextError::Utf16));
        assert_eq!(utf8_text(b"\0a\0b"), Err(PlainTextError::Utf16));
        assert_eq!(utf8_text(b"\xfc"), Err(PlainTextError::NotUtf8));
    }
}

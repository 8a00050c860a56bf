//! The texts that were read, and snippets of them in which secrets are redacted.

use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::csv_layout::CsvLayout;
use super::redact::MASK;
use super::secrets::{FAR, comment, find_secrets};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// A range of a text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub source: SourceId,
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A span as editors show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLocation {
    /// The file as named on the command line.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A few lines around a span, redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    pub text: String,
    /// The number of the first line, from 1.
    pub first_line: usize,
    /// The span in `text`, in bytes.
    pub highlight: Range<usize>,
}

/// The kind of a text, which decides what in it may be a secret.
#[derive(Debug)]
enum SourceKind {
    /// A desired-state file, or what is read as one.
    File,
    /// A CSV file, and where its cells are.
    Table(CsvLayout),
    /// Written line by line, of arguments of the command line or of names: no secret.
    CommandLine,
}

#[derive(Debug)]
struct SourceText {
    name: Arc<str>,
    text: Arc<str>,
    line_starts: Vec<u32>,
    kind: SourceKind,
    /// Of a file; found when a snippet of it is shown.
    secrets: OnceLock<Vec<Range<usize>>>,
}

/// The texts that were read in this run.
#[derive(Debug, Default)]
pub struct Sources {
    texts: Vec<SourceText>,
    /// Cache for [`Self::column`]: how many characters of a line are before which byte.
    counted: Mutex<(Option<SourceId>, u32, usize)>,
}

/// A text without secrets that is written line by line, with a span for what each line is about.
#[derive(Debug)]
pub struct SourceLines<'a> {
    sources: &'a mut Sources,
    name: &'a str,
    text: String,
}

impl<'a> SourceLines<'a> {
    /// Starts a text under the name that messages use.
    pub const fn new(sources: &'a mut Sources, name: &'a str) -> Self {
        Self { sources, name, text: String::new() }
    }

    /// Adds a line: `value`, after what introduces it.
    pub fn line(&mut self, introduction: &str, value: &str) -> Span {
        self.text.push_str(introduction);
        let start = self.text.len() as u32;
        self.text.push_str(value);
        let end = self.text.len() as u32;
        self.text.push('\n');
        Span { source: SourceId(self.sources.texts.len() as u32), start, end: end.max(start + 1) }
    }

    /// Adds the text to the sources.
    pub fn finish(self) {
        self.sources.add_kind(self.name, self.text, SourceKind::CommandLine);
    }
}

impl Sources {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text under the name that messages use.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> SourceId {
        self.add_kind(name, text, SourceKind::File)
    }

    fn add_kind(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>, kind: SourceKind) -> SourceId {
        let text = text.into();
        // Old spreadsheets end lines with carriage returns alone.
        let line_end = if text.contains('\n') { b'\n' } else { b'\r' };
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == line_end);
        let line_starts = std::iter::once(0).chain(ends.map(|(at, _)| at as u32 + 1)).collect();
        self.texts.push(SourceText { name: name.into(), text, line_starts, kind, secrets: OnceLock::new() });
        SourceId(self.texts.len() as u32 - 1)
    }

    /// Marks a text as CSV with this layout.
    pub fn set_csv_layout(&mut self, source: SourceId, layout: CsvLayout) {
        self.texts[source.0 as usize].kind = SourceKind::Table(layout);
    }

    /// Row and column of a span, if its text is CSV.
    pub fn cell(&self, span: Span) -> Option<String> {
        match &self.source(span.source).kind {
            SourceKind::Table(layout) => layout.label(span.start),
            SourceKind::File | SourceKind::CommandLine => None,
        }
    }

    /// Whether a text may hold access codes anywhere, since its cells may be merged by a wrong separator.
    pub(super) fn may_hold_codes(&self, span: Span) -> bool {
        match &self.source(span.source).kind {
            SourceKind::Table(layout) => layout.may_hold_codes,
            SourceKind::File => true,
            SourceKind::CommandLine => false,
        }
    }

    pub fn name(&self, source: SourceId) -> &Arc<str> {
        &self.source(source).name
    }

    pub fn text(&self, source: SourceId) -> &Arc<str> {
        &self.source(source).text
    }

    /// What a span covers.
    pub(crate) fn text_of(&self, span: Span) -> &str {
        &self.text(span.source)[span.start as usize..span.end as usize]
    }

    /// All texts, in the order in which they were read.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Arc<str>)> {
        self.texts.iter().enumerate().map(|(at, source)| (SourceId(at as u32), &source.name))
    }

    pub fn resolve(&self, span: Span) -> SourceLocation {
        let source = self.source(span.source);
        let line = source.line_of(span.start);
        let column = self.column(span, source.line_starts[line]);
        SourceLocation { file: Arc::clone(&source.name), line: line as u32 + 1, column: column as u32 + 1 }
    }

    /// Characters between the start of the line and the span. Diagnostics come in order, so counting resumes at the
    /// last position: thousands of them on one long line are not counted from its start each time.
    fn column(&self, span: Span, line_start: u32) -> usize {
        let text = &self.source(span.source).text;
        let mut last = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let (source, from, counted) = *last;
        let goes_on = source == Some(span.source) && (line_start..=span.start).contains(&from);
        let (from, counted) = if goes_on { (from, counted) } else { (line_start, 0) };
        let column = counted + text[from as usize..span.start as usize].chars().count();
        *last = (Some(span.source), span.start, column);
        column
    }

    /// The span of one character, given its line and column as a parser counts them: from 1, in characters.
    pub fn span_at(&self, source: SourceId, line: u64, column: u64) -> Span {
        let text = &self.source(source).text;
        let starts = &self.source(source).line_starts;
        let line = (line.max(1) as usize - 1).min(starts.len() - 1);
        let line_start = starts[line] as usize;
        let offset = text[line_start..]
            .char_indices()
            .nth(column.max(1) as usize - 1)
            .map_or(text.len(), |(at, _)| line_start + at);
        let end = text[offset..].chars().next().map_or(offset, |character| offset + character.len_utf8());
        Span { source, start: offset as u32, end: end as u32 }
    }

    /// The line of a span and the lines around it, with everything redacted that may be an access code.
    pub fn snippet(&self, span: Span) -> Snippet {
        let source = self.source(span.source);
        let (first, last) = (source.line_of(span.start), source.line_of(span.end.max(span.start + 1) - 1));
        // A span may cover a whole mapping; only its first line is highlighted.
        let last_marked = if last > first { first } else { last };
        let shown = first.saturating_sub(1)..=(last_marked + 1).min(source.line_starts.len() - 1);

        let mut text = String::new();
        let mut highlight = 0..0;
        for line in shown.clone() {
            let range = source.line_range(line);
            let full = &source.text[range.clone()];
            // A line of a megabyte is clipped.
            let near = if line == first { span.start as usize - range.start } else { 0 };
            let window = clip_line(full, near);
            let offset = range.start + window.start;
            let inside = |at: u32| (at as usize).saturating_sub(offset).min(window.len());
            let part = &full[window.clone()];
            let secrets = source.secrets(offset..offset + window.len());
            let comment = source.comment(range.start, offset..offset + window.len());
            let mut secrets: Vec<Range<usize>> = secrets.into_iter().chain(comment).collect();
            secrets.sort_by_key(|range| range.start);
            let (part, [start, end]) = masked(part, secrets, [inside(span.start), inside(span.end)]);
            if line == first {
                highlight = text.len() + start..text.len() + end;
            }
            text.push_str(&part);
            text.push('\n');
        }
        if highlight.end <= highlight.start {
            highlight.end = highlight.start + text[highlight.start..].chars().next().map_or(0, char::len_utf8);
        }
        Snippet { text, first_line: shown.start() + 1, highlight }
    }

    /// All lines of a text, with everything redacted that may be an access code.
    pub fn redacted_lines(&self, source: SourceId) -> Vec<String> {
        let source = self.source(source);
        let line = |line: usize| {
            let range = source.line_range(line);
            masked(&source.text[range.clone()], source.secrets(range), [0, 0]).0
        };
        (0..source.line_starts.len()).map(line).collect()
    }

    fn source(&self, source: SourceId) -> &SourceText {
        &self.texts[source.0 as usize]
    }
}

impl SourceText {
    fn line_of(&self, offset: u32) -> usize {
        self.line_starts.partition_point(|start| *start <= offset) - 1
    }

    /// What of a part of the text may be a secret, relative to its start.
    fn secrets(&self, part: Range<usize>) -> Vec<Range<usize>> {
        match &self.kind {
            SourceKind::Table(layout) => layout.secrets(&self.text, part),
            SourceKind::CommandLine => Vec::new(),
            SourceKind::File => {
                let all = self.secrets.get_or_init(|| find_secrets(&self.text));
                let from = all.partition_point(|secret| secret.end <= part.start);
                let within = all[from..].iter().take_while(|secret| secret.start < part.end);
                within
                    .map(|secret| secret.start.saturating_sub(part.start)..secret.end.min(part.end) - part.start)
                    .collect()
            }
        }
    }

    /// The comment in a part of the line that begins at `line`: it may hold what was tried before.
    fn comment(&self, line: usize, part: Range<usize>) -> Option<Range<usize>> {
        if !matches!(self.kind, SourceKind::File) {
            return None;
        }
        let from = line.max(part.start.saturating_sub(FAR));
        let from = (from..).find(|at| self.text.is_char_boundary(*at))?;
        let comment = comment(&self.text[from..part.end])?;
        let (start, end) = (from + comment.start, from + comment.end);
        (end > part.start).then(|| start.saturating_sub(part.start)..end - part.start)
    }

    fn line_range(&self, line: usize) -> Range<usize> {
        let start = self.line_starts[line] as usize;
        let end = self.line_starts.get(line + 1).map_or(self.text.len(), |next| *next as usize - 1);
        let end = if end > start && self.text.as_bytes()[end - 1] == b'\r' { end - 1 } else { end };
        start..end.max(start)
    }
}

/// At most this many bytes of a line are shown on either side of the highlight.
const MAX_CONTEXT_BYTES: usize = 160;

fn clip_line(line: &str, near: usize) -> Range<usize> {
    if line.len() <= 2 * MAX_CONTEXT_BYTES {
        return 0..line.len();
    }
    let near = near.min(line.len());
    let mut start = near.saturating_sub(MAX_CONTEXT_BYTES);
    let mut end = (near + MAX_CONTEXT_BYTES).min(line.len());
    while !line.is_char_boundary(start) {
        start -= 1;
    }
    while !line.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

/// A redacted line, and where the given offsets (ascending) are in it.
///
/// A control character in a snippet could rewrite the terminal, so it is replaced.
fn masked(line: &str, secrets: Vec<Range<usize>>, offsets: [usize; 2]) -> (String, [usize; 2]) {
    let mut secrets = secrets.into_iter().peekable();
    let mut text = String::with_capacity(line.len());
    let mut found = [None; 2];
    let mut hidden_until = 0;
    for (at, character) in line.char_indices() {
        let entering = secrets.next_if(|secret| secret.start <= at);
        for (offset, found) in offsets.iter().zip(&mut found) {
            // An offset inside of a redacted range moves behind its mask.
            if found.is_none() && *offset <= at && (at >= hidden_until || *offset == at) {
                *found = Some(text.len());
            }
        }
        if let Some(secret) = entering.filter(|secret| secret.end > hidden_until) {
            if at >= hidden_until {
                text.push_str(MASK);
            }
            hidden_until = secret.end;
        }
        if at >= hidden_until {
            text.push(if character.is_control() && character != '\t' { '\u{fffd}' } else { character });
        }
    }
    let end = text.len();
    (text, found.map(|found| found.unwrap_or(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str, part: &str) -> (Sources, Span) {
        let mut sources = Sources::new();
        let source = sources.add("a.yaml", text);
        let start = text.find(part).expect("the part is in the text") as u32;
        (sources, Span { source, start, end: start + part.len() as u32 })
    }

    #[test]
    fn columns_count_characters() {
        let (sources, span) = span("a: 1\nnamn: Ängö x\n", "x");
        let resolve = sources.resolve(span);
        assert_eq!((resolve.line, resolve.column), (2, 12));
        assert_eq!(sources.span_at(SourceId(0), 2, 12), span);
    }

    #[test]
    fn an_excerpt_marks_the_masked_text() {
        let text = "- defaultAccessCode: 4821\n  nam: Ward\n  defaultAccessCode: \"1234\"\n";
        let (sources, at_field) = span(text, "nam");
        let snippet = sources.snippet(at_field);
        assert!(!snippet.text.contains("4821") && !snippet.text.contains("1234"), "{}", snippet.text);
        assert_eq!(&snippet.text[snippet.highlight], "nam");

        let (sources, at_code) = span(text, "\"1234\"");
        let snippet = sources.snippet(at_code);
        assert_eq!(&snippet.text[snippet.highlight], MASK);
    }

    #[test]
    fn control_characters_shift_nothing() {
        let text = "a: \r- defaultAccessCode: 4821\u{1b}[2J 'x': 0042 # Ä\rb: \"1234\"\n";
        for (at, _) in text.char_indices() {
            let mut sources = Sources::new();
            let source = sources.add("a.yaml", text);
            let snippet = sources.snippet(Span { source, start: at as u32, end: at as u32 + 1 });
            assert!(snippet.text.get(snippet.highlight.clone()).is_some());
            assert!(!snippet.text.contains('\u{1b}') && !snippet.text.contains("4821"), "{}", snippet.text);
        }
    }

    #[test]
    fn a_code_on_lines_of_its_own_is_hidden() {
        for text in [
            "- defaultAccessCode: >\n    7777 7\n  nam: x\n",
            "- defaultAccessCode:\n    7777 7\n  nam: x\n",
            "- defaultAccessCode: \"77\n    77\"\n  nam: x\n",
        ] {
            let (sources, at_field) = span(text, "nam");
            let snippet = sources.snippet(at_field);
            assert!(!snippet.text.contains("77"), "{}", snippet.text);
        }
        // However a password is laid out, whatever its key is called.
        for key in ["serviceabilityPassword", "\"pass\"", "'passphrase'", "my_pwd", "Secret", "PIN", "defaultAcessCode"]
        {
            for layout in [
                "- KEY: hunter2\n",
                "- { name: A, KEY: hunter2 }\n",
                "- { name: A, KEY:\n    hunter2 }\n",
                "- KEY: { value: hunter2 }\n",
                "- KEY: { value:\n      hunter2 }\n",
                "- KEY: [a, 'b]c', \"hunter2\"]\n",
                "- KEY: [\n    a,\n    hunter2,\n  ]\n",
                "- name: A\n  KEY:\n    value: hunter2\n",
                "- name: A\n  KEY:\n    deep:\n      - value: hunter2\n        b: x\n",
                "- name: A\n  KEY:\n  - a\n  - hunter2\n",
                "- name: A\n  KEY: # the one\n    hunter2\n",
                "- KEY: |\n    a: b\n    hunter2: x hunter2\n",
                "- KEY: !!str &a hunter2\n",
                "- name: A # KEY: hunter2\n",
                "# KEY hunter2\n",
                "- KEY: \"a\\\"b hunter2\"\n",
                "- KEY: 'a''b hunter2'\n",
                "- KEY: abc,hunter2\n",
                "- KEY: ab}hunter2\n",
                "- KEY: correct horse\n    battery hunter2\n",
                "- KEY: [[a], hunter2]\n",
                "- KEY: { value: {a: b}, c: hunter2 }\n",
                "- KEY: { hunter2: x }\n",
                "- KEY: !!str\n    hunter2\n",
                "- ? KEY\n  : hunter2\n",
                "- KEY: true#hunter2\n",
                "- KEY: enabled, hunter2\n",
                "- KEY:\n  -\n    hunter2\n",
                "- { name: A, KEY: \"abc\n    hunter2\", nam: x }\n",
                "- { name: A, KEY: [\n    hunter2] }\n",
                "- { name: A, KEY: # c\n    hunter2 }\n",
                "- { name: A, KEY: abc\n    hunter2 }\n",
                "- { name: A, KEY\n  : hunter2 }\n",
                "- KEY:\nhunter2\n",
                "- KEY: *hunter2\n",
                "- KEY: |hunter2\n",
                "- KEY: >hunter2\n",
                "- KEY: &hunter2\n",
                "- KEY: !hunter2\n",
                "- KEY hunter2\n",
                "- KEY \"hunter2\"\n",
                "- KEY; hunter2\n",
                "- KEY\u{ff1a} hunter2\n",
                "- KEY: \"abc\nhunter2\"\n",
                "- KEY: |\nhunter2\n",
                "- displayName: \"Ward # KEY was 5551, hunter2\n",
                "- KEY.x: hunter2\n",
                "- KEY (new): hunter2\n",
                "- KEY_enabled: hunter2\n",
                "- KEY: { env: hunter2 }\n",
                "- name: &pw hunter2\n  KEY: *pw\n",
                "- KEY:\n    - a\nLONG    - hunter2\n",
                "KEY:\n  set: hunter2\n",
                "KEY: |\n  id: hunter2\n",
                "KEY: { a: 1,\n  set: hunter2 }\n",
                "KEY: \"it\n  name: hunter2\"\n",
                "KEY: correct horse, id: hunter2\n",
                "KEY: correct horse,id:hunter2\n",
                "\u{feff}# hunter2\n",
            ] {
                let mut sources = Sources::new();
                let source =
                    sources.add("a.yaml", layout.replace("KEY", key).replace("LONG", &"    - b\n\n".repeat(30)));
                for at in 0..sources.text(source).len() as u32 {
                    let shown = sources.snippet(Span { source, start: at, end: at + 1 }).text;
                    assert!(!shown.contains("hunter2"), "{key}: {shown}");
                }
            }
            // What is shown of a long line begins behind the key.
            let long = format!("- {{ {key}: {}hunter2, nam: x }}\n", "a ".repeat(5_000));
            let (sources, at_field) = span(&long, "nam");
            assert!(!sources.snippet(at_field).text.contains("hunter2"), "{key}");
        }
        let (sources, at_field) = span("- defaultAccessCode:\n    env: NAME\n  nam: x\n", "nam");
        assert!(sources.snippet(at_field).text.contains("env: NAME"));
    }

    #[test]
    fn the_end_of_a_text_is_a_place_too() {
        let (sources, _) = span("a: [\n", "a");
        let end = sources.span_at(SourceId(0), 9, 9);
        assert_eq!(sources.resolve(end).line, 2);
        sources.snippet(end);
    }
}

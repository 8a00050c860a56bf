//! The texts that were read, and excerpts of them in which nothing secret is left.

use std::ops::Range;
use std::sync::Arc;

use super::masking::{MASK, secret_ranges};

/// Which of the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// A stretch of a text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot {
    /// Which text.
    pub source: SourceId,
    /// Where it begins.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
}

impl Spot {
    /// The stretch as a range of bytes.
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A spot as people and editors name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as it was named on the command line.
    pub file: Arc<str>,
    /// Its line, from 1.
    pub line: u32,
    /// Its column in characters, from 1.
    pub column: u32,
}

/// A few lines around a spot, masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The lines.
    pub text: String,
    /// The number of the first of them, from 1.
    pub first_line: usize,
    /// Where in `text` the spot is, in bytes.
    pub marked: Range<usize>,
}

#[derive(Debug)]
struct Source {
    name: Arc<str>,
    text: Arc<str>,
    line_starts: Vec<u32>,
}

/// The texts that were read in this run.
#[derive(Debug, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// No texts yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Keeps a text under the name that people know it by.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> SourceId {
        let text = text.into();
        let line_starts = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at as u32 + 1))
            .collect();
        self.0.push(Source { name: name.into(), text, line_starts });
        SourceId(self.0.len() as u32 - 1)
    }

    /// What a text is called.
    pub fn name(&self, source: SourceId) -> &Arc<str> {
        &self.source(source).name
    }

    /// The text itself, unmasked.
    pub fn text(&self, source: SourceId) -> &Arc<str> {
        &self.source(source).text
    }

    /// All texts, in the order in which they were read.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Arc<str>)> {
        self.0.iter().enumerate().map(|(at, source)| (SourceId(at as u32), &source.name))
    }

    /// Line and column of a spot.
    pub fn place(&self, spot: Spot) -> Place {
        let source = self.source(spot.source);
        let line = source.line_of(spot.start);
        let start = source.line_starts[line] as usize;
        let column = source.text[start..].char_indices().take_while(|(at, _)| start + at < spot.start as usize).count();
        Place { file: Arc::clone(&source.name), line: line as u32 + 1, column: column as u32 + 1 }
    }

    /// The spot of one character, given its line and column as a parser counts them: from 1, in characters.
    pub fn spot_at(&self, source: SourceId, line: u64, column: u64) -> Spot {
        let text = &self.source(source).text;
        let starts = &self.source(source).line_starts;
        let line = (line.max(1) as usize - 1).min(starts.len() - 1);
        let line_start = starts[line] as usize;
        let offset = text[line_start..]
            .char_indices()
            .nth(column.max(1) as usize - 1)
            .map_or(text.len(), |(at, _)| line_start + at);
        let end = text[offset..].chars().next().map_or(offset, |character| offset + character.len_utf8());
        Spot { source, start: offset as u32, end: end as u32 }
    }

    /// The line of a spot and its neighbours, with everything hidden that may be an access code.
    pub fn excerpt(&self, spot: Spot) -> Excerpt {
        let source = self.source(spot.source);
        let (first, last) = (source.line_of(spot.start), source.line_of(spot.end.max(spot.start + 1) - 1));
        // A spot may span a whole mapping; what is marked is its first line.
        let last_marked = if last > first { first } else { last };
        let shown = first.saturating_sub(1)..=(last_marked + 1).min(source.line_starts.len() - 1);

        let mut text = String::new();
        let mut marked = 0..0;
        for line in shown.clone() {
            let range = source.line_range(line);
            let full = &source.text[range.clone()];
            // A line of a megabyte is no excerpt.
            let near = if line == first { spot.start as usize - range.start } else { 0 };
            let window = window_around(full, near);
            let part = &full[window.clone()];
            let offset = range.start + window.start;
            if line == first {
                marked.start = text.len() + masked_length(part, (spot.start as usize).saturating_sub(offset));
                marked.end =
                    text.len() + masked_length(part, (spot.end as usize).saturating_sub(offset).min(part.len()));
            }
            push_masked(&mut text, part);
            text.push('\n');
        }
        if marked.end <= marked.start {
            marked.end = marked.start + text[marked.start..].chars().next().map_or(0, char::len_utf8);
        }
        Excerpt { text, first_line: shown.start() + 1, marked }
    }

    fn source(&self, source: SourceId) -> &Source {
        &self.0[source.0 as usize]
    }
}

impl Source {
    fn line_of(&self, offset: u32) -> usize {
        self.line_starts.partition_point(|start| *start <= offset) - 1
    }

    fn line_range(&self, line: usize) -> Range<usize> {
        let start = self.line_starts[line] as usize;
        let end = self.line_starts.get(line + 1).map_or(self.text.len(), |next| *next as usize - 1);
        let end = if end > start && self.text.as_bytes()[end - 1] == b'\r' { end - 1 } else { end };
        start..end.max(start)
    }
}

/// At most this many bytes of a line are shown on either side of what is marked.
const WINDOW: usize = 160;

fn window_around(line: &str, near: usize) -> Range<usize> {
    if line.len() <= 2 * WINDOW {
        return 0..line.len();
    }
    let near = near.min(line.len());
    let mut start = near.saturating_sub(WINDOW);
    let mut end = (near + WINDOW).min(line.len());
    while !line.is_char_boundary(start) {
        start -= 1;
    }
    while !line.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

fn push_masked(text: &mut String, line: &str) {
    let mut at = 0;
    for secret in secret_ranges(line) {
        if secret.start < at {
            continue;
        }
        text.push_str(&line[at..secret.start]);
        text.push_str(MASK);
        at = secret.end;
    }
    // A control character in an excerpt could rewrite the terminal.
    text.push_str(&line[at..].replace(|c: char| c.is_control() && c != '\t', "\u{fffd}"));
}

/// How long the masked form of `line[..end]` is.
fn masked_length(line: &str, end: usize) -> usize {
    let mut length = 0;
    let mut at = 0;
    for secret in secret_ranges(line) {
        if secret.start >= end {
            break;
        }
        if secret.start < at {
            continue;
        }
        length += secret.start - at;
        if end < secret.end {
            return length;
        }
        length += MASK.len();
        at = secret.end;
    }
    let mut rest = end.max(at).min(line.len());
    while !line.is_char_boundary(rest) {
        rest -= 1;
    }
    length + line[at..rest].replace(|c: char| c.is_control() && c != '\t', "\u{fffd}").len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(text: &str, part: &str) -> (Sources, Spot) {
        let mut sources = Sources::new();
        let source = sources.add("a.yaml", text);
        let start = text.find(part).expect("the part is in the text") as u32;
        (sources, Spot { source, start, end: start + part.len() as u32 })
    }

    #[test]
    fn columns_count_characters() {
        let (sources, spot) = spot("a: 1\nnamn: Ängö x\n", "x");
        let place = sources.place(spot);
        assert_eq!((place.line, place.column), (2, 12));
        assert_eq!(sources.spot_at(SourceId(0), 2, 12), spot);
    }

    #[test]
    fn an_excerpt_marks_the_masked_text() {
        let text = "- defaultAccessCode: 4821\n  nam: Ward\n  defaultAccessCode: \"1234\"\n";
        let (sources, at_field) = spot(text, "nam");
        let excerpt = sources.excerpt(at_field);
        assert!(!excerpt.text.contains("4821") && !excerpt.text.contains("1234"), "{}", excerpt.text);
        assert_eq!(&excerpt.text[excerpt.marked], "nam");

        let (sources, at_code) = spot(text, "\"1234\"");
        let excerpt = sources.excerpt(at_code);
        assert_eq!(&excerpt.text[excerpt.marked], MASK);
    }

    #[test]
    fn the_end_of_a_text_is_a_place_too() {
        let (sources, _) = spot("a: [\n", "a");
        let end = sources.spot_at(SourceId(0), 9, 9);
        assert_eq!(sources.place(end).line, 2);
        sources.excerpt(end);
    }
}

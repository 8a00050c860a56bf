//! Where the cells of a CSV file are in its text, so that a diagnostic can name row and column.

use std::ops::Range;

use super::redact::{SWITCHES, code_like_numbers, redact_code_like_numbers};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    pub start: u32,
    pub end: u32,
    /// Row, from 1; the header is the first one that is not empty.
    pub row: u32,
    /// Column, from 0.
    pub column: u16,
}

/// The cells of a CSV file, in the order of its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CsvLayout {
    pub headings: Vec<String>,
    /// All cells, those of the header included.
    pub cells: Vec<Cell>,
    /// The columns of access codes.
    pub secret: Vec<u16>,
    /// Whether a malformed row may have an access code anywhere. Tables of devices have none.
    pub may_hold_codes: bool,
}

impl CsvLayout {
    /// The cell at an offset, as `row 7, column name`.
    pub fn label(&self, offset: u32) -> Option<String> {
        let at = self.cells.partition_point(|cell| cell.start <= offset).checked_sub(1)?;
        let cell = self.cells[at];
        Some(match self.headings.get(usize::from(cell.column)).filter(|heading| !heading.trim().is_empty()) {
            Some(heading) => format!("row {}, column {}", cell.row, redact_code_like_numbers(heading.trim())),
            None => format!("row {}, column {}", cell.row, cell.column + 1),
        })
    }

    /// The parts of a range of `text` that may be secrets, relative to its start: the columns of codes and passwords, what a quote
    /// that is not closed has merged with them, and every number of the length of a code, since a malformed file may have one
    /// anywhere.
    pub fn secrets(&self, text: &str, stretch: Range<usize>) -> Vec<Range<usize>> {
        let first = self.cells.partition_point(|cell| (cell.end as usize) <= stretch.start);
        let cells = self.cells[first..].iter().take_while(|cell| (cell.start as usize) < stretch.end);
        let headings = self.cells.first().map_or(1, |heading| heading.row);
        let secret = cells.enumerate().filter(|(_, cell)| cell.row > headings).filter_map(|(at, cell)| {
            let own = if self.secret.contains(&cell.column) { 0 } else { self.merged(first + at, text)? };
            let start = (cell.start as usize + own).max(stretch.start) - stretch.start;
            Some(start..((cell.end as usize).min(stretch.end) - stretch.start).max(start))
        });
        let is_switch = |range: &Range<usize>| {
            let cell = text.get(stretch.start + range.start..stretch.start + range.end).unwrap_or_default();
            SWITCHES.contains(&cell.trim_matches(['"', ' ']))
        };
        let mut ranges: Vec<Range<usize>> = secret.filter(|range| !range.is_empty() && !is_switch(range)).collect();
        for number in code_like_numbers(&text[stretch]).into_iter().filter(|_| self.may_hold_codes) {
            if !ranges.iter().any(|range| range.start <= number.start && number.end <= range.end) {
                ranges.push(number);
            }
        }
        ranges.sort_by_key(|range| range.start);
        ranges
    }

    /// Where in a cell others begin that it has swallowed, if secrets are among them: it is the last one of a row that is too short.
    fn merged(&self, at: usize, text: &str) -> Option<usize> {
        let cell = self.cells[at];
        let is_last = self.cells.get(at + 1).is_none_or(|next| next.row > cell.row);
        let lacks_secrets = self.secret.iter().any(|column| *column > cell.column);
        let content = text.get(cell.start as usize..cell.end as usize)?;
        (is_last && lacks_secrets).then(|| content.find([',', ';', '\t', '|', '\n']))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_quote_has_swallowed_may_be_secret() {
        let text = "location,network,pass\nOslo,\"HQ, hunter2\n";
        let cell = |part: &str, row: u32, column: u16| {
            let start = text.find(part).expect("the part") as u32;
            Cell { start, end: start + part.len() as u32, row, column }
        };
        let cells = vec![cell("location", 1, 0), cell("Oslo", 2, 0), cell("\"HQ, hunter2", 2, 1)];
        let layout = CsvLayout { headings: Vec::new(), cells, secret: vec![2], may_hold_codes: false };
        let last = text.find("Oslo").expect("the last row");
        let shown: Vec<&str> =
            layout.secrets(text, last..text.len()).into_iter().map(|range| &text[last..][range]).collect();
        assert_eq!(shown, [", hunter2"]);
    }
}

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

    /// The parts of a range of `text` that may be access codes, relative to its start: the column of codes, and every
    /// number of the length of a code, since a malformed file may have a code anywhere.
    pub fn secrets(&self, text: &str, stretch: Range<usize>) -> Vec<Range<usize>> {
        let first = self.cells.partition_point(|cell| (cell.end as usize) <= stretch.start);
        let cells = self.cells[first..].iter().take_while(|cell| (cell.start as usize) < stretch.end);
        let headings = self.cells.first().map_or(1, |heading| heading.row);
        let secret = cells.filter(|cell| cell.row > headings && self.secret.contains(&cell.column)).map(|cell| {
            let start = (cell.start as usize).max(stretch.start) - stretch.start;
            start..(cell.end as usize).min(stretch.end) - stretch.start
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
}

//! Where the cells of a table stand in its text, so that a finding can name row and column.

use std::ops::Range;

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Where it begins, in bytes.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
    /// Its row, from 1; the headings are row 1.
    pub row: u32,
    /// Its column, from 0.
    pub column: u16,
}

/// The cells of a table, in the order of its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    /// The headings.
    pub headings: Vec<String>,
    /// All cells, those of the headings included.
    pub cells: Vec<Cell>,
    /// The column that holds access codes.
    pub secret: Option<u16>,
}

impl Grid {
    /// What people call the cell at an offset: `row 7, column name`.
    pub fn label(&self, offset: u32) -> Option<String> {
        let at = self.cells.partition_point(|cell| cell.start <= offset).checked_sub(1)?;
        let cell = self.cells[at];
        Some(match self.headings.get(usize::from(cell.column)).filter(|heading| !heading.trim().is_empty()) {
            Some(heading) => format!("row {}, column {}", cell.row, heading.trim()),
            None => format!("row {}, column {}", cell.row, cell.column + 1),
        })
    }

    /// The parts of a stretch of `text` that may be access codes, relative to its beginning: the column of codes, and
    /// four digits anywhere, since a cell may have slipped into another column.
    pub fn secrets(&self, text: &str, stretch: Range<usize>) -> Vec<Range<usize>> {
        let first = self.cells.partition_point(|cell| (cell.end as usize) <= stretch.start);
        let cells = self.cells[first..].iter().take_while(|cell| (cell.start as usize) < stretch.end);
        let secret = cells.filter(|cell| {
            let written = text.get(cell.start as usize..cell.end as usize).unwrap_or_default();
            let digits = written.bytes().filter(u8::is_ascii_digit).count();
            cell.row > 1 && (self.secret == Some(cell.column) || (digits == 4 && written.len() <= 6))
        });
        secret
            .map(|cell| {
                let start = (cell.start as usize).max(stretch.start) - stretch.start;
                start..(cell.end as usize).min(stretch.end) - stretch.start
            })
            .filter(|range| !range.is_empty())
            .collect()
    }
}

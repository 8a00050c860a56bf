//! Parses CSV into the same tree as YAML, so that one set of checks serves both. A record is a network, a base station or a
//! handset, which the headings tell apart; every field keeps its span.

use std::collections::{HashMap, HashSet};

use csv_core::{ReadFieldResult, Reader, ReaderBuilder};

use super::yaml::{Node, Value};
use crate::diagnostic::{
    Cell, CsvLayout, Diagnostic, DiagnosticCode, Diagnostics, SourceId, Sources, Span, names_code, quoted_list, suggest,
};

/// Columns of a table of networks. A heading that starts with `#` marks a comment column.
pub(super) const COLUMNS: [&str; 11] = [
    "locationId",
    "location",
    "id",
    "name",
    "renamedFrom",
    "model",
    "displayName",
    "defaultAccessCodeEnabled",
    "defaultAccessCode",
    "serviceabilityPassword",
    "state",
];

/// The columns that say in which network the thing of a row is.
pub(super) const PLACE_COLUMNS: [&str; 4] = ["locationId", "location", "networkId", "network"];

/// Columns of a table of base stations.
pub(super) const BASE_STATION_COLUMNS: [&str; 7] =
    ["locationId", "location", "networkId", "network", "mac", "replaces", "state"];

/// Columns of a table of handsets.
pub(super) const HANDSET_COLUMNS: [&str; 12] = [
    "locationId",
    "location",
    "networkId",
    "network",
    "id",
    "line1",
    "line1Location",
    "line2",
    "line2Location",
    "customDisplayName",
    "reassignedFrom",
    "state",
];

/// What the rows of a table are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TableKind {
    Networks,
    BaseStations,
    Handsets,
}

/// What columns are called elsewhere.
const SYNONYMS: [(&str, &[&str]); 5] = [
    ("line1", &["extension", "ext", "phone", "phone number", "number", "line", "durchwahl"]),
    ("mac", &["mac address", "base station", "address"]),
    ("network", &["network name", "dect network"]),
    ("location", &["site", "location name"]),
    ("defaultAccessCode", &["access code", "code", "pin"]),
];

/// The letters and digits of a heading: `Line 1` is `line1`.
fn plain_heading(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn is_heading(heading: &str, column: &str) -> bool {
    let heading = heading.trim();
    !heading.starts_with('#') && plain_heading(heading) == plain_heading(column)
}

/// The column that a heading of another name probably means.
fn meant_by(heading: &str) -> Option<&'static str> {
    SYNONYMS.into_iter().find(|(_, names)| names.iter().any(|name| is_heading(heading, name))).map(|(column, _)| column)
}

impl TableKind {
    /// A table with a column `mac` is one of base stations, one with `line1` is one of handsets.
    fn of(headings: &Row) -> Self {
        let has_heading = |column: &str| headings.iter().any(|(_, heading)| is_heading(heading, column));
        // What a column of another name means decides only where nothing speaks for a table of networks.
        let is_device_table = ["network", "networkId"].iter().any(|column| has_heading(column))
            && !["name", "defaultAccessCode"].iter().any(|column| has_heading(column));
        let is_meant = |column: &str| headings.iter().any(|(_, heading)| meant_by(heading) == Some(column));
        let has = |column: &str| has_heading(column) || is_device_table && is_meant(column);
        match (has("mac"), has("line1")) {
            (true, _) => Self::BaseStations,
            (false, true) => Self::Handsets,
            (false, false) => Self::Networks,
        }
    }

    const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Networks => &COLUMNS,
            Self::BaseStations => &BASE_STATION_COLUMNS,
            Self::Handsets => &HANDSET_COLUMNS,
        }
    }

    /// The columns of which one must be there, beside that of the location.
    const fn keys(self) -> [&'static str; 2] {
        match self {
            Self::Networks => ["name", "id"],
            Self::BaseStations | Self::Handsets => ["network", "networkId"],
        }
    }

    /// The field of a network with the rows, and the column that a row is about.
    const fn devices(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Networks => None,
            Self::BaseStations => Some(("baseStations", "mac")),
            Self::Handsets => Some(("handsets", "line1")),
        }
    }
}

/// The name of the network of a device. Unlike `name`, it only identifies.
pub(super) const NETWORK_NAME_CHECK: &str = "network";

/// What a cell says that removes a second line.
pub(super) const NO_LINE: &str = "none";

/// Characters that start a formula in a spreadsheet. Such a value is escaped with an apostrophe.
const FORMULA: [char; 5] = ['=', '+', '-', '@', '\''];

/// Error values of spreadsheets.
const SPREADSHEET_ERRORS: [&str; 7] = ["#NAME?", "#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!"];

/// The first row of a table. The byte order mark tells spreadsheets that it is UTF-8.
pub(super) fn heading<'a>(columns: impl IntoIterator<Item = &'a str>) -> String {
    format!("\u{feff}{}\n", columns.into_iter().collect::<Vec<_>>().join(","))
}

/// A row of a table; a cell without a value is empty.
pub(super) fn row<C: Into<Option<String>>>(cells: impl IntoIterator<Item = C>) -> String {
    let cells = cells.into_iter().map(|cell| cell.into().map(|text| csv_escape(&text)).unwrap_or_default());
    format!("{}\n", cells.collect::<Vec<_>>().join(","))
}

/// A table: its headings, and a value for each of them in every row.
pub fn table<'a, R: IntoIterator<Item = Option<String>>>(
    columns: impl IntoIterator<Item = &'a str>,
    rows: impl IntoIterator<Item = R>,
) -> String {
    std::iter::once(heading(columns)).chain(rows.into_iter().map(row)).collect()
}

/// Escapes a value for CSV: quoted if required, and never read as a formula.
pub(super) fn csv_escape(text: &str) -> String {
    let guard = if text.starts_with(FORMULA) || is_spreadsheet_error(text) { "'" } else { "" };
    let text = format!("{guard}{text}");
    if text.contains([',', ';', '"', '\n', '\r', '\t']) || text.trim() != text {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

fn is_spreadsheet_error(text: &str) -> bool {
    SPREADSHEET_ERRORS.contains(&text.trim())
}

/// A value without its guard.
fn unguarded(text: &str) -> &str {
    let guarded = text.strip_prefix('\'');
    guarded.filter(|rest| rest.starts_with(FORMULA) || is_spreadsheet_error(rest)).unwrap_or(text)
}

/// A record: its fields with their values.
type Row = Vec<(Cell, String)>;

/// Parses a source as CSV; reports and returns `None` if it is invalid.
///
/// Rows become a tree by grouping: a location stands where its id and name are first named together, and in a table of devices a
/// network within its location likewise; rows that name them again add to them. A mistake in the headings or quotes ends it, since
/// every cell after it may be read wrongly; a row with a mistake is reported and left out.
pub(super) fn parse(source: SourceId, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Option<Node<'static>> {
    let text = sources.text(source).clone();
    let Records { mut rows, broken_quotes } = records(&text);
    let headings = if rows.is_empty() { Vec::new() } else { rows.remove(0) };
    let spans = Spans { source, end: text.len() as u32 };
    let table = TableKind::of(&headings);
    let columns = Columns::of(&headings, table);
    sources.set_csv_layout(source, layout(&headings, &rows, table));
    for (cell, broken) in &broken_quotes {
        // The opening quote is what is to be found.
        let opening = Span { end: cell.start + 1, ..spans.of(cell) };
        diagnostics.push(broken.diagnostic(opening));
    }
    let is_readable = broken_quotes.is_empty() && columns.report(&headings, |cell| spans.of(cell), diagnostics);
    if headings.is_empty() {
        let name = sources.name(source).to_string();
        diagnostics.push(
            Diagnostic::error(DiagnosticCode::FileEmpty, format!("{name} is empty"))
                .in_file(name)
                .help("the first row contains the headings, every other row is a network"),
        );
    }
    if !is_readable || headings.is_empty() {
        return None;
    }
    columns.report_unnamed(&rows, spans, diagnostics);
    let mut locations = Grouped::default();
    for cells in rows.iter().filter(|row| !is_blank(row)) {
        let row = TableRow { cells, columns: &columns, spans };
        if !row.check(headings.len(), diagnostics) {
            continue;
        }
        let Some(location) = row.identity(["locationId", "location"], diagnostics) else { continue };
        let location: &mut TableLocation = locations.of(location, || TableLocation {
            span: row.span(),
            fields: fields([("id", location[0]), ("name", location[1])]),
            networks: Grouped::default(),
        });
        let Some((_, key_column)) = table.devices() else {
            let fields = fields(COLUMNS[2..].iter().map(|column| (*column, row.value(column))));
            location.networks.all.push(TableNetwork { span: row.span(), fields, devices: Vec::new() });
            continue;
        };
        let Some(network) = row.identity(["networkId", "network"], diagnostics) else { continue };
        let network = location.networks.of(network, || TableNetwork {
            span: row.span(),
            fields: fields([("id", network[0]), (NETWORK_NAME_CHECK, network[1])]),
            devices: Vec::new(),
        });
        let device = match table {
            TableKind::Handsets => handset(|column| row.value(column)),
            _ => fields(["mac", "replaces", "state"].map(|column| (column, row.value(column)))),
        };
        let span = row.place_of([key_column, "id"]);
        network.devices.push(Node { span, value: Value::Map(device.into()) });
    }
    let whole = Span { source, start: 0, end: 0 };
    let locations: Vec<Node<'static>> = locations.all.into_iter().map(|location| location.node(table)).collect();
    let file = [
        field("version", whole, Value::PlainScalar("1".into())),
        field("locations", whole, Value::List(locations.into())),
    ];
    Some(Node { span: whole, value: Value::Map(file.into()) })
}

/// What a diagnostic needs to show a row.
fn layout(headings: &Row, rows: &[Row], table: TableKind) -> CsvLayout {
    let all = std::iter::once(headings).chain(rows).flatten().map(|(cell, _)| *cell);
    CsvLayout {
        headings: headings.iter().map(|(_, heading)| heading.clone()).collect(),
        cells: all.collect(),
        secret: headings.iter().filter(|(_, heading)| names_code(heading)).map(|(cell, _)| cell.column).collect(),
        may_hold_codes: table == TableKind::Networks,
    }
}

/// Where the cells of a source are.
#[derive(Clone, Copy)]
struct Spans {
    source: SourceId,
    end: u32,
}

impl Spans {
    /// An empty cell has the width of a character, so that it can be shown.
    fn of(self, cell: &Cell) -> Span {
        Span { source: self.source, start: cell.start, end: cell.end.max(cell.start + 1).min(self.end) }
    }
}

/// The id and the name of a location or network, as far as a row has them.
type Identity<'a> = [Option<(Span, &'a str)>; 2];

struct TableRow<'a> {
    cells: &'a Row,
    columns: &'a Columns,
    spans: Spans,
}

impl<'a> TableRow<'a> {
    fn span(&self) -> Span {
        self.spans.of(&self.cells[0].0)
    }

    fn cell(&self, column: &str) -> Option<&'a (Cell, String)> {
        self.cells.get(usize::from(*self.columns.index.get(column)?))
    }

    /// The text of a cell that is not blank.
    fn value(&self, column: &str) -> Option<(Span, &'a str)> {
        let (cell, text) = self.cell(column)?;
        (!text.trim().is_empty()).then_some((self.spans.of(cell), unguarded(text)))
    }

    /// The first of these cells that the row has, or where it starts.
    fn place_of(&self, columns: [&str; 2]) -> Span {
        columns.into_iter().find_map(|column| self.cell(column)).map_or(self.span(), |(cell, _)| self.spans.of(cell))
    }

    /// Reports errors of a spreadsheet. A row with cells beyond the headings is reported, too, and not to be read: `false`.
    fn check(&self, headings: usize, diagnostics: &mut Diagnostics) -> bool {
        if let Some((first, _)) = self.cells.get(headings) {
            let message = format!("row has {} cells, expected {headings}", self.cells.len());
            let help = "a cell that contains the separator must be quoted; check for a missing quote or cell";
            diagnostics.error(DiagnosticCode::CsvColumnCount, self.spans.of(first), message).help(help);
            return false;
        }
        for (cell, text) in self.cells.iter().filter(|(_, text)| is_spreadsheet_error(text)) {
            let message = format!("{} is a spreadsheet error, not a value", text.trim());
            let help = "correct the cell in the spreadsheet, and save it as values";
            diagnostics.error(DiagnosticCode::WrongType, self.spans.of(cell), message).help(help);
        }
        true
    }

    /// The cells of the columns of an id and a name; it is reported if both are blank.
    fn identity(&self, [id, name]: [&str; 2], diagnostics: &mut Diagnostics) -> Option<Identity<'a>> {
        let identity = [self.value(id), self.value(name)];
        if identity == [None, None] {
            let message = format!("row has no {name}");
            let help = format!("fill in the column {name} or {id}");
            diagnostics.error(DiagnosticCode::MissingField, self.place_of([name, id]), message).help(help);
            return None;
        }
        Some(identity)
    }
}

/// Things in the order in which a table first names them.
struct Grouped<T> {
    all: Vec<T>,
    places: HashMap<[String; 2], usize>,
}

impl<T> Default for Grouped<T> {
    fn default() -> Self {
        Self { all: Vec::new(), places: HashMap::new() }
    }
}

impl<T> Grouped<T> {
    fn of(&mut self, identity: Identity<'_>, new: impl FnOnce() -> T) -> &mut T {
        let key = identity.map(|cell| cell.map(|(_, text)| text.to_owned()).unwrap_or_default());
        let at = *self.places.entry(key).or_insert_with(|| {
            self.all.push(new());
            self.all.len() - 1
        });
        &mut self.all[at]
    }
}

/// A location of a table.
struct TableLocation {
    span: Span,
    fields: Vec<Field>,
    networks: Grouped<TableNetwork>,
}

impl TableLocation {
    fn node(mut self, table: TableKind) -> Node<'static> {
        let networks: Vec<Node<'_>> = self.networks.all.into_iter().map(|network| network.node(table)).collect();
        self.fields.push(field("networks", self.span, Value::List(networks.into())));
        Node { span: self.span, value: Value::Map(self.fields.into()) }
    }
}

type Field = (Node<'static>, Node<'static>);

/// A network of a table: its own row, or the rows of its devices.
struct TableNetwork {
    span: Span,
    fields: Vec<Field>,
    devices: Vec<Node<'static>>,
}

impl TableNetwork {
    fn node(mut self, table: TableKind) -> Node<'static> {
        if let Some((list, _)) = table.devices() {
            self.fields.push(field(list, self.span, Value::List(self.devices.into())));
        }
        Node { span: self.span, value: Value::Map(self.fields.into()) }
    }
}

/// The fields of a handset. A line of another location is a mapping, and `none` stands for no second line.
fn handset<'a>(cell: impl Fn(&str) -> Option<(Span, &'a str)>) -> Vec<Field> {
    let plain = ["id", "customDisplayName", "reassignedFrom", "state"].map(|column| (column, cell(column)));
    let mut all = fields(plain);
    for (line, location) in [("line1", "line1Location"), ("line2", "line2Location")] {
        let (member, place) = (cell(line), cell(location));
        match (member, place) {
            (None, None) => {}
            (Some((span, text)), None) if line == "line2" && text.trim().eq_ignore_ascii_case(NO_LINE) => {
                all.push(field(line, span, Value::Null));
            }
            (Some(member), None) => all.extend(fields([(line, Some(member))])),
            (member, Some((span, _))) => {
                let parts = fields([("extension", member), ("location", place)]);
                let span = member.map_or(span, |(span, _)| span);
                all.push(field(line, span, Value::Map(parts.into())));
            }
        }
    }
    all
}

fn field(name: &'static str, span: Span, value: Value<'static>) -> Field {
    (Node { span, value: Value::Text(name.into()) }, Node { span, value })
}

/// Returns the non-empty cells as fields of a mapping.
fn fields<'a>(cells: impl IntoIterator<Item = (&'static str, Option<(Span, &'a str)>)>) -> Vec<Field> {
    let fields = cells.into_iter().filter_map(|(name, cell)| {
        let (span, text) = cell?;
        let value = match name {
            // Spreadsheets write numbers and booleans in their own format.
            "defaultAccessCode" => Value::PlainScalar(forced_text(text.trim()).to_owned().into()),
            "defaultAccessCodeEnabled" => Value::PlainScalar(text.trim().to_owned().into()),
            "mac"
            | "replaces"
            | "state"
            | "model"
            | "line1"
            | "line2"
            | "extension"
            | "reassignedFrom"
            | "serviceabilityPassword" => Value::Text(forced_text(text.trim()).to_owned().into()),
            // Names are read back as they are written, even if they look like a protected text.
            _ => Value::Text(text.to_owned().into()),
        };
        Some(field(name, span, value))
    });
    fields.collect()
}

/// A value without the notation by which spreadsheets are made to keep a text: `="0042"`, or `'0042`.
fn forced_text(text: &str) -> &str {
    let formula = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')).filter(|rest| !rest.contains('"'));
    let apostrophe = text
        .strip_prefix(['\'', '\u{2019}'])
        .filter(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
    formula.or(apostrophe).unwrap_or(text)
}

fn is_blank(row: &Row) -> bool {
    row.iter().all(|(_, text)| text.trim().is_empty())
}

struct Columns {
    table: TableKind,
    index: HashMap<&'static str, u16>,
    duplicates: Vec<usize>,
    unknown: Vec<usize>,
    /// Columns without a heading, which must be empty.
    unnamed: HashSet<u16>,
}

impl Columns {
    fn of(headings: &Row, table: TableKind) -> Self {
        let mut columns =
            Self { table, index: HashMap::new(), duplicates: Vec::new(), unknown: Vec::new(), unnamed: HashSet::new() };
        for (at, (cell, heading)) in headings.iter().enumerate() {
            let heading = heading.trim();
            match table.columns().iter().copied().find(|column| is_heading(heading, column)) {
                Some(column) if columns.index.contains_key(column) => columns.duplicates.push(at),
                Some(column) => {
                    columns.index.insert(column, cell.column);
                }
                None if heading.is_empty() => {
                    columns.unnamed.insert(cell.column);
                }
                None if heading.starts_with('#') => {}
                None => columns.unknown.push(at),
            }
        }
        columns
    }

    /// Reports columns that have content and no heading, each at its first cell: what is in them would be lost.
    fn report_unnamed(&self, rows: &[Row], spans: Spans, diagnostics: &mut Diagnostics) {
        let mut unnamed: Vec<u16> = self.unnamed.iter().copied().collect();
        unnamed.sort_unstable();
        for column in unnamed {
            let cells = rows.iter().filter_map(|row| row.get(usize::from(column)));
            let Some((cell, _)) = cells.into_iter().find(|(_, text)| !text.trim().is_empty()) else { continue };
            diagnostics
                .error(
                    DiagnosticCode::UnknownField,
                    spans.of(cell),
                    "a cell with content in a column without a heading",
                )
                .help("give the column its heading; start it with # for a comment column");
        }
    }

    /// Reports mistakes in the headings; whether the rows can be read all the same: beside a column that is not known, but not if
    /// one may be missing.
    fn report(&self, headings: &Row, span: impl Fn(&Cell) -> Span, diagnostics: &mut Diagnostics) -> bool {
        let mut is_readable = self.duplicates.is_empty();
        for at in &self.duplicates {
            let (cell, heading) = &headings[*at];
            let message = format!("duplicate column {:?}", heading.trim());
            diagnostics.error(DiagnosticCode::DuplicateKey, span(cell), message).help("remove one of them");
        }
        for at in &self.unknown {
            let (cell, heading) = &headings[*at];
            let columns = || self.table.columns().iter().copied();
            let meant = meant_by(heading).filter(|meant| columns().any(|column| column == *meant));
            let near = meant.or_else(|| suggest(heading, columns()).first().copied());
            is_readable &= near.is_none();
            let help = match near {
                Some(near) => format!("did you mean {near}?"),
                None => {
                    let valid = quoted_list(columns(), 12);
                    format!("valid columns: {valid}; start a heading with # for a comment column")
                }
            };
            let message = format!("unknown column {:?}", super::mapping::truncate_printable(heading.trim()));
            diagnostics.error(DiagnosticCode::UnknownField, span(cell), message).help(help);
        }
        let has = |column: &str| self.index.contains_key(column);
        if let Some((first, _)) = headings.first() {
            let [name, id] = self.table.keys();
            for (missing, either) in [
                (!has("location") && !has("locationId"), "location or locationId".to_owned()),
                (!has(name) && !has(id), format!("{name} or {id}")),
            ] {
                is_readable &= !missing;
                if missing && self.unknown.is_empty() {
                    let message = format!("missing column {either}");
                    let help = "the first row must contain the headings; see the output of `dectl export -o csv`";
                    diagnostics.error(DiagnosticCode::MissingField, span(first), message).help(help);
                }
            }
        }
        is_readable
    }
}

/// Detects the separator: the most frequent of comma, semicolon and tab in the first line. Spreadsheets choose by locale.
fn separator(first_line: &str) -> u8 {
    if let Some(said) = first_line.strip_prefix("sep=").and_then(|rest| rest.bytes().next()) {
        return said;
    }
    let count = |separator: u8| first_line.bytes().filter(|byte| *byte == separator).count();
    [b',', b';', b'\t'].into_iter().max_by_key(|separator| (count(*separator), *separator == b',')).unwrap_or(b',')
}

/// The records of a table, and the cells whose quotes are wrong.
struct Records {
    rows: Vec<Row>,
    broken_quotes: Vec<(Cell, BrokenQuote)>,
}

/// What is wrong with the quotes of a cell, which may have swallowed the rows after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BrokenQuote {
    /// The text ends within it.
    Unclosed,
    /// Something stands between the closing quote and the end of the cell.
    TextAfter,
    /// A line within it looks like a row of this table.
    HoldsRows,
}

impl BrokenQuote {
    /// Looks at a cell as it is written, in a table with this separator and number of columns.
    ///
    /// A quoted cell begins with a quote and ends with the first one that is not doubled (RFC 4180).
    fn of(written: &str, separator: u8, columns: usize) -> Option<Self> {
        let inner = written.strip_prefix('"')?;
        let mut quotes = inner.match_indices('"').map(|(at, _)| at).peekable();
        let closing = loop {
            match quotes.next() {
                None => return Some(Self::Unclosed),
                Some(at) if quotes.next_if_eq(&(at + 1)).is_some() => {}
                Some(at) => break at,
            }
        };
        if closing + 1 < inner.len() {
            return Some(Self::TextAfter);
        }
        // Two quotes that are never closed make one cell of all that is between them.
        let separators = |line: &str| line.bytes().filter(|byte| *byte == separator).count();
        let is_row = |line: &str| columns > 1 && separators(line) + 1 >= columns;
        inner[..closing].lines().skip(1).any(is_row).then_some(Self::HoldsRows)
    }

    fn diagnostic(self, span: Span) -> Diagnostic {
        let (message, help) = match self {
            Self::Unclosed => (
                "the quote is never closed, so the cell swallows the rest of the table",
                "close it, or double a quote that belongs to the text (\"\") and enclose the whole cell in quotes",
            ),
            Self::TextAfter => (
                "text follows the closing quote of a cell",
                "double a quote that belongs to the text (\"\"), and look for an earlier quote that is not closed",
            ),
            Self::HoldsRows => (
                "the quoted cell holds lines that look like rows of this table",
                "close the quote at the end of its cell; a cell may have several lines, but none with as many separators as a row",
            ),
        };
        Diagnostic::error(DiagnosticCode::CsvQuote, message).with_span(span).help(help)
    }
}

#[cfg(test)]
fn rows(text: &str) -> Vec<Row> {
    records(text).rows
}

fn records(text: &str) -> Records {
    let stripped = text.strip_prefix('\u{feff}').unwrap_or(text);
    // A table may begin with empty lines.
    let first_line = stripped.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let separator = separator(first_line);
    // Excel reads a first line `sep=;` as a directive.
    let skipped = match first_line.starts_with("sep=") {
        true => stripped.find(first_line).unwrap_or(0) + first_line.len(),
        false => 0,
    };
    let mut at = text.len() - stripped.len() + skipped;
    let mut reader = ReaderBuilder::new().delimiter(separator).build();
    let mut rows: Vec<Row> = Vec::new();
    let mut broken_quotes = Vec::new();
    let mut row: Row = Vec::new();
    // The lines before the first record, and the end of the previous one.
    let mut number = line_ends(&text[..at]) as u32 + u32::from(skipped > 0);
    let mut since = at;
    loop {
        let (field, taken, ends) = next_field(&mut reader, &text.as_bytes()[at..]);
        let range = source_text(text, at, taken, separator);
        at += taken;
        if let Some(field) = field {
            if row.is_empty() {
                // Empty lines are records of a spreadsheet, too.
                number += line_ends(&text[since..range.0]) as u32 + u32::from(number == 0);
            }
            let column = row.len().min(usize::from(u16::MAX)) as u16;
            let cell = Cell { start: range.0 as u32, end: range.1 as u32, row: number, column };
            let columns = rows.first().map_or(0, Vec::len);
            if let Some(broken) = BrokenQuote::of(&text[range.0..range.1], separator, columns) {
                broken_quotes.push((cell, broken));
            }
            row.push((cell, field));
        }
        match ends {
            FieldEnd::Field => {}
            FieldEnd::Record => {
                let record = std::mem::take(&mut row);
                // Rows of separators alone before the headings are empty lines of a spreadsheet.
                if !(rows.is_empty() && is_blank(&record)) {
                    rows.push(record);
                }
                // Before the line end, part of which may be left for the next field.
                since = text[..at].trim_end_matches(['\r', '\n']).len();
            }
            FieldEnd::Input => {
                if !row.is_empty() {
                    rows.push(row);
                }
                return Records { rows, broken_quotes };
            }
        }
    }
}

/// Number of line ends of any system.
fn line_ends(text: &str) -> usize {
    text.matches(['\r', '\n']).count() - text.matches("\r\n").count()
}

enum FieldEnd {
    Field,
    Record,
    Input,
}

/// Returns the next field, its length in bytes, and what ends with it.
fn next_field(reader: &mut Reader, input: &[u8]) -> (Option<String>, usize, FieldEnd) {
    let mut output = vec![0; 256];
    let (mut taken, mut source_text) = (0, 0);
    loop {
        let (result, read, wrote) = reader.read_field(&input[taken..], &mut output[source_text..]);
        taken += read;
        source_text += wrote;
        match result {
            // An empty input marks the end.
            ReadFieldResult::InputEmpty => {}
            ReadFieldResult::OutputFull => output.resize(output.len() * 2, 0),
            ReadFieldResult::End => return (None, taken, FieldEnd::Input),
            ReadFieldResult::Field { record_end } => {
                output.truncate(source_text);
                let text = String::from_utf8_lossy(&output).into_owned();
                return (Some(text), taken, if record_end { FieldEnd::Record } else { FieldEnd::Field });
            }
        }
    }
}

/// Trims the line break before a field and the separator after it.
fn source_text(text: &str, at: usize, taken: usize, separator: u8) -> (usize, usize) {
    let bytes = &text.as_bytes()[at..at + taken];
    let lead = bytes.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
    let mut end = bytes.len();
    if end > lead && bytes[end - 1] == separator {
        end -= 1;
    } else {
        while end > lead && matches!(bytes[end - 1], b'\n' | b'\r') {
            end -= 1;
        }
    }
    (at + lead, at + end.max(lead))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<Vec<String>> {
        rows(text).into_iter().map(|row| row.into_iter().map(|(_, text)| text).collect()).collect()
    }

    #[test]
    fn tables_are_read_as_spreadsheets_write_them() {
        for text in
            ["a,b\r\n1,\"x, \"\"y\"\"\"\r\n", "\u{feff}a;b\n1;\"x, \"\"y\"\"\"", "sep=;\r\na;b\r\n1;x, \"y\"\r\n"]
        {
            assert_eq!(texts(text), [["a", "b"], ["1", "x, \"y\""]], "{text}");
        }
        assert_eq!(texts("a\tb\n\"two\nlines\"\t\n"), [["a", "b"], ["two\nlines", ""]]);
        assert_eq!(texts(""), Vec::<Vec<String>>::new());
    }

    #[test]
    fn every_cell_knows_where_it_stands() {
        let text = "a,b\n\nx y,\"ö, z\"\nlast,";
        let spans: Vec<&str> =
            rows(text).iter().flatten().map(|(cell, _)| &text[cell.start as usize..cell.end as usize]).collect();
        assert_eq!(spans, ["a", "b", "x y", "\"ö, z\"", "last", ""]);
    }

    #[test]
    fn every_cell_knows_its_row() {
        for (text, expected) in [
            ("a,b\n1,\n2,\n,3\n", vec![1, 2, 3, 4]),
            ("a,b\r\n1,\r\n\r\n\"two\r\nlines\",\r\n2,x\r\n", vec![1, 2, 4, 5]),
            ("a,b\r1,\r2,\r", vec![1, 2, 3]),
            ("sep=;\na;b\n1;\n2;", vec![2, 3, 4]),
            ("\na;b\n1;\n", vec![2, 3]),
            ("\r\n\r\na;b\r\n1;\r\n", vec![3, 4]),
            (";;\na;b\n1;\n", vec![2, 3]),
            ("\nsep=;\n\na;b\n1;\n", vec![4, 5]),
        ] {
            let numbers: Vec<u32> = rows(text).iter().map(|row| row[0].0.row).collect();
            assert_eq!(numbers, expected, "{text:?}");
        }
    }

    #[test]
    fn quotes_that_swallow_rows_are_found() {
        use BrokenQuote::{HoldsRows, TextAfter, Unclosed};
        for (text, expected) in [
            ("a,b\n1,\"x\n2,y\n", vec![(1, Unclosed)]),
            ("a,\"b\n1,x\n", vec![(1, Unclosed)]),
            ("a,b\n1,\"x\n2,\"y\"\n", vec![(1, TextAfter)]),
            ("a,b\n1,\"x\n2,y\n3,\"\n", vec![(1, HoldsRows)]),
            ("a,b\n\"1\" ,x\n", vec![(0, TextAfter)]),
            ("a,b\n1,\"\"\"\"\n", vec![]),
            ("a,b\n1,\"two\nlines\"\n", vec![]),
            ("a,b\n1,12\" wide\n", vec![]),
            ("a,b\r\n\"x \"\"y\"\"\",\"\"\r\n", vec![]),
        ] {
            let found: Vec<_> =
                records(text).broken_quotes.into_iter().map(|(cell, broken)| (cell.column, broken)).collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+47", "-", "@x", "#N/A", "'#N/A", "'", "''=", "'x", "x", " x ", "a,b", "\"", "a\tb", ""] {
            let source_text = csv_escape(text);
            assert!(!source_text.trim_start_matches('"').starts_with(['=', '+', '-', '@']), "{source_text}");
            let read = texts(&format!("h,i\n{source_text},\n"));
            assert_eq!(unguarded(&read[1][0]), text);
        }
    }
}

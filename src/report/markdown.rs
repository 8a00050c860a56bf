//! A plan, result or error as Markdown for a pull-request comment.

use std::fmt::Write;

use super::overview::{DocumentState, Overview};
use super::plural;
use super::sanitize::sanitize;
use super::summary::StatusSummary;
use super::text::{difference, name_list, stop_reason};
use super::view::{ChangeView, FieldView, LocationView, NetworkView, PlanView, ResultView};
use crate::apply::Verification;
use crate::diagnostic::{Diagnostics, Sources};
use crate::model::to_minute;
use crate::plan::model::{ChangeAction, ResourceKind, Warning};
use crate::reconcile::{DriftReport, LocationStatus};

/// A GitHub comment is limited to 65,536 characters; this leaves room for a header and footer.
const LONGEST: usize = 60_000;

/// Number of changes from which locations are collapsed.
const COLLAPSE_THRESHOLD: usize = 20;

/// So many warnings stand above the changes; the others are collapsed below them.
const MAX_WARNINGS: usize = 20;

pub fn plan(view: &PlanView) -> String {
    let mut page = Page::new("dectl plan");
    page.plan(view);
    page.text
}

pub fn result(view: &ResultView) -> String {
    let mut page = Page::new(&format!("dectl apply: {}", view.class.as_str()));
    page.line(&format!("**{}**", escaped(&view.sentence())));
    page.line("");
    if let Some(reason) = view.outcome.stopped {
        page.line(&format!("Stopped: {}.", escaped(stop_reason(reason))));
        page.line("");
    }
    if let Verification::Failed(failure) = &view.outcome.verification {
        page.line(&format!("Verification failed: {}", escaped(&failure.to_string())));
        page.line("");
    }
    let problems: Vec<&NetworkView> = view.networks.iter().filter(|network| network.needs_attention()).collect();
    if !problems.is_empty() {
        page.line("| location | network | status | reason |");
        page.line("|---|---|---|---|");
        let rows = problems.iter().map(|network| problem_row(network)).collect();
        page.rows(rows, "networks");
        page.line("");
    }
    let notes = view.licences.describe();
    page.notes(&notes);
    if !notes.is_empty() {
        page.line("");
    }
    page.plan(&view.plan);
    page.text
}

/// An error with all diagnostics.
pub fn error(message: &str, diagnostics: Option<(&Diagnostics, &Sources)>) -> String {
    let mut page = Page::new("dectl: error");
    page.line(&escaped(message));
    if let Some((diagnostics, sources)) = diagnostics {
        page.line("");
        let rows = diagnostics.iter().map(|diagnostic| {
            let place = diagnostic.span.map(|span| sources.resolve(span));
            let place = place.map(|place| format!("{}:{}: ", place.file, place.line)).unwrap_or_default();
            let help = diagnostic.help.as_deref().map(|help| format!(" ({help})")).unwrap_or_default();
            format!("- {}", escaped(&format!("{place}{} [{}]{help}", diagnostic.message, diagnostic.code.as_str())))
        });
        page.rows(rows.collect(), "diagnostics");
    }
    page.text
}

/// What needs attention first, document by document, with its reasons.
pub fn overview(overview: &Overview) -> String {
    let mut page = Page::new("dectl report");
    page.line(&format!("**{}**", escaped(&overview.summary.sentence())));
    page.line("");
    page.line("| organization | state | what | document |");
    page.line("|---|---|---|---|");
    let documents = overview
        .organizations
        .iter()
        .flat_map(|organization| organization.documents.iter().map(move |document| (&organization.name, document)));
    let rows = documents.clone().map(|(name, document)| {
        let [name, what, file] = [name, &document.sentence(), &document.file].map(|text| escaped(text));
        format!("| {name} | {} | {what} | {file} |", document.state.label())
    });
    page.rows(rows.collect(), "documents");
    page.line("");
    let problems = documents.flat_map(|(name, document)| {
        let drifted = document.locations.iter().filter(|_| document.state == DocumentState::Drifted);
        let drifted = drifted.map(move |location| format!("{name}: {}: {}", location.name, location.sentence()));
        drifted.chain(document.problems.iter().map(move |problem| format!("{name}: {}", problem.sentence())))
    });
    page.rows(problems.map(|text| format!("- {}", escaped(&text))).collect(), "problems");
    page.text
}

/// Every drifted location.
pub fn status(status: &DriftReport) -> String {
    let mut page = Page::new("dectl status");
    page.line(&format!("**{}**", escaped(&StatusSummary::of(status).sentence())));
    page.line("");
    let drifted = status.locations.iter().filter(|location| !location.drifted().is_empty());
    let rows: Vec<String> = drifted.map(status_row).collect();
    if !rows.is_empty() {
        page.line("| location | drifted | last in sync | networks |");
        page.line("|---|---|---|---|");
        page.rows(rows, "locations");
        page.line("");
        let items = status.locations.iter().flat_map(|location| &location.differences);
        let items = items.filter(|item| !item.is_known).map(|item| format!("- {}", escaped(&difference(item))));
        page.rows(items.collect(), "differences");
    }
    page.text
}

fn status_row(location: &LocationStatus) -> String {
    let LocationStatus { name, managed, last_in_sync, .. } = location;
    let drifted = location.drifted();
    let since = last_in_sync.map_or("–".to_owned(), to_minute);
    let (count, which) = (drifted.len(), escaped(&name_list(&drifted)));
    format!("| {} | {count} of {managed} | {} | {which} |", escaped(name), escaped(&since))
}

struct Page {
    text: String,
    length: usize,
}

impl Page {
    fn new(title: &str) -> Self {
        let mut page = Self { text: String::new(), length: 0 };
        page.line(&format!("### {}", escaped(title)));
        page.line("");
        page
    }

    fn line(&mut self, line: &str) {
        self.length += line.chars().count() + 1;
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn has_room_for(&self, text: &str) -> bool {
        // Reserve room for the note about omitted lines.
        self.length + text.chars().count() + 200 < LONGEST
    }

    /// Adds lines while there is room, then the number of omitted ones.
    fn rows(&mut self, rows: Vec<String>, what: &str) {
        for (at, row) in rows.iter().enumerate() {
            if !self.has_room_for(row) {
                let left = rows.len() - at;
                self.line("");
                self.line(&format!("… and {left} more {what}."));
                return;
            }
            self.line(row);
        }
    }

    fn notes(&mut self, notes: &[String]) {
        for note in notes {
            self.line(&format!("> ℹ {}", escaped(note)));
        }
    }

    fn plan(&mut self, view: &PlanView) {
        if let Some(organization) = &view.organization {
            self.line(&format!("Organization {}", escaped(&organization.to_string())));
            self.line("");
        }
        self.line(&format!("**{}**", escaped(&view.summary.sentence())));
        self.line("");
        for warning in view.warnings.iter().take(MAX_WARNINGS) {
            self.line(&warning_line(warning));
        }
        let more = view.warnings.get(MAX_WARNINGS..).unwrap_or_default();
        if !more.is_empty() {
            self.line(&format!("> ⚠ and {}", plural(more.len(), "more warning")));
        }
        let notes = view.notes();
        self.notes(&notes);
        if !view.warnings.is_empty() || !notes.is_empty() {
            self.line("");
        }
        let folded = view.summary.changes >= COLLAPSE_THRESHOLD;
        for (at, location) in view.locations.iter().enumerate() {
            let section = section(location, folded);
            if !self.has_room_for(&section) {
                let rest = &view.locations[at..];
                let changes: usize = rest.iter().map(|location| location.changes.len()).sum();
                let more = format!(
                    "… and {} in {}. See the log for the full plan.",
                    plural(changes, "more change"),
                    plural(rest.len(), "location")
                );
                self.line(&more);
                return;
            }
            self.line(&section);
        }
        self.collapsed_warnings(more);
    }

    /// Those that are not shown above the changes, as far as there is room.
    fn collapsed_warnings(&mut self, warnings: &[Warning]) {
        if warnings.is_empty() {
            return;
        }
        self.line(&format!("<details><summary>⚠ {}</summary>\n", plural(warnings.len(), "more warning")));
        self.rows(warnings.iter().map(warning_line).collect(), "warnings");
        self.line("\n</details>\n");
    }
}

fn warning_line(warning: &Warning) -> String {
    format!("> ⚠ {}", escaped(&warning.message))
}

fn section(location: &LocationView, folded: bool) -> String {
    let mut section = String::new();
    let title = format!("{} ({})", escaped(&location.name), location.changes.len());
    let heading = if folded { format!("<details><summary>{title}</summary>\n") } else { format!("#### {title}\n") };
    let networks = location.networks();
    let changes = networks.iter().flat_map(|network| network.own.iter().chain(&network.devices));
    let rows: String = changes.map(|change| rows(change)).collect();
    // Writing to a string cannot fail.
    let _infallible =
        writeln!(section, "{heading}\n| network | setting | now | planned | source |\n|---|---|---|---|---|\n{rows}");
    if folded {
        section.push_str("</details>\n");
    }
    section
}

fn rows(change: &ChangeView) -> String {
    let source = escaped(&change.source.to_string());
    let mut rows = String::new();
    let mark = match change.action {
        ChangeAction::Create => "➕ ",
        ChangeAction::Update => "",
        ChangeAction::Delete => "❌ ",
    };
    for (at, field) in change.fields.iter().enumerate() {
        let (name, source) = if at == 0 {
            (format!("{mark}{}", escaped(&change.title())), source.as_str())
        } else {
            (String::new(), "")
        };
        let setting = match change.kind {
            ResourceKind::BaseStation => change.kind.noun(),
            _ => field.name,
        };
        let new = match &change.replaced_by {
            Some(replaced_by) => format!("replaced by {}", escaped(replaced_by)),
            None => new(field, change.action),
        };
        rows.push_str(&format!("| {name} | {setting} | {} | {new} | {source} |\n", old(field, change.action)));
    }
    for device in &change.contents {
        let fate = if device.is_moved { "moved" } else { "deleted with the network" };
        rows.push_str(&format!("| | {} | {} | {fate} | |\n", device.kind.noun(), escaped(&device.label)));
    }
    if let Some(interim) = &change.interim {
        let words = interim.describe();
        rows.push_str(&format!("| | *interim* | | {} | |\n", escaped(&words)));
    }
    rows
}

fn old(field: &FieldView, action: ChangeAction) -> String {
    match field.masked {
        true if action == ChangeAction::Create => "–".to_owned(),
        true => "••••".to_owned(),
        false => field.from.as_deref().map_or("–".to_owned(), escaped),
    }
}

fn new(field: &FieldView, action: ChangeAction) -> String {
    match field.masked {
        true if action == ChangeAction::Delete => "–".to_owned(),
        true => "•••• (new)".to_owned(),
        false => field.to.as_deref().map_or("–".to_owned(), escaped),
    }
}

fn problem_row(network: &NetworkView) -> String {
    let entry = network.entry().map(|entry| format!(" ({entry})")).unwrap_or_default();
    let reason = network.reason() + &entry;
    let [location, name, reason] = [&network.location_name, &network.name, &reason].map(|text| escaped(text.trim()));
    format!("| {location} | {name} | {} | {reason} |", network.status_label())
}

/// Escapes text for Markdown: no markup, mention, link or cell border.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let text = sanitize(text);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '-' | '.' | ',' | '·' | '(' | ')' | '/' | '\'' | '"' | '%' | '?' | ';' => out.push(character),
            // Neither a scheme nor an emoji.
            ':' if characters.peek().is_none_or(|next| *next == ' ') => out.push(character),
            c if c.is_ascii_punctuation() => out.push_str(&format!("&#{};", c as u32)),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::model::PerKind;
    use crate::reconcile::DriftItem;

    #[test]
    fn no_name_can_break_out_of_its_cell() {
        let hostile = "| <img src=x onerror=alert(1)> [a](https://x) @team #1 `x` **b**\n</details>";
        let safe = escaped(hostile);
        for forbidden in ['|', '<', '>', '[', ']', '@', '`', '*', '\n', ':'] {
            assert!(!safe.contains(forbidden), "{forbidden:?} in {safe}");
        }
        let harmless = "Plan: 9 to update (a/b), it's 100%";
        assert_eq!(escaped(harmless), harmless);
    }

    #[test]
    fn a_status_fits_into_an_issue_and_is_nothing_but_text() {
        let drifted = |number: usize| DriftItem {
            network: format!("![x](https://evil.test/p.png) {number}"),
            network_id: None,
            kind: ResourceKind::Network,
            device: None,
            field: Some("name"),
            live: Some("@all".to_owned()),
            asked: Some("<b>".to_owned()),
            cause: None,
            is_missing: false,
            is_known: false,
        };
        let location = |at: usize| LocationStatus {
            id: crate::model::LocationId::new(format!("l{at}")),
            name: format!("@acme/all {at} <b>"),
            managed: 9,
            differences: (0..7).map(drifted).collect(),
            last_in_sync: None,
        };
        let locations: Vec<LocationStatus> = (0..2_000).map(location).collect();
        let unmanaged = PerKind { network: 3, ..PerKind::default() };
        let text = status(&DriftReport { locations, unmanaged, ..DriftReport::default() });
        assert!(text.chars().count() < LONGEST && text.contains("more locations."), "{}", text.chars().count());
        assert!(text.contains("14000 drifted, 3 unmanaged") && text.contains("and 2 more |"));
        assert!(!text.contains('@') && !text.contains("](") && !text.contains("<b>"));
    }
}

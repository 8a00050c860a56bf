//! A plan, result, rehearsal or error as a self-contained HTML file, from a template that escapes.

use std::sync::LazyLock;

use minijinja::{AutoEscape, Environment, Value};
use serde::Serialize;
use similar::{Algorithm, ChangeTag};

use super::overview::{DocumentReport, DocumentState, Overview, ProblemReport};
use super::plural;
use super::rehearsal::RehearsalView;
use super::sanitize::sanitize;
use super::text::{rehearsal_lines, stop_reason};
use super::timeline::{TimelinePicture, picture};
use super::view::{ChangeView, FieldView, LocationView, NetworkView, PlanView, ResultView};
use crate::apply::Verification;
use crate::diagnostic::{Diagnostics, Sources};
use crate::plan::model::{ChangeAction, FieldKind, ResourceKind};

/// The page; everything that it shows is sanitized and escaped.
static PAGE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::empty();
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    templates.set_formatter(|out, state, value| match value.as_str().filter(|_| !value.is_safe()) {
        Some(text) => minijinja::escape_formatter(out, state, &Value::from(&*sanitize(text))),
        None => minijinja::escape_formatter(out, state, value),
    });
    // Of a part of a text that was sanitized as a whole: only escaped.
    templates.add_filter("sanitized", |part: &str| Value::from_safe_string(minijinja::HtmlEscape(part).to_string()));
    templates.add_filter("safe", minijinja::filters::safe);
    templates.add_filter("length", minijinja::filters::length);
    // Compiled in; every test of this module renders it.
    let _valid = templates.add_template("page", include_str!("page.html"));
    let _valid = templates.add_template("pairing", include_str!("pairing.html"));
    templates
});

#[derive(Serialize)]
struct Page {
    title: String,
    style: &'static str,
    script: &'static str,
    /// The summary, and what else there is to say at the top.
    lines: Vec<String>,
    diagnostics: Vec<DiagnosticItem>,
    problems: Vec<Problem>,
    notes: Vec<String>,
    timeline: Option<TimelinePicture>,
    is_result: bool,
    plan: Option<PlanPart>,
    overview: Option<OverviewPart>,
}

/// A page over many documents.
#[derive(Serialize)]
struct OverviewPart {
    /// The documents by state, as parts of a bar.
    bars: Vec<StateBar>,
    count: String,
    organizations: Vec<OrganizationPart>,
}

#[derive(Serialize)]
struct StateBar {
    class: &'static str,
    label: String,
    x: f64,
    width: f64,
}

#[derive(Serialize)]
struct OrganizationPart {
    name: String,
    documents: Vec<DocumentPart>,
}

#[derive(Serialize)]
struct DocumentPart {
    class: &'static str,
    state: &'static str,
    sentence: String,
    file: String,
    /// Locations and problems, one in each line.
    lines: Vec<String>,
}

#[derive(Serialize)]
struct DiagnosticItem {
    line: String,
    help: Option<String>,
}

/// A network that needs attention.
#[derive(Serialize)]
struct Problem {
    location: String,
    network: String,
    status: &'static str,
    reason: String,
}

#[derive(Serialize)]
struct PlanPart {
    summary: String,
    notes: Vec<String>,
    count: String,
    locations: Vec<LocationPart>,
}

#[derive(Serialize)]
struct LocationPart {
    name: String,
    changes: Vec<ChangePart>,
}

/// One `tbody`, so that a filter shows or hides it as a whole.
#[derive(Serialize)]
struct ChangePart {
    /// `+`, `-` or nothing.
    mark: &'static str,
    title: String,
    /// The number of its rows.
    height: usize,
    /// Where it is from, in parts between which a line may break.
    source: Vec<String>,
    rows: Vec<Row>,
    interim: Option<String>,
}

#[derive(Serialize)]
struct Row {
    setting: &'static str,
    now: Vec<Part>,
    planned: Vec<Part>,
}

/// A part of a value: only in the old or the new one, or in both.
#[derive(Serialize)]
struct Part {
    tag: &'static str,
    text: String,
}

impl Part {
    fn one(tag: &'static str, text: impl Into<String>) -> Vec<Self> {
        vec![Self { tag, text: text.into() }]
    }
}

pub fn plan(view: &PlanView) -> String {
    let plan = plan_part(view);
    Page { lines: vec![plan.summary.clone()], plan: Some(plan), ..Page::new("dectl plan") }.render()
}

pub fn result(view: &ResultView) -> String {
    let mut lines = vec![view.sentence()];
    if let Some(reason) = view.outcome.stopped {
        lines.push(format!("Stopped: {}.", stop_reason(reason)));
    }
    if let Verification::Failed(failure) = &view.outcome.verification {
        lines.push(format!("Verification failed: {failure}"));
    }
    let title = format!("dectl apply: {}", view.class.as_str());
    Page { lines, ..Page::of_result(&title, view) }.render()
}

pub fn rehearsal(view: &RehearsalView) -> String {
    Page { lines: rehearsal_lines(view), ..Page::of_result("dectl rehearse", &view.result) }.render()
}

/// An error with all diagnostics.
pub fn error(message: &str, diagnostics: Option<(&Diagnostics, &Sources)>) -> String {
    let items = diagnostics.into_iter().flat_map(|(diagnostics, sources)| {
        diagnostics.iter().map(|diagnostic| DiagnosticItem {
            line: super::diagnostics::diagnostic_one_line(diagnostic, sources),
            help: diagnostic.help.as_deref().map(str::to_owned),
        })
    });
    Page { lines: vec![message.to_owned()], diagnostics: items.collect(), ..Page::new("dectl: error") }.render()
}

impl Page {
    fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            style: include_str!("page.css"),
            script: include_str!("page.js"),
            lines: Vec::new(),
            diagnostics: Vec::new(),
            problems: Vec::new(),
            notes: Vec::new(),
            timeline: None,
            is_result: false,
            plan: None,
            overview: None,
        }
    }

    fn of_result(title: &str, view: &ResultView) -> Self {
        let problems = view.networks.iter().filter(|network| network.needs_attention()).map(problem);
        Self {
            problems: problems.collect(),
            notes: view.licences.describe(),
            timeline: picture(&view.outcome),
            is_result: true,
            plan: Some(plan_part(&view.plan)),
            ..Self::new(title)
        }
    }

    fn render(&self) -> String {
        let page = PAGE.get_template("page").and_then(|template| template.render(minijinja::value::Serde(self)));
        page.unwrap_or_else(|error| format!("internal error: the page cannot be rendered: {error:#}\n"))
    }
}

/// One page over the documents of many runs and organizations.
pub fn overview(overview: &Overview) -> String {
    const WIDTH: f64 = 720.0;
    let summary = &overview.summary;
    let mut x = 0.0;
    let states = DocumentState::ALL.into_iter().filter(|state| summary.count(*state) > 0);
    let bars = states.map(|state| {
        let width = WIDTH * summary.count(state) as f64 / summary.documents.max(1) as f64;
        x += width;
        let label = format!("{} {}", summary.count(state), state.label());
        StateBar { class: class_of(state), label, x: x - width, width }
    });
    let document = |document: &DocumentReport| DocumentPart {
        class: class_of(document.state),
        state: document.state.label(),
        sentence: document.sentence(),
        file: document.file.clone(),
        lines: document
            .locations
            .iter()
            .map(|location| format!("{}: {}", location.name, location.sentence()))
            .chain(document.problems.iter().map(ProblemReport::sentence))
            .collect(),
    };
    let organizations = overview.organizations.iter().map(|organization| OrganizationPart {
        name: organization.name.clone(),
        documents: organization.documents.iter().map(document).collect(),
    });
    let part = OverviewPart {
        bars: bars.collect(),
        count: plural(summary.documents, "document"),
        organizations: organizations.collect(),
    };
    Page { lines: vec![summary.sentence()], overview: Some(part), ..Page::new("dectl report") }.render()
}

const fn class_of(state: DocumentState) -> &'static str {
    match state {
        DocumentState::Unreadable | DocumentState::Failed => "failed",
        DocumentState::Incomplete => "incomplete",
        DocumentState::Drifted | DocumentState::Planned => "drifted",
        DocumentState::InOrder => "order",
    }
}

/// The sheet for an installer; pages of its own, since it is printed.
pub(super) fn pairing(sheets: &impl Serialize, with_codes: bool) -> String {
    let values = minijinja::context! { sheets => minijinja::value::Serde(sheets), with_codes };
    let page = PAGE.get_template("pairing").and_then(|template| template.render(values));
    page.unwrap_or_else(|error| format!("internal error: the page cannot be rendered: {error:#}\n"))
}

fn problem(network: &NetworkView) -> Problem {
    Problem {
        location: network.location_name.clone(),
        network: network.name.clone(),
        status: network.status_label(),
        reason: network.reason(),
    }
}

fn plan_part(view: &PlanView) -> PlanPart {
    let warnings = view.warnings.iter().map(|warning| warning.message.to_string());
    let organization = view.organization.as_ref().map(|organization| format!("Organization {organization}. "));
    PlanPart {
        summary: organization.unwrap_or_default() + &view.summary.sentence(),
        notes: warnings.chain(view.notes()).collect(),
        count: plural(view.summary.changes, "change"),
        locations: view.locations.iter().map(location_part).collect(),
    }
}

fn location_part(location: &LocationView) -> LocationPart {
    let networks = location.networks();
    let changes = networks.iter().flat_map(|network| network.own.iter().chain(&network.devices));
    LocationPart { name: location.name.clone(), changes: changes.map(|change| change_part(change)).collect() }
}

fn change_part(change: &ChangeView) -> ChangePart {
    let mut rows: Vec<Row> = change.fields.iter().map(|field| row(change, field)).collect();
    rows.extend(change.contents.iter().map(|device| Row {
        setting: device.kind.noun(),
        now: Part::one("del", sanitize(&device.label)),
        planned: Part::one("", if device.is_moved { "moved" } else { "deleted with the network" }),
    }));
    ChangePart {
        mark: match change.action {
            ChangeAction::Create => "+",
            ChangeAction::Update => "",
            ChangeAction::Delete => "-",
        },
        title: change.title(),
        height: rows.len() + usize::from(change.interim.is_some()),
        source: sanitize(&change.source.to_string()).split_inclusive(['/', '\\']).map(str::to_owned).collect(),
        rows,
        interim: change.interim.as_ref().map(|interim| interim.describe()),
    }
}

fn row(change: &ChangeView, field: &FieldView) -> Row {
    let setting = match change.kind {
        ResourceKind::BaseStation => change.kind.noun(),
        _ => field.name,
    };
    let (now, planned) = values(field, change.action);
    let planned = match &change.replaced_by {
        Some(replaced_by) => Part::one("", sanitize(&format!("replaced by {replaced_by}"))),
        None => planned,
    };
    Row { setting, now, planned }
}

fn values(field: &FieldView, action: ChangeAction) -> (Vec<Part>, Vec<Part>) {
    let nothing = || Part::one("", "–");
    if field.masked {
        let old = if action == ChangeAction::Create { nothing() } else { Part::one("", "••••") };
        let new = if action == ChangeAction::Delete { nothing() } else { Part::one("ins", "•••• (new)") };
        return (old, new);
    }
    let from = field.from.as_deref().map(sanitize);
    let to = field.to.as_deref().map(sanitize);
    match (from, to) {
        (Some(from), Some(to)) if field.kind == FieldKind::Name => {
            let (mut old, mut new) = (Vec::new(), Vec::new());
            for (tag, text) in similar::utils::diff_unicode_words(Algorithm::Myers, &*from, &*to) {
                let part = |tag| Part { tag, text: text.to_owned() };
                match tag {
                    ChangeTag::Equal => {
                        old.push(part(""));
                        new.push(part(""));
                    }
                    ChangeTag::Delete => old.push(part("del")),
                    ChangeTag::Insert => new.push(part("ins")),
                }
            }
            (old, new)
        }
        (from, to) => {
            let old = from.map_or_else(nothing, |value| Part::one("", value));
            (old, to.map_or_else(nothing, |value| Part::one("ins", value)))
        }
    }
}

//! Findings with the lines they are about.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::visible::visible;
use crate::diagnostic::{Diagnostic, Diagnostics, Excerpt, Severity, Sources, Spot};

/// Nobody reads more than this.
const SHOWN: usize = 100;

/// All findings as people read them, with colours.
pub fn findings_text(findings: &Diagnostics, sources: &Sources, width: usize) -> String {
    let renderer = Renderer::styled().term_width(width);
    let mut text = String::new();
    for finding in findings.iter().take(SHOWN) {
        text.push_str(&one(finding, sources, &renderer));
        text.push_str("\n\n");
    }
    if findings.len() > SHOWN {
        text.push_str(&format!("… and {} more; -o json gives all of them\n\n", findings.len() - SHOWN));
    }
    text
}

/// A finding on one line, for a log.
pub fn one_finding_line(finding: &Diagnostic, sources: &Sources) -> String {
    let place = finding.spot.map(|spot| sources.place(spot));
    let place = place.map(|place| format!("{}:{}:{}: ", place.file, place.line, place.column)).unwrap_or_default();
    format!("{place}{} [{}]", finding.message, finding.code.as_str())
}

struct Shown {
    file: String,
    excerpt: Excerpt,
}

fn shown(spot: Spot, sources: &Sources) -> Shown {
    Shown { file: sources.name(spot.source).to_string(), excerpt: sources.excerpt(spot) }
}

fn one(finding: &Diagnostic, sources: &Sources, renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let message = visible(&finding.message).into_owned();
    let main = finding.spot.map(|spot| shown(spot, sources));
    let related: Vec<(Shown, String)> =
        finding.related.iter().map(|related| (shown(related.spot, sources), related.message.clone())).collect();
    let help = finding.help.as_deref().map(|help| visible(help).into_owned());

    let mut group = Group::with_title(level.primary_title(message.as_str()).id(finding.code.as_str()));
    if let Some(Shown { file, excerpt }) = &main {
        group = group.element(snippet(file, excerpt, AnnotationKind::Primary, None));
    }
    for (Shown { file, excerpt }, label) in &related {
        group = group.element(snippet(file, excerpt, AnnotationKind::Context, Some(label)));
    }
    if let Some(help) = &help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group]).to_string()
}

fn snippet<'a>(
    file: &'a str,
    excerpt: &'a Excerpt,
    kind: AnnotationKind,
    label: Option<&'a String>,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let annotation = kind.span(excerpt.marked.clone()).label(label.map(String::as_str));
    Snippet::source(excerpt.text.as_str()).line_start(excerpt.first_line).path(file).fold(false).annotation(annotation)
}

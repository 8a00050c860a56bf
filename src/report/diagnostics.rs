//! Renders diagnostics with source snippets.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer};

use super::sanitize::sanitize;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, Snippet, Sources, Span};

const MAX_DIAGNOSTICS: usize = 100;

/// Renders all diagnostics with colors.
pub fn diagnostics_text(diagnostics: &Diagnostics, sources: &Sources, width: usize) -> String {
    let renderer = Renderer::styled().term_width(width);
    let mut text = String::new();
    for diagnostic in diagnostics.iter().take(MAX_DIAGNOSTICS) {
        text.push_str(&one(diagnostic, sources, &renderer));
        text.push_str("\n\n");
    }
    if diagnostics.len() > MAX_DIAGNOSTICS {
        text.push_str(&format!("… and {} more; use -o json to see all\n\n", diagnostics.len() - MAX_DIAGNOSTICS));
    }
    text
}

/// A diagnostic on one line, for a log.
pub fn diagnostic_one_line(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let place = diagnostic.span.map(|span| sources.resolve(span));
    let place = place.map(|place| format!("{}:{}:{}: ", place.file, place.line, place.column)).unwrap_or_default();
    sanitize(&format!("{place}{} [{}]", diagnostic.message, diagnostic.code.as_str())).into_owned()
}

struct AnnotatedFile {
    file: String,
    snippet: Snippet,
}

fn annotated_file(span: Span, sources: &Sources) -> AnnotatedFile {
    AnnotatedFile { file: sanitize(sources.name(span.source)).into_owned(), snippet: sources.snippet(span) }
}

fn one(diagnostic: &Diagnostic, sources: &Sources, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let message = sanitize(&diagnostic.message).into_owned();
    let main = diagnostic.span.map(|span| annotated_file(span, sources));
    let related: Vec<(AnnotatedFile, String)> = diagnostic
        .related
        .iter()
        .map(|related| (annotated_file(related.span, sources), sanitize(&related.message).into_owned()))
        .collect();
    let help = diagnostic.help.as_deref().map(|help| sanitize(help).into_owned());

    let mut group = Group::with_title(level.primary_title(message.as_str()).id(diagnostic.code.as_str()));
    if let Some(AnnotatedFile { file, snippet }) = &main {
        group = group.element(annotated(file, snippet, AnnotationKind::Primary, None));
    }
    for (AnnotatedFile { file, snippet }, label) in &related {
        group = group.element(annotated(file, snippet, AnnotationKind::Context, Some(label)));
    }
    if let Some(help) = &help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group]).to_string()
}

fn annotated<'a>(
    file: &'a str,
    snippet: &'a Snippet,
    kind: AnnotationKind,
    label: Option<&'a String>,
) -> annotate_snippets::Snippet<'a, Annotation<'a>> {
    let annotation = kind.span(snippet.highlight.clone()).label(label.map(String::as_str));
    annotate_snippets::Snippet::source(snippet.text.as_str())
        .line_start(snippet.first_line)
        .path(file)
        .fold(false)
        .annotation(annotation)
}

//! A plan, result or error as a self-contained HTML file.

use similar::{Algorithm, ChangeTag};

use super::plural;
use super::sanitize::sanitize;
use super::text::stop_reason;
use super::view::{ChangeView, FieldKind, FieldView, LocationView, NetworkView, PlanView, ResultView};
use crate::apply::Verification;
use crate::diagnostic::{Diagnostics, Sources};
use crate::plan::model::{ChangeAction, ResourceKind};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

pub fn plan(view: &PlanView) -> String {
    page("dectl plan", &plan_body(view))
}

pub fn result(view: &ResultView) -> String {
    let mut body = format!("<p class=\"summary\">{}</p>\n", escaped(&view.summary()));
    if let Some(reason) = view.outcome.stopped {
        body.push_str(&format!("<p>Stopped: {}.</p>\n", escaped(stop_reason(reason))));
    }
    if let Verification::Failed(failure) = &view.outcome.verification {
        body.push_str(&format!("<p>Verification failed: {}</p>\n", escaped(&failure.to_string())));
    }
    let problems: String = view.networks.iter().filter(|network| network.needs_attention()).map(problem_row).collect();
    if !problems.is_empty() {
        body.push_str(&format!(
            "<table><thead><tr><th scope=\"col\">Location</th><th scope=\"col\">Network</th>\
             <th scope=\"col\">Status</th><th scope=\"col\">Reason</th></tr></thead>\n<tbody>{problems}</tbody></table>\n"
        ));
    }
    push_notes(&mut body, &view.licences.describe());
    body.push_str("<h2>Plan</h2>\n");
    body.push_str(&plan_body(&view.plan));
    page(&format!("dectl apply: {}", view.class.as_str()), &body)
}

/// An error with all diagnostics.
pub fn error(message: &str, diagnostics: Option<(&Diagnostics, &Sources)>) -> String {
    let mut body = format!("<p class=\"summary\">{}</p>\n", escaped(message));
    if let Some((diagnostics, sources)) = diagnostics {
        body.push_str("<ul>\n");
        for diagnostic in diagnostics {
            let line = super::diagnostics::diagnostic_one_line(diagnostic, sources);
            let help = diagnostic.help.as_deref().map(|help| format!("<br>{}", escaped(help))).unwrap_or_default();
            body.push_str(&format!("<li>{}{help}</li>\n", escaped(&line)));
        }
        body.push_str("</ul>\n");
    }
    page("dectl: error", &body)
}

fn page(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}</main>\n\
         <script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

fn push_notes(body: &mut String, notes: &[String]) {
    for note in notes {
        body.push_str(&format!("<p class=\"warning\">{}</p>\n", escaped(note)));
    }
}

fn plan_body(view: &PlanView) -> String {
    let mut body = format!("<p class=\"summary\">{}</p>\n", escaped(&view.summary()));
    for warning in &view.warnings {
        body.push_str(&format!("<p class=\"warning\">{}</p>\n", escaped(&warning.message)));
    }
    push_notes(&mut body, &view.notes());
    if view.changes == 0 {
        return body;
    }
    let options: String = view
        .locations
        .iter()
        .enumerate()
        .map(|(at, location)| format!("<option value=\"{at}\">{}</option>", escaped(&location.name)))
        .collect();
    body.push_str(&format!(
        "<form class=\"filter\" role=\"search\">\n\
         <label>Location <select id=\"location\"><option value=\"\">all</option>{options}</select></label>\n\
         <label>Text <input id=\"text\" type=\"search\" placeholder=\"name, setting, value\"></label>\n\
         <output id=\"shown\" aria-live=\"polite\">{}</output>\n</form>\n",
        plural(view.changes, "change")
    ));
    for (at, location) in view.locations.iter().enumerate() {
        body.push_str(&section(at, location));
    }
    body
}

fn section(at: usize, location: &LocationView) -> String {
    let networks = location.networks();
    let changes = networks.iter().flat_map(|network| network.own.iter().chain(&network.devices));
    let rows: String = changes.map(|change| rows(change)).collect();
    format!(
        "<section data-location=\"{at}\">\n<h2>{} <small>{}</small></h2>\n<table>\n<thead><tr>\
         <th scope=\"col\">Network</th><th scope=\"col\">Setting</th><th scope=\"col\">Now</th>\
         <th scope=\"col\">Planned</th><th scope=\"col\">Source</th></tr></thead>\n{rows}</table>\n</section>\n",
        escaped(&location.name),
        location.changes.len()
    )
}

/// One `tbody` per network, so that a filter shows or hides it as a whole.
fn rows(change: &ChangeView) -> String {
    let height = change.fields.len() + change.contents.len() + usize::from(change.interim.is_some());
    let mark = match change.action {
        ChangeAction::Create => "<ins>+</ins> ",
        ChangeAction::Update => "",
        ChangeAction::Delete => "<del>−</del> ",
    };
    let mut rows = String::from("<tbody>\n");
    for (at, field) in change.fields.iter().enumerate() {
        let (old, new) = values(field, change.action);
        let setting = match change.kind {
            ResourceKind::BaseStation => change.kind.noun(),
            ResourceKind::Network | ResourceKind::Handset => field.name,
        };
        let new = match &change.replaced_by {
            Some(replaced_by) => format!("replaced by {}", escaped(replaced_by)),
            None => new,
        };
        let (head, source) = if at == 0 {
            (
                format!("<th scope=\"rowgroup\" rowspan=\"{height}\">{mark}{}</th>", escaped(&change.title())),
                format!("<td rowspan=\"{height}\">{}</td>", escaped(&change.source.to_string())),
            )
        } else {
            (String::new(), String::new())
        };
        rows.push_str(&format!("<tr>{head}<td><code>{setting}</code></td><td>{old}</td><td>{new}</td>{source}</tr>\n"));
    }
    for device in &change.contents {
        let fate = if device.is_moved { "moved" } else { "deleted with the network" };
        let (kind, label) = (device.kind.noun(), escaped(&device.label));
        rows.push_str(&format!("<tr><td>{kind}</td><td><del>{label}</del></td><td>{fate}</td></tr>\n"));
    }
    if let Some(interim) = &change.interim {
        let words = interim.describe();
        rows.push_str(&format!("<tr class=\"interim\"><td colspan=\"3\">{}</td></tr>\n", escaped(&words)));
    }
    rows.push_str("</tbody>\n");
    rows
}

fn values(field: &FieldView, action: ChangeAction) -> (String, String) {
    const NOTHING: &str = "–";
    if field.masked {
        let old = if action == ChangeAction::Create { NOTHING } else { "••••" };
        let new = if action == ChangeAction::Delete { NOTHING } else { "<ins>•••• (new)</ins>" };
        return (old.to_owned(), new.to_owned());
    }
    let from = field.from.as_deref().map(sanitize);
    let to = field.to.as_deref().map(sanitize);
    match (from, to) {
        (Some(from), Some(to)) if field.kind == FieldKind::Name => {
            let (mut old, mut new) = (String::new(), String::new());
            for (tag, part) in similar::utils::diff_unicode_words(Algorithm::Myers, &*from, &*to) {
                let part = entities(part);
                match tag {
                    ChangeTag::Equal => {
                        old.push_str(&part);
                        new.push_str(&part);
                    }
                    ChangeTag::Delete => old.push_str(&format!("<del>{part}</del>")),
                    ChangeTag::Insert => new.push_str(&format!("<ins>{part}</ins>")),
                }
            }
            (old, new)
        }
        (from, to) => {
            let old = from.map_or(NOTHING.to_owned(), |value| entities(&value));
            (old, to.map_or(NOTHING.to_owned(), |value| format!("<ins>{}</ins>", entities(&value))))
        }
    }
}

fn problem_row(network: &NetworkView) -> String {
    let cells = [&*network.location_name, &network.name, network.status_label(), &network.reason()]
        .map(|cell| format!("<td>{}</td>", escaped(cell)));
    format!("<tr>{}</tr>\n", cells.concat())
}

/// Escapes text for an element or an attribute.
fn escaped(text: &str) -> String {
    entities(&sanitize(text))
}

fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

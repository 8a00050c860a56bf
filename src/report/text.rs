//! A plan and a result on a terminal. Colours are always written; whoever prints strips them where they are not wanted.

use std::collections::HashMap;
use std::fmt::Write;

use anstyle::{AnsiColor, Color, Effects, Style};
use similar::{Algorithm, ChangeTag};

use super::auth::{AuthView, WRITE_SCOPE_HINT, list_error_reason};
use super::rehearsal::RehearsalView;
use super::sanitize::sanitize;
use super::view::{ChangeView, FieldView, LocationView, NetworkView, PlanView, ResultView, seconds};
use crate::apply::{NetworkStatus, Verification};
use crate::model::{LocationId, Setting};
use crate::plan::model::{Plan, Warning};
use crate::reconcile::DriftReport;
use crate::runtime::ShutdownReason;
use crate::storage::RunHistory;
use crate::storage::journal::RunOutcome;

const HEADING: Style = Style::new().effects(Effects::BOLD);
const DIM: Style = Style::new().effects(Effects::DIMMED);
const REMOVED: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Red)));
const ADDED: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Green)));
const WARNING: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Yellow)));

pub fn plan(view: &PlanView) -> String {
    let mut out = String::new();
    for location in &view.locations {
        write_location(&mut out, location);
    }
    for warning in &view.warnings {
        write_warning(&mut out, warning);
    }
    if !view.warnings.is_empty() {
        out.push('\n');
    }
    line(&mut out, format_args!("{HEADING}{}{HEADING:#}", view.summary()));
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _infallible = writeln!(out, "{text}");
}

fn write_location(out: &mut String, location: &LocationView) {
    line(out, format_args!("{HEADING}{}{HEADING:#}", sanitize(&location.name)));
    for change in &location.changes {
        write_change(out, change);
    }
    out.push('\n');
}

fn write_change(out: &mut String, change: &ChangeView) {
    let source = change.source.to_string();
    let (name, source) = (sanitize(&change.name), sanitize(&source));
    line(out, format_args!("  {WARNING}~{WARNING:#} {name}  {DIM}{source}{DIM:#}"));
    let width = change.fields.iter().map(|field| field.setting.api_name().len()).max().unwrap_or(0);
    for field in &change.fields {
        let name = field.setting.api_name();
        line(out, format_args!("      {name:width$}  {}", values(field)));
    }
    if let Some(interim) = &change.interim {
        let until = if interim.waits_for.is_empty() {
            String::new()
        } else {
            format!(" until {} has moved", interim.waits_for.join(", "))
        };
        line(
            out,
            format_args!("      {WARNING}steps aside as {}{until}{WARNING:#}", interim.temporary_values.join(" with ")),
        );
    }
}

/// Both values, with the words that differ emphasised.
fn values(field: &FieldView) -> String {
    if field.masked {
        return format!("{REMOVED}••••{REMOVED:#} → {ADDED}•••• (new){ADDED:#}");
    }
    let from = field.from.as_deref().map(|text| sanitize(text).into_owned());
    let to = field.to.as_deref().map(|text| sanitize(text).into_owned());
    match (from, to) {
        (Some(from), Some(to)) if matches!(field.setting, Setting::Name | Setting::DisplayName) => {
            highlight_diff(&from, &to)
        }
        (from, to) => {
            let text = |value: Option<String>| value.unwrap_or_else(|| "(none)".to_owned());
            format!("{REMOVED}{}{REMOVED:#} → {ADDED}{}{ADDED:#}", text(from), text(to))
        }
    }
}

fn highlight_diff(from: &str, to: &str) -> String {
    let (mut old, mut new) = (String::new(), String::new());
    let (removed, added) =
        (REMOVED.effects(Effects::BOLD | Effects::UNDERLINE), ADDED.effects(Effects::BOLD | Effects::UNDERLINE));
    let parts = similar::utils::diff_unicode_words(Algorithm::Myers, from, to);
    let whole = parts.iter().all(|(tag, part)| *tag != ChangeTag::Equal || part.trim().is_empty());
    for (tag, part) in parts {
        match tag {
            ChangeTag::Equal => {
                old.push_str(&format!("{REMOVED}{part}{REMOVED:#}"));
                new.push_str(&format!("{ADDED}{part}{ADDED:#}"));
            }
            // Where everything differs there is nothing to point out.
            ChangeTag::Delete if whole => old.push_str(&format!("{REMOVED}{part}{REMOVED:#}")),
            ChangeTag::Insert if whole => new.push_str(&format!("{ADDED}{part}{ADDED:#}")),
            ChangeTag::Delete => old.push_str(&format!("{removed}{part}{removed:#}")),
            ChangeTag::Insert => new.push_str(&format!("{added}{part}{added:#}")),
        }
    }
    format!("{old} → {new}")
}

fn write_warning(out: &mut String, warning: &Warning) {
    let place = match (&warning.file, warning.line) {
        (Some(file), Some(line)) => format!("{}:{line}: ", sanitize(file)),
        _ => String::new(),
    };
    line(out, format_args!("{WARNING}warning{WARNING:#}: {place}{}", sanitize(&warning.message)));
}

/// A result, without the plan that was shown before it.
pub fn result(view: &ResultView) -> String {
    let mut out = String::new();
    let problems: Vec<&NetworkView> = view.networks.iter().filter(|network| network.needs_attention()).collect();
    for networks in problems.chunk_by(|one, other| one.location == other.location) {
        line(&mut out, format_args!("{HEADING}{}{HEADING:#}", sanitize(&networks[0].location_name)));
        let (summarized, detailed): (Vec<&NetworkView>, Vec<&NetworkView>) =
            networks.iter().partition(|network| is_plain_not_started(network));
        for network in &detailed {
            write_network(&mut out, network);
        }
        match summarized.len() {
            0 => {}
            1..=MAX_LISTED => summarized.iter().for_each(|network| write_network(&mut out, network)),
            many => line(&mut out, format_args!("  {DIM}·{DIM:#} {many} networks: not started")),
        }
    }
    if !problems.is_empty() {
        out.push('\n');
    }
    for at in &view.outcome.server_generated_codes {
        let name = sanitize(&view.networks[*at].name).into_owned();
        line(
            &mut out,
            format_args!(
                "{WARNING}warning{WARNING:#}: {name}: Webex shows another access code than the file asks for, as it may while codes \
             are disabled; leave the code out of the file"
            ),
        );
    }
    if let Verification::Failed(failure) = &view.outcome.verification {
        line(&mut out, format_args!("{WARNING}warning{WARNING:#}: the list could not be read again: {failure}"));
    }
    if let Some(reason) = view.outcome.stopped {
        line(&mut out, format_args!("Stopped: {}.", stop_reason(reason)));
    }
    line(&mut out, format_args!("{HEADING}{}{HEADING:#}", view.summary()));
    if let Some(journal) = &view.journal {
        line(&mut out, format_args!("{DIM}journal: {journal}{DIM:#}"));
    }
    if !problems.is_empty() {
        line(&mut out, format_args!("Run the same command again to go on from here."));
    }
    out
}

/// So many networks of a location that were not started are named one by one.
const MAX_LISTED: usize = 3;

/// Whether a network was only not started: after a stop that may be said of thousands.
fn is_plain_not_started(network: &NetworkView) -> bool {
    let NetworkView { result, current_settings, .. } = network;
    result.status == NetworkStatus::NotStarted && result.error.is_none() && current_settings.is_empty()
}

fn write_network(out: &mut String, network: &NetworkView) {
    let name = sanitize(&network.name);
    let result = &network.result;
    let reason = result.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
    let reason = sanitize(&reason).into_owned();
    match result.status {
        NetworkStatus::Applied => {
            let settings: Vec<&str> = result.mismatched_settings.iter().map(|setting| setting.api_name()).collect();
            line(
                out,
                format_args!("  {WARNING}≠{WARNING:#} {name}: written, but found different: {}", settings.join(", ")),
            );
        }
        NetworkStatus::Failed => line(out, format_args!("  {REMOVED}✗{REMOVED:#} {name}: failed{reason}")),
        NetworkStatus::Unknown => {
            line(out, format_args!("  {REMOVED}?{REMOVED:#} {name}: not known whether it was written{reason}"))
        }
        NetworkStatus::NotStarted => line(out, format_args!("  {DIM}·{DIM:#} {name}: not started{reason}")),
        NetworkStatus::Skipped => {
            let whom = network.blocked_by_name.as_deref().map_or("another network".into(), sanitize);
            line(out, format_args!("  {DIM}·{DIM:#} {name}: skipped, since it waits for {whom}"));
        }
    }
    for field in &network.current_settings {
        let value = field.to.as_deref().map_or("••••".into(), sanitize);
        line(out, format_args!("      {WARNING}stands at {} {value}{WARNING:#}", field.setting.api_name()));
    }
}

pub fn runs(runs: &[RunHistory]) -> String {
    if runs.is_empty() {
        return "No runs.\n".to_owned();
    }
    let mut out = String::new();
    for run in runs {
        let outcome = run.outcome.map_or("killed", RunOutcome::as_str);
        let (written, planned) = (run.modified.len(), run.changes);
        let began = run.started_at.strftime("%Y-%m-%d %H:%M:%S UTC");
        line(&mut out, format_args!("{}  {began}  {outcome:11}  {written} of {planned} networks written", run.run));
    }
    out
}

/// The waves of a plan, if there is more than one.
pub fn waves(plan: &Plan, waves: &[Vec<LocationId>]) -> String {
    let mut out = String::new();
    if waves.len() < 2 {
        return out;
    }
    let locations = waves.iter().enumerate().flat_map(|(at, wave)| wave.iter().map(move |location| (location, at)));
    let wave_of: HashMap<&LocationId, usize> = locations.collect();
    let mut networks = vec![0; waves.len()];
    let mut names = vec![Vec::new(); waves.len()];
    for change in &plan.changes {
        let Some(wave) = wave_of.get(&change.location.id) else { continue };
        networks[*wave] += 1;
        let name = &change.location.name;
        if names[*wave].last() != Some(&name) {
            names[*wave].push(name);
        }
    }
    for (at, (networks, names)) in networks.into_iter().zip(&names).enumerate() {
        line(&mut out, format_args!("Wave {}: {networks} networks in {}", at + 1, name_list(names)));
    }
    out
}

pub fn status(status: &DriftReport) -> String {
    let mut out = String::new();
    let width = status.locations.iter().map(|location| sanitize(&location.name).chars().count()).max().unwrap_or(0);
    for location in &status.locations {
        let name = sanitize(&location.name);
        let managed = location.managed;
        match location.drifted.len() {
            0 => line(
                &mut out,
                format_args!("{name:width$}  {ADDED}as the files say{ADDED:#}  {DIM}{managed} networks{DIM:#}"),
            ),
            drifted => {
                let since = location.last_in_sync.map(|at| format!(", since {}", at.strftime("%Y-%m-%d %H:%M UTC")));
                let since = since.unwrap_or_default();
                line(&mut out, format_args!("{name:width$}  {REMOVED}{drifted} of {managed} differ{REMOVED:#}{since}"));
                line(&mut out, format_args!("{:width$}  {DIM}{}{DIM:#}", "", name_list(&location.drifted)));
            }
        }
    }
    line(&mut out, format_args!("{HEADING}{}{HEADING:#}", status_summary(status)));
    out
}

/// The one line that sums a status up.
pub(super) fn status_summary(status: &DriftReport) -> String {
    let (managed, drifted, unmanaged) = (status.managed(), status.drifted(), status.unmanaged);
    format!("Status: {} as the files say, {drifted} differ, {unmanaged} unmanaged", managed - drifted)
}

/// The first of these names, and how many more there are.
pub(super) fn name_list<N: AsRef<str>>(names: &[N]) -> String {
    let shown: Vec<_> = names.iter().take(MAX_NAMES).map(|name| sanitize(name.as_ref())).collect();
    let more = if names.len() > MAX_NAMES { format!(" and {} more", names.len() - MAX_NAMES) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// So many names stand in one line.
const MAX_NAMES: usize = 5;

pub fn rehearsal(view: &RehearsalView) -> String {
    let mut out = String::new();
    let RehearsalView { result, params, elapsed, .. } = view;
    let statistics = result.outcome.statistics;
    line(
        &mut out,
        format_args!(
            "{HEADING}Rehearsed{HEADING:#} on a copy that lets in {} requests in {} and takes {} ms for each (your API may differ)",
            params.requests,
            seconds(params.period),
            params.latency.as_millis()
        ),
    );
    let mut row = |name: &str, value: String| line(&mut out, format_args!("  {name:9} {value}"));
    row("proof", "in no order that can come about do two networks of a location share a name or a code".to_owned());
    row("writes", format!("{}, {} of them interim", result.plan.writes, result.plan.interim));
    row(
        "requests",
        format!("{}, {} of them refused (429) and sent again", statistics.requests, statistics.rate_limited),
    );
    row(
        "time",
        format!("{}, {} of them in {} pauses", seconds(*elapsed), seconds(statistics.paused), statistics.pauses),
    );
    let problems: Vec<&NetworkView> = result.networks.iter().filter(|network| network.needs_attention()).collect();
    row("fails", if problems.is_empty() { "nothing".to_owned() } else { format!("{} networks", problems.len()) });
    for network in problems {
        write_network(&mut out, network);
    }
    out
}

pub fn auth(view: &AuthView) -> String {
    let mut out = String::new();
    let mut row = |name: &str, value: String| line(&mut out, format_args!("{name:13} {}", sanitize(&value)));
    row("token from", view.source.clone());
    match &view.me {
        Ok(me) => {
            let email = me.email.as_deref().map(|email| format!(" ({email})")).unwrap_or_default();
            row("token of", format!("{}{email}", me.name.as_deref().unwrap_or("somebody without a name")));
            row("organization", me.org.clone().unwrap_or_else(|| "not told".to_owned()));
        }
        Err(error) if error.status == Some(403) => {
            row("token of", "not told: that takes the scope spark:people_read, which dectl does not need".to_owned());
        }
        Err(error) => row("token of", format!("not told: {error}")),
    }
    let unknown = "not known; a personal token is good for 12 hours, that of an integration for 14 days";
    row("good until", view.expires.map_or(unknown.to_owned(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string()));
    row(
        "reading",
        match &view.list {
            Ok((networks, locations)) => format!("works: {networks} networks in {locations} locations"),
            Err(error) => format!("does not work: {}: {error}", list_error_reason(error)),
        },
    );
    row("writing", WRITE_SCOPE_HINT.to_owned());
    out
}

/// Why a run stopped, for a sentence that begins with "stopped:".
pub fn stop_reason(reason: ShutdownReason) -> &'static str {
    match reason {
        ShutdownReason::Interrupt => "interrupted",
        ShutdownReason::Terminate => "asked to terminate",
        ShutdownReason::FailFast => "a write failed and --fail-fast is set",
        ShutdownReason::CircuitBreakerOpen => "nothing but errors came back",
        ShutdownReason::WindowClosed => "the end of the maintenance window has come",
        ShutdownReason::WaveFailed => "not all went well with a wave, so the next one was not begun",
        ShutdownReason::Declined => "the next wave was not wanted",
        ShutdownReason::Unauthorized => "the token or its permissions do not suffice",
        ShutdownReason::UnexpectedChange => "a network was not as the plan expects",
        ShutdownReason::RetryAfterTooLong => "the API asks for a longer pause than is respected",
        ShutdownReason::JournalWriteFailed => "the journal can no longer be written",
    }
}

//! Terminal output. Colors are always written; the printer strips them if disabled.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use anstyle::{AnsiColor, Color, Effects, Style};
use similar::{Algorithm, ChangeTag};
use unicode_width::UnicodeWidthStr;

use super::auth::{AuthView, LOCATIONS_HINT, WRITE_SCOPE_HINT, list_error_reason};
use super::found::FoundView;
use super::organizations::OrganizationView;
use super::overview::{DocumentState, Overview};
use super::plural;
use super::rehearsal::RehearsalView;
use super::sanitize::{first_names, sanitize};
use super::summary::{StatusSummary, seconds};
use super::view::{ChangeView, FieldView, LocationView, NetworkView, PlanView, ResultView};
use crate::apply::{ChangeStatus, Verification};
use crate::model::{LocationId, Setting, to_minute};
use crate::plan::model::{Change, ChangeAction, FieldKind, Plan, ResourceKind, Warning, can_reboot, count_changes};
use crate::reconcile::{DriftItem, DriftReport, LocationStatus};
use crate::runtime::ShutdownReason;
use crate::storage::RunHistory;
use crate::storage::journal::{RunOutcome, UndoneBy, UndoneRuns};

const HEADING: Style = Style::new().effects(Effects::BOLD);
const DIM: Style = Style::new().effects(Effects::DIMMED);
const REMOVED: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Red)));
const ADDED: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Green)));
const WARNING: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Yellow)));

pub fn plan(view: &PlanView) -> String {
    plan_around(view, |out| view.locations.iter().for_each(|location| write_location(out, location)))
}

/// A plan: its organization, what `changes` says of it, and what is to be known of it.
fn plan_around(view: &PlanView, changes: impl FnOnce(&mut String)) -> String {
    let mut out = String::new();
    if let Some(organization) = &view.organization {
        line(&mut out, format_args!("Organization {}\n", sanitize(&organization.to_string())));
    }
    changes(&mut out);
    for warning in &view.warnings {
        write_warning(&mut out, warning);
    }
    let notes = view.notes();
    for note in &notes {
        line(&mut out, format_args!("{WARNING}note{WARNING:#}: {note}"));
    }
    if !view.warnings.is_empty() || !notes.is_empty() {
        out.push('\n');
    }
    line(&mut out, format_args!("{HEADING}{}{HEADING:#}", view.summary.sentence()));
    out
}

/// The locations of a plan, each with the number of its changes.
pub fn plan_summary(view: &PlanView) -> String {
    let counts = |location: &LocationView| {
        let kinds = ResourceKind::ALL.into_iter().filter_map(|kind| {
            let of = |action| location.changes.iter().filter(|one| one.kind == kind && one.action == action).count();
            let actions = [("+", ChangeAction::Create), ("~", ChangeAction::Update), ("-", ChangeAction::Delete)];
            let counted = actions.into_iter().map(|(mark, action)| (mark, of(action))).filter(|(_, count)| *count > 0);
            let counted: Vec<(&str, usize)> = counted.collect();
            let total: usize = counted.iter().map(|(_, count)| count).sum();
            let noun = if total == 1 { kind.noun().to_owned() } else { format!("{}s", kind.noun()) };
            let marked: Vec<String> = counted.iter().map(|(mark, count)| format!("{mark} {count}")).collect();
            (total > 0).then(|| format!("{} {noun}", marked.join(" ")))
        });
        kinds.collect::<Vec<_>>().join(", ")
    };
    let names: Vec<_> = view.locations.iter().map(|location| sanitize(&location.name)).collect();
    let width = names.iter().map(|name| name.width()).max().unwrap_or(0);
    plan_around(view, |out| {
        for (location, name) in view.locations.iter().zip(&names) {
            let padding = " ".repeat(width - name.width());
            line(out, format_args!("{name}{padding}  {}", counts(location)));
        }
    })
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _infallible = writeln!(out, "{text}");
}

fn write_location(out: &mut String, location: &LocationView) {
    line(out, format_args!("{HEADING}{}{HEADING:#}", sanitize(&location.name)));
    let networks = location.networks();
    let renamed = columns(networks.iter().filter_map(|network| network.own));
    for network in networks {
        match network.own {
            Some(change) => write_change(out, change, renamed),
            None => line(out, format_args!("    {}", sanitize(network.name))),
        }
        let renamed = columns(network.devices.iter().copied());
        for device in network.devices {
            write_device(out, device, renamed);
        }
    }
    out.push('\n');
}

/// A change of the name alone, which takes one line. Text has no styles yet.
struct Rename<'a> {
    /// What is before the old name and behind it: `handset `, ` (1551)`.
    around: (&'static str, String),
    from: Cow<'a, str>,
    to: Cow<'a, str>,
}

impl<'a> Rename<'a> {
    fn of(change: &'a ChangeView) -> Option<Self> {
        let [field] = &change.fields[..] else { return None };
        let (from, to) = (field.from.as_deref()?, field.to.as_deref()?);
        let around = match &change.device {
            None if field.name == Setting::Name.api_name() => ("", String::new()),
            Some(device) if field.name == "customDisplayName" => {
                ("handset ", sanitize(&device.label).strip_prefix(&*sanitize(from))?.to_owned())
            }
            _ => return None,
        };
        let is_update = change.action == ChangeAction::Update && !field.masked;
        is_update.then(|| Self { around, from: sanitize(from), to: sanitize(to) })
    }

    /// The widths of both sides on a terminal.
    fn widths(&self) -> (usize, usize) {
        let (before, behind) = &self.around;
        (before.width() + self.from.width() + behind.width(), self.to.width())
    }
}

/// The widths of both sides of renames that stand below each other.
fn columns<'a>(changes: impl Iterator<Item = &'a ChangeView>) -> (usize, usize) {
    let widths = changes.filter_map(Rename::of).map(|rename| rename.widths());
    widths.fold((0, 0), |(from, to), (one, other)| (from.max(one), to.max(other)))
}

fn write_rename(out: &mut String, indent: &str, change: &ChangeView, rename: &Rename<'_>, columns: (usize, usize)) {
    let (old, new) = highlight_diff(&rename.from, &rename.to);
    let (from, to) = rename.widths();
    let pad = |wanted: usize, width: usize| " ".repeat(wanted.saturating_sub(width));
    let (style, sign) = sign(change.action);
    let (before, behind) = &rename.around;
    let (pad_old, pad_new) = (pad(columns.0, from), pad(columns.1, to));
    let source = change.source.to_string();
    let source = sanitize(&source);
    line(
        out,
        format_args!(
            "{indent}{style}{sign}{style:#} {before}{old}{behind}{pad_old} → {new}{pad_new}  {DIM}{source}{DIM:#}"
        ),
    );
}

const fn sign(action: ChangeAction) -> (Style, char) {
    match action {
        ChangeAction::Create => (ADDED, '+'),
        ChangeAction::Update => (WARNING, '~'),
        ChangeAction::Delete => (REMOVED, '-'),
    }
}

fn write_change(out: &mut String, change: &ChangeView, renamed: (usize, usize)) {
    if let Some(rename) = Rename::of(change) {
        write_rename(out, "  ", change, &rename, renamed);
        return write_interim(out, "      ", change);
    }
    let source = change.source.to_string();
    let (name, source) = (sanitize(&change.name), sanitize(&source));
    let (style, sign) = sign(change.action);
    line(out, format_args!("  {style}{sign}{style:#} {name}  {DIM}{source}{DIM:#}"));
    if change.action == ChangeAction::Delete {
        return write_contents(out, change);
    }
    let width = change.fields.iter().map(|field| field.name.len()).max().unwrap_or(0);
    for field in &change.fields {
        let value = match change.action {
            ChangeAction::Create => created_value(field),
            _ => values(field),
        };
        line(out, format_args!("      {:width$}  {value}", field.name));
    }
    write_interim(out, "      ", change);
}

fn write_interim(out: &mut String, indent: &str, change: &ChangeView) {
    if let Some(interim) = &change.interim {
        line(out, format_args!("{indent}{WARNING}{}{WARNING:#}", interim.describe()));
    }
}

fn created_value(field: &FieldView) -> String {
    let value = if field.masked { "••••".into() } else { sanitize(field.to.as_deref().unwrap_or("(none)")) };
    format!("{ADDED}{value}{ADDED:#}")
}

/// What goes with a deleted network.
fn write_contents(out: &mut String, change: &ChangeView) {
    if let Some(model) =
        change.fields.iter().find(|field| field.name == "model").and_then(|field| field.from.as_deref())
    {
        line(out, format_args!("      {}", sanitize(model)));
    }
    if change.contents.is_empty() {
        line(out, format_args!("      {DIM}no base stations, no handsets{DIM:#}"));
    }
    for device in &change.contents {
        let moved = if device.is_moved { " (moved)" } else { "" };
        line(out, format_args!("      {REMOVED}-{REMOVED:#} {}{moved}", device.describe()));
    }
}

fn write_device(out: &mut String, change: &ChangeView, renamed: (usize, usize)) {
    let Some(device) = &change.device else { return };
    if let Some(rename) = Rename::of(change) {
        return write_rename(out, "      ", change, &rename, renamed);
    }
    let (style, sign) = sign(change.action);
    let source = change.source.to_string();
    let remark = match &change.replaced_by {
        Some(new) => format!(" (replaced by {})", sanitize(new)),
        None if change.action == ChangeAction::Delete && device.is_moved => " (moved)".to_owned(),
        None => String::new(),
    };
    let description = device.describe();
    line(out, format_args!("      {style}{sign}{style:#} {description}{remark}  {DIM}{}{DIM:#}", sanitize(&source)));
    if change.action == ChangeAction::Update {
        let width = change.fields.iter().map(|field| field.name.len()).max().unwrap_or(0);
        for field in &change.fields {
            line(out, format_args!("          {:width$}  {}", field.name, values(field)));
        }
        write_interim(out, "          ", change);
    } else if change.kind == ResourceKind::Handset && change.action == ChangeAction::Create {
        for field in change.fields.iter().filter(|field| field.name != "customDisplayName") {
            line(out, format_args!("          {}  {}", field.name, created_value(field)));
        }
    }
}

/// Both values, with differing words highlighted.
fn values(field: &FieldView) -> String {
    if field.masked {
        return format!("{REMOVED}••••{REMOVED:#} → {ADDED}•••• (new){ADDED:#}");
    }
    let from = field.from.as_deref().map(|text| sanitize(text).into_owned());
    let to = field.to.as_deref().map(|text| sanitize(text).into_owned());
    match (from, to) {
        (Some(from), Some(to)) if field.kind == FieldKind::Name => {
            let (old, new) = highlight_diff(&from, &to);
            format!("{old} → {new}")
        }
        (from, to) => {
            let text = |value: Option<String>| value.unwrap_or_else(|| "(none)".to_owned());
            format!("{REMOVED}{}{REMOVED:#} → {ADDED}{}{ADDED:#}", text(from), text(to))
        }
    }
}

/// Both texts, with differing words highlighted.
fn highlight_diff(from: &str, to: &str) -> (String, String) {
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
            // Nothing to highlight if everything differs.
            ChangeTag::Delete if whole => old.push_str(&format!("{REMOVED}{part}{REMOVED:#}")),
            ChangeTag::Insert if whole => new.push_str(&format!("{ADDED}{part}{ADDED:#}")),
            ChangeTag::Delete => old.push_str(&format!("{removed}{part}{removed:#}")),
            ChangeTag::Insert => new.push_str(&format!("{added}{part}{added:#}")),
        }
    }
    (old, new)
}

fn write_warning(out: &mut String, warning: &Warning) {
    let place = match (&warning.file, warning.line) {
        (Some(file), Some(line)) => format!("{}:{line}: ", sanitize(file)),
        _ => String::new(),
    };
    line(out, format_args!("{WARNING}warning{WARNING:#}: {place}{}", sanitize(&warning.message)));
}

/// A result without its plan.
pub fn result(view: &ResultView) -> String {
    let mut out = String::new();
    if let Some(organization) = &view.plan.organization {
        line(&mut out, format_args!("Organization {}", sanitize(&organization.to_string())));
    }
    let problems: Vec<&NetworkView> = view.networks.iter().filter(|network| network.needs_attention()).collect();
    write_problems(&mut out, &problems);
    write_notes(&mut out, view);
    line(&mut out, format_args!("{HEADING}{}{HEADING:#}", view.sentence()));
    if let Some(journal) = &view.journal {
        line(&mut out, format_args!("{DIM}journal: {journal}{DIM:#}"));
    }
    // A run that was stopped has not waited for a list that lags.
    let is_shown_otherwise =
        view.outcome.stopped.is_none() && problems.iter().all(|network| network.is_shown_otherwise());
    if is_shown_otherwise && problems.iter().any(|network| network.is_found_as_before) {
        line(
            &mut out,
            format_args!(
                "Webex has accepted these changes and shows values of before: its list may be late. `dectl status` tells in a minute."
            ),
        );
    } else if !problems.is_empty() && is_shown_otherwise {
        line(
            &mut out,
            format_args!(
                "Webex has accepted these changes and shows other values; the same command would send them again. \
                 Write the values found in the files, or compare with Control Hub."
            ),
        );
    } else if !problems.is_empty() {
        line(&mut out, format_args!("Re-run the same command to resume."));
    }
    out
}

/// What was not applied, by location.
fn write_problems(out: &mut String, problems: &[&NetworkView]) {
    for networks in problems.chunk_by(|one, other| one.location == other.location) {
        line(out, format_args!("{HEADING}{}{HEADING:#}", sanitize(&networks[0].location_name)));
        let (summarized, detailed): (Vec<&NetworkView>, Vec<&NetworkView>) =
            networks.iter().partition(|network| is_plain_not_started(network));
        detailed.iter().for_each(|network| write_network(out, network));
        match summarized.len() {
            0..=MAX_LISTED => summarized.iter().for_each(|network| write_network(out, network)),
            many => {
                let all_networks = summarized.iter().all(|network| network.kind == ResourceKind::Network);
                let what = plural(many, if all_networks { "network" } else { "change" });
                line(out, format_args!("  {DIM}·{DIM:#} {what}: not started"));
            }
        }
    }
    if !problems.is_empty() {
        out.push('\n');
    }
}

/// What a reader should know beside the results of the changes.
fn write_notes(out: &mut String, view: &ResultView) {
    for network in &view.networks {
        if let (Some(former), Some(new)) = (&network.former_id, &network.network_id) {
            let name = sanitize(&network.network_name);
            line(out, format_args!("{name} was created again: id {former} → {new}"));
        }
    }
    let (note, warning) = (format!("{WARNING}note{WARNING:#}"), format!("{WARNING}warning{WARNING:#}"));
    for name in view.one_write_at_a_time() {
        line(out, format_args!("{note}: {} takes one write at a time, as was found out", sanitize(name)));
    }
    for at in &view.outcome.server_generated_codes {
        let name = sanitize(&view.networks[*at].name);
        line(
            out,
            format_args!(
                "{warning}: {name}: the live access code differs from the file, which Webex may do while codes are \
                 disabled; remove the code from the file"
            ),
        );
    }
    for said in view.licences.describe() {
        line(out, format_args!("{note}: {said}"));
    }
    if let Verification::Failed(failure) = &view.outcome.verification {
        line(out, format_args!("{warning}: not verified: {failure}"));
    }
    if let Some(reason) = view.outcome.stopped {
        line(out, format_args!("Stopped: {}.", stop_reason(reason)));
    }
}

/// So many networks of a location that were not started are named one by one.
const MAX_LISTED: usize = 3;

/// Whether a network was merely not started, which may be thousands after a stop.
fn is_plain_not_started(network: &NetworkView) -> bool {
    let NetworkView { result, left_as, .. } = network;
    result.status == ChangeStatus::NotStarted && result.error.is_none() && left_as.is_empty()
}

fn write_network(out: &mut String, network: &NetworkView) {
    let result = &network.result;
    let reason = result.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
    let reason = sanitize(&reason);
    let (mark, style, what) = match result.status {
        ChangeStatus::Applied => ("≠", WARNING, format!("written, but the live state differs: {}", network.reason())),
        ChangeStatus::Failed => ("✗", REMOVED, format!("failed{reason}")),
        ChangeStatus::Unknown => ("?", REMOVED, format!("unknown whether it was written{reason}")),
        ChangeStatus::NotStarted => ("·", DIM, format!("not started{reason}")),
        ChangeStatus::Skipped => {
            let whom = network.blocked_by_name.as_deref().map_or("another network".into(), sanitize);
            ("·", DIM, format!("skipped, depends on {whom}{reason}"))
        }
    };
    let entry = network.entry().map(|entry| format!("  {DIM}{}{DIM:#}", sanitize(&entry))).unwrap_or_default();
    line(out, format_args!("  {style}{mark}{style:#} {}: {what}{entry}", sanitize(&network.name)));
    for field in &network.left_as {
        let value =
            if field.masked { "••••".into() } else { sanitize(field.to.as_deref().unwrap_or("(none)")) };
        line(out, format_args!("      {WARNING}current {}: {value}{WARNING:#}", field.name));
    }
}

pub fn runs(runs: &[RunHistory], running: &[bool]) -> String {
    if runs.is_empty() {
        return "No runs.\n".to_owned();
    }
    let targets: HashSet<_> = runs
        .iter()
        .map(|run| &run.identity.target)
        .filter(|target| !target.simulated)
        .map(|target| (&target.api, &target.org))
        .collect();
    let (mut out, is_about_several) = (String::new(), targets.len() > 1);
    let mut undone_runs = UndoneRuns::default();
    for (run, running) in runs.iter().zip(running) {
        let undone_by = undone_runs.pass(run);
        let outcome = if *running { "running" } else { run.outcome.map_or("killed", RunOutcome::as_str) };
        let (written, planned) = (run.changes_written, run.changes);
        let noun = if run.items.is_empty() { "network" } else { "change" };
        let started = run.started_at.strftime("%Y-%m-%d %H:%M:%S UTC");
        let about = organization(run, is_about_several);
        let open = match (run.changes_open, running) {
            (0, _) => String::new(),
            (open, true) => format!(", {open} under way"),
            (open, false) => format!(", {open} more may be"),
        };
        line(
            &mut out,
            format_args!(
                "{}  {started}  {outcome:11}  {written} of {} written{open}{about}",
                run.run,
                plural(planned, noun)
            ),
        );
        if !run.identity.command.is_empty() {
            let undone = undone_by.map(|UndoneBy { run, is_whole }| {
                let partly = if is_whole { "" } else { "partly " };
                format!("; {partly}undone by {run}")
            });
            let undone = undone.unwrap_or_default();
            let places = first_names(&run.identity.locations, 3);
            line(&mut out, format_args!("    dectl {}  {places}{undone}", sanitize(&run.identity.command)));
        }
    }
    out
}

/// Which organization a run was about, if that is not the same for all: `undo last` takes none of another one.
fn organization(run: &RunHistory, is_about_several: bool) -> String {
    let target = &run.identity.target;
    match (&target.org, target.simulated) {
        (_, true) => "  (simulated)".to_owned(),
        (Some(org), false) if is_about_several => {
            format!("  (organization {} at {})", sanitize(org), sanitize(&target.api))
        }
        (None, false) if is_about_several && !target.api.is_empty() => format!("  (at {})", sanitize(&target.api)),
        (_, false) => String::new(),
    }
}

/// The waves of a plan, if there is more than one.
pub fn waves(plan: &Plan, waves: &[Vec<LocationId>]) -> String {
    let mut out = String::new();
    if waves.len() < 2 {
        return out;
    }
    let locations = waves.iter().enumerate().flat_map(|(at, wave)| wave.iter().map(move |location| (location, at)));
    let wave_of: HashMap<&LocationId, usize> = locations.collect();
    let mut changes: Vec<Vec<&Change>> = vec![Vec::new(); waves.len()];
    for change in &plan.changes {
        if let Some(wave) = wave_of.get(&change.location.id) {
            changes[*wave].push(change);
        }
    }
    for (at, changes) in changes.into_iter().enumerate() {
        let mut names: Vec<_> = changes.iter().map(|change| &change.location.name).collect();
        names.dedup();
        let reboots = can_reboot(changes.iter().copied());
        let counted = count_changes(changes);
        line(&mut out, format_args!("Wave {}: {counted} in {}{reboots}", at + 1, name_list(&names)));
    }
    out
}

pub fn status(status: &DriftReport) -> String {
    let mut out = String::new();
    let width = status.locations.iter().map(|location| sanitize(&location.name).chars().count()).max().unwrap_or(0);
    for location in &status.locations {
        let name = sanitize(&location.name);
        let managed = location.managed;
        let networks = location.drifted();
        match networks.len() {
            0 => line(
                &mut out,
                format_args!("{name:width$}  {ADDED}in sync{ADDED:#}  {DIM}{}{DIM:#}", plural(managed, "network")),
            ),
            drifted => {
                let since = location.last_in_sync.map(|at| format!(", last in sync {}", to_minute(at)));
                let since = since.unwrap_or_default();
                line(
                    &mut out,
                    format_args!("{name:width$}  {REMOVED}{drifted} of {managed} drifted{REMOVED:#}{since}"),
                );
                write_differences(&mut out, location);
            }
        }
    }
    for networks in status.never_registered.chunk_by(|(one, _), (other, _)| one == other) {
        let handsets: Vec<&String> = networks.iter().map(|(_, handset)| handset).collect();
        let (network, handsets) = (sanitize(&networks[0].0), name_list(&handsets));
        line(&mut out, format_args!("{DIM}never registered in {network}: {handsets}{DIM:#}"));
    }
    line(&mut out, format_args!("{HEADING}{}{HEADING:#}", StatusSummary::of(status).sentence()));
    out
}

/// The first differences of a location that are not known; if there are more, how many, and in which networks.
fn write_differences(out: &mut String, location: &LocationStatus) {
    let new: Vec<&DriftItem> = location.differences.iter().filter(|item| !item.is_known).collect();
    let (shown, others) = new.split_at(new.len().min(MAX_NAMES));
    for item in shown {
        line(out, format_args!("    {}", sanitize(&difference(item))));
    }
    if !others.is_empty() {
        let mut networks: Vec<&str> = others.iter().map(|item| &*item.network).collect();
        networks.dedup();
        let more = plural(others.len(), "more difference");
        line(out, format_args!("    {DIM}and {more}, in {}{DIM:#}", name_list(&networks)));
    }
}

/// A difference in words.
pub(super) fn difference(item: &DriftItem) -> String {
    let device = item.device.as_ref().map(|device| format!(" {}", item.kind.describe(device))).unwrap_or_default();
    let text = |value: &Option<String>| value.as_ref().map_or("nothing".to_owned(), |value| format!("{value:?}"));
    let what = match (item.field, &item.live, &item.asked) {
        (Some(field), None, None) => format!("{field} differs"),
        (Some(field), live, asked) => format!("{field} is {} instead of {}", text(live), text(asked)),
        (None, ..) if item.is_missing => "does not exist".to_owned(),
        (None, ..) => "is to be deleted".to_owned(),
    };
    let cause = item.cause_in_words().map(|cause| format!(", {cause}")).unwrap_or_default();
    format!("{}{device}: {what}{cause}", item.network)
}

/// The first of these names, and how many more there are.
pub(super) fn name_list<N: AsRef<str>>(names: &[N]) -> String {
    first_names(names, MAX_NAMES)
}

/// So many names stand in one line.
const MAX_NAMES: usize = 5;

pub fn rehearsal(view: &RehearsalView) -> String {
    let mut out = String::new();
    let mut lines = rehearsal_lines(view).into_iter();
    let first = lines.next().unwrap_or_default();
    let rest = first.strip_prefix(SIMULATED).unwrap_or_default();
    line(&mut out, format_args!("{HEADING}{SIMULATED}{HEADING:#}{rest}"));
    for row in lines {
        line(&mut out, format_args!("  {row}"));
    }
    for network in view.result.networks.iter().filter(|network| network.needs_attention()) {
        write_network(&mut out, network);
    }
    out
}

const SIMULATED: &str = "Simulated";

/// What a rehearsal has shown, line by line.
pub(super) fn rehearsal_lines(view: &RehearsalView) -> Vec<String> {
    let RehearsalView { result, params, elapsed, .. } = view;
    let statistics = result.outcome.statistics;
    let problems = result.networks.iter().filter(|network| network.needs_attention()).count();
    vec![
        format!(
            "{SIMULATED} with a limit of {} and {} ms latency (actual limits may differ)",
            params.limit,
            params.latency.as_millis()
        ),
        "safety check: passed (no duplicate names or codes in any execution order)".to_owned(),
        format!("writes: {}, {} interim", result.plan.summary.writes, result.plan.summary.interim),
        format!(
            "requests: {}, {} of them rate limited (429) and retried",
            statistics.requests, statistics.rate_limited
        ),
        format!(
            "duration: {}, {} of it in {}",
            seconds(*elapsed),
            seconds(statistics.paused),
            plural(statistics.pauses as usize, "pause")
        ),
        format!("failures: {}", if problems == 0 { "none".to_owned() } else { plural(problems, "network") }),
    ]
}

/// A line each: where it is, what it is, which of its fields match, and its id.
pub fn found(found: &[FoundView]) -> String {
    let mut out = String::new();
    for one in found {
        let place = format!("{} / {}", sanitize(&one.location.name), sanitize(&one.network_name));
        let device = one.device.as_ref().map(|device| format!("  {}", device.describe())).unwrap_or_default();
        let matched = one.fields.iter().filter(|field| one.matched.contains(&field.name));
        let values = matched.filter_map(|field| Some(format!("{} {}", field.name, sanitize(field.to.as_deref()?))));
        let mut remarks: Vec<String> = values.collect();
        if one.kind == ResourceKind::Handset && one.last_registration.is_none() {
            remarks.push("never registered".to_owned());
        }
        let remarks = if remarks.is_empty() { String::new() } else { format!("  {}", remarks.join(", ")) };
        line(
            &mut out,
            format_args!("{HEADING}{place}{HEADING:#}{device}{remarks}  {DIM}{}{DIM:#}", sanitize(one.id())),
        );
    }
    out
}

/// What needs attention first, with its reasons; what is in order has one line for each organization.
pub fn overview(overview: &Overview) -> String {
    let mut out = String::new();
    let width = overview.organizations.iter().map(|one| sanitize(&one.name).width()).max().unwrap_or(0);
    for organization in &overview.organizations {
        let name = sanitize(&organization.name);
        let padding = " ".repeat(width - name.width());
        for document in &organization.documents {
            let style = match document.state {
                DocumentState::InOrder => ADDED,
                DocumentState::Drifted | DocumentState::Planned => WARNING,
                DocumentState::Unreadable | DocumentState::Failed | DocumentState::Incomplete => REMOVED,
            };
            let (state, sentence, file) = (document.state.label(), document.sentence(), sanitize(&document.file));
            line(
                &mut out,
                format_args!(
                    "{name}{padding}  {style}{state:10}{style:#}  {}  {DIM}{file}{DIM:#}",
                    sanitize(&sentence)
                ),
            );
            if document.state == DocumentState::Drifted {
                for location in &document.locations {
                    let sentence = format!("{}: {}", location.name, location.sentence());
                    line(&mut out, format_args!("    {}", sanitize(&sentence)));
                }
            }
            for problem in document.problems.iter().take(MAX_NAMES) {
                line(&mut out, format_args!("    {}", sanitize(&problem.sentence())));
            }
            if document.problems.len() > MAX_NAMES {
                line(&mut out, format_args!("    {DIM}and {} more{DIM:#}", document.problems.len() - MAX_NAMES));
            }
        }
    }
    line(&mut out, format_args!("{HEADING}{}{HEADING:#}", overview.summary.sentence()));
    out
}

/// A line each: the id and the directory of its files.
pub fn organizations(organizations: &[OrganizationView]) -> String {
    let mut out = String::new();
    for organization in organizations {
        line(&mut out, format_args!("{} {}", sanitize(&organization.id), organization.files));
    }
    out
}

pub fn auth(view: &AuthView) -> String {
    let mut out = String::new();
    let mut row = |name: &str, value: String| line(&mut out, format_args!("{name}: {}", sanitize(&value)));
    row("token source", view.source.clone());
    match &view.me {
        Ok(me) => {
            let email = me.email.as_deref().map(|email| format!(" ({email})")).unwrap_or_default();
            row("owner", format!("{}{email}", me.name.as_deref().unwrap_or("(unnamed)")));
            row("organization id", me.org.clone().unwrap_or_else(|| "unknown".to_owned()));
        }
        Err(error) if error.status == Some(403) => {
            row("owner", "unknown (requires scope spark:people_read, which dectl does not need)".to_owned());
        }
        Err(error) => row("owner", format!("unknown ({error})")),
    }
    let unknown = "unknown (personal tokens are valid for 12 hours, integration tokens for 14 days)";
    row("expires", view.expires.map_or(unknown.to_owned(), to_minute));
    row(
        "read",
        match &view.list {
            Ok((networks, locations)) => {
                format!("ok ({} in {})", plural(*networks, "network"), plural(*locations, "location"))
            }
            Err(error) => format!("failed: {}: {error}", list_error_reason(error)),
        },
    );
    row(
        "locations",
        match &view.locations {
            Ok(count) => format!("ok ({})", plural(*count, "location")),
            Err(error) => format!("failed: {LOCATIONS_HINT}: {error}"),
        },
    );
    row("write", WRITE_SCOPE_HINT.to_owned());
    out
}

/// Why a run stopped, to follow "stopped:".
pub fn stop_reason(reason: ShutdownReason) -> &'static str {
    match reason {
        ShutdownReason::Interrupt => "interrupted",
        ShutdownReason::Terminate => "terminated",
        ShutdownReason::FailFast => "a write failed and --fail-fast is set",
        ShutdownReason::CircuitBreakerOpen => "circuit breaker opened after 40 consecutive failures",
        ShutdownReason::WindowClosed => "end of the maintenance window",
        ShutdownReason::WaveFailed => "a wave failed; remaining waves were not started",
        ShutdownReason::Declined => "the next wave was declined",
        ShutdownReason::Unauthorized => "the token or its permissions are insufficient",
        ShutdownReason::UnexpectedChange => "a network was changed by another client",
        ShutdownReason::RateLimitTimeout => "no request would be let in within --rate-limit-timeout",
        ShutdownReason::RetryAfterTooLong => "Retry-After exceeds the maximum (1 h)",
        ShutdownReason::JournalWriteFailed => "the journal cannot be written",
    }
}

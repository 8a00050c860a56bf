//! Summaries: what is counted, as it is serialized in documents and as the sentence that is shown.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::plural;
use crate::apply::{ChangeStatus, Outcome, Verification};
use crate::plan::model::{ChangeAction, PerKind, Plan, ResourceKind};
use crate::reconcile::DriftReport;
use crate::storage::RunOutcome;

/// How many things of a kind are created, updated and deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ActionCounts {
    /// Number to create or add.
    pub create: usize,
    /// Number to update.
    pub update: usize,
    /// Number to delete or remove, with those that go with a deleted network.
    pub delete: usize,
}

impl ActionCounts {
    fn of(plan: &Plan, kind: ResourceKind) -> Self {
        let contents = plan.changes.iter().flat_map(|change| &change.contents);
        Self {
            create: plan.count(kind, ChangeAction::Create),
            update: plan.count(kind, ChangeAction::Update),
            delete: plan.count(kind, ChangeAction::Delete) + contents.filter(|state| state.kind() == kind).count(),
        }
    }
}

/// What no file names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Unmanaged {
    /// Number of unmanaged networks.
    #[serde(rename = "unmanaged")]
    pub networks: usize,
    /// Number of base stations that no file names, of the networks whose base stations files name.
    #[serde(rename = "unmanagedBaseStations")]
    pub base_stations: usize,
    /// Number of handsets that no file names, of the networks whose handsets files name.
    #[serde(rename = "unmanagedHandsets")]
    pub handsets: usize,
}

impl Unmanaged {
    fn of(unmanaged: PerKind<usize>) -> Self {
        let PerKind { network, base_station, handset, serviceability_password: _ } = unmanaged;
        Self { networks: network, base_stations: base_station, handsets: handset }
    }

    /// In words; devices only where there are some.
    fn describe(self) -> String {
        let devices = counted(self.base_stations, "base station", "unmanaged");
        format!("{} unmanaged{devices}{}", self.networks, counted(self.handsets, "handset", "unmanaged"))
    }
}

/// A number with what it is about, to follow others; nothing for none.
fn counted(count: usize, noun: &str, what: &str) -> String {
    if count == 0 { String::new() } else { format!(", {} {what}", plural(count, noun)) }
}

/// Counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanSummary {
    /// Number of listed locations.
    pub locations: usize,
    /// Number of listed networks.
    pub networks: usize,
    #[serde(flatten)]
    pub network_changes: ActionCounts,
    /// Base stations, with those of created and deleted networks.
    pub base_stations: ActionCounts,
    /// Handsets, with those of deleted networks.
    pub handsets: ActionCounts,
    /// Serviceability passwords that are enabled or disabled.
    pub serviceability_passwords: ActionCounts,
    /// Number of networks that this can reboot.
    pub reboots: usize,
    /// What --max-deletes must allow: deleted networks with everything that goes with them, and removed devices; replaced
    /// and moved ones do not count.
    pub deletions: usize,
    /// Number of managed networks that are in sync.
    pub unchanged: usize,
    #[serde(flatten)]
    pub unmanaged: Unmanaged,
    /// How long the apply takes at least because of the time between changes of the handsets of a network, in
    /// milliseconds.
    #[serde(rename = "leastMs", serialize_with = "milliseconds")]
    #[schemars(with = "u64")]
    pub least: Duration,
    /// The same if Webex refuses two lines at once, so that second lines are added one by one.
    #[serde(rename = "leastMsLineByLine", serialize_with = "milliseconds")]
    #[schemars(with = "u64")]
    pub least_line_by_line: Duration,
    /// Networks excluded by --location or --network that would change, or that are not compared: of whose devices files speak, or
    /// that rules manage.
    pub out_of_scope: usize,
    /// Number of write requests, including interim ones.
    pub writes: usize,
    /// Number of temporary renames.
    pub interim: usize,
    /// Whether the number of updates is proven minimal.
    pub minimal: bool,
    /// Number of all changes.
    #[serde(skip)]
    pub changes: usize,
}

fn milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(duration.as_millis() as u64)
}

impl PlanSummary {
    pub(super) fn of(plan: &Plan) -> Self {
        let least = plan.handset_time();
        let line_by_line = plan.with_single_lines().map(|single| single.handset_time() + plan.handset_interval);
        Self {
            locations: plan.counts.locations,
            networks: plan.counts.listed.network,
            network_changes: ActionCounts::of(plan, ResourceKind::Network),
            base_stations: ActionCounts::of(plan, ResourceKind::BaseStation),
            handsets: ActionCounts::of(plan, ResourceKind::Handset),
            serviceability_passwords: ActionCounts::of(plan, ResourceKind::ServiceabilityPassword),
            reboots: plan.reboots(),
            deletions: plan.deleted().len(),
            unchanged: plan.counts.unchanged,
            unmanaged: Unmanaged::of(plan.counts.unmanaged),
            least,
            least_line_by_line: line_by_line.unwrap_or(least),
            out_of_scope: plan.counts.out_of_scope,
            writes: plan.steps.len(),
            interim: plan.interim(),
            minimal: plan.is_minimal,
            changes: plan.changes.len(),
        }
    }

    /// Summary line.
    pub fn sentence(&self) -> String {
        let unmanaged = self.unmanaged.describe();
        let unchanged = self.unchanged;
        let out_of_scope = match self.out_of_scope {
            0 => String::new(),
            out_of_scope => format!(", {out_of_scope} out of scope"),
        };
        if self.changes == 0 {
            return format!("Plan: nothing to do, {unchanged} unchanged, {unmanaged}{out_of_scope}");
        }
        let writes = plural(self.writes, "write");
        let interim = match (self.interim, self.minimal) {
            (0, _) => String::new(),
            (interim, true) => format!(", {interim} interim"),
            (interim, false) => format!(", {interim} interim (not proven minimal)"),
        };
        let devices = match self.devices() {
            devices if devices.is_empty() => String::new(),
            devices => format!("; {devices}"),
        };
        let networks = self.networks();
        let time = if self.least.is_zero() { String::new() } else { format!(", at least {}", duration(self.least)) };
        format!("Plan: {networks}{unchanged} unchanged, {unmanaged}{out_of_scope}{devices} · {writes}{interim}{time}")
    }

    fn networks(&self) -> String {
        let ActionCounts { create, update, delete } = self.network_changes;
        let mut parts = Vec::new();
        // The noun stands with the first number that needs it.
        let mut counted = |count: usize, verb: &str| {
            if count > 0 {
                let number =
                    if parts.is_empty() && create + delete > 0 { plural(count, "network") } else { count.to_string() };
                parts.push(format!("{number} to {verb}"));
            }
        };
        counted(create, "create");
        counted(update, "update");
        counted(delete, "delete");
        if parts.is_empty() { String::new() } else { format!("{}, ", parts.join(", ")) }
    }

    fn devices(&self) -> String {
        let kinds = [
            (self.base_stations, ResourceKind::BaseStation),
            (self.handsets, ResourceKind::Handset),
            (self.serviceability_passwords, ResourceKind::ServiceabilityPassword),
        ];
        let mut parts: Vec<String> = Vec::new();
        let mut last = None;
        for (verb, count) in [
            ("add", (|counts: ActionCounts| counts.create) as fn(ActionCounts) -> usize),
            ("update", |counts| counts.update),
            ("remove", |counts| counts.delete),
        ] {
            let counted: Vec<(usize, ResourceKind)> =
                kinds.iter().map(|(counts, kind)| (count(*counts), *kind)).filter(|(count, _)| *count > 0).collect();
            let these: Vec<ResourceKind> = counted.iter().map(|(_, kind)| *kind).collect();
            // The noun stands once where the same kind follows.
            let numbers: Vec<String> = match &counted[..] {
                [] => continue,
                [(count, _)] if last.as_ref() == Some(&these) => vec![count.to_string()],
                counted => counted.iter().map(|(count, kind)| plural(*count, kind.noun())).collect(),
            };
            parts.push(format!("{} to {verb}", numbers.join(", ")));
            last = Some(these);
        }
        parts.join(", ")
    }

    /// How long handsets take if Webex refuses two lines at once, which the first request finds out.
    pub(super) fn handset_time_note(&self) -> Option<String> {
        (self.least_line_by_line > self.least).then(|| {
            format!(
                "if Webex refuses two lines at once, second lines follow one by one and it takes at least {}",
                duration(self.least_line_by_line)
            )
        })
    }
}

/// A duration in whole minutes from two minutes on.
fn duration(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds < 120.0 => format!("{} s", seconds.ceil()),
        seconds if seconds < 7_200.0 => format!("{} min", (seconds / 60.0).ceil()),
        seconds => format!("{:.1} h", seconds / 3_600.0),
    }
}

/// What became of the changes, and what it took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResultSummary {
    pub applied: usize,
    pub failed: usize,
    pub skipped: usize,
    pub not_started: usize,
    pub unknown: usize,
    pub unchanged: usize,
    /// Number of writes sent, including retries.
    pub writes: u64,
    /// Number of requests, including lists and reads.
    pub requests: u64,
    pub retries: u64,
    /// Number of 429 responses.
    pub rate_limited: u64,
    #[serde(rename = "elapsedMs", serialize_with = "milliseconds")]
    #[schemars(with = "u64")]
    pub elapsed: Duration,
    /// Number of things that the final list shows otherwise.
    #[serde(skip)]
    pub mismatched: usize,
}

impl ResultSummary {
    pub(super) fn of(plan: &Plan, outcome: &Outcome) -> Self {
        let count = |status| outcome.results.iter().filter(|result| result.status == status).count();
        let statistics = outcome.statistics;
        Self {
            applied: count(ChangeStatus::Applied),
            failed: count(ChangeStatus::Failed),
            skipped: count(ChangeStatus::Skipped),
            not_started: count(ChangeStatus::NotStarted),
            unknown: count(ChangeStatus::Unknown),
            unchanged: plan.counts.unchanged,
            writes: statistics.writes,
            requests: statistics.requests,
            retries: statistics.retries,
            rate_limited: statistics.rate_limited,
            elapsed: outcome.elapsed,
            mismatched: outcome.results.iter().filter(|result| result.verified == Some(false)).count(),
        }
    }

    /// Summary line.
    pub(super) fn sentence(&self, class: RunOutcome, verification: &Verification) -> String {
        if class == RunOutcome::Unchanged {
            return "Nothing to do: no changes to apply.".to_owned();
        }
        let others = [
            (self.failed, "failed"),
            (self.skipped, "skipped"),
            (self.not_started, "not started"),
            (self.unknown, "unknown"),
        ];
        let mut parts = vec![format!("{} applied", self.applied)];
        parts.extend(others.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")));
        let verified = match (verification, self.mismatched) {
            (Verification::Completed, 0) if self.applied == 0 => String::new(),
            (Verification::Completed, 0) => ", verified".to_owned(),
            (Verification::Completed, mismatched) => format!(", {mismatched} mismatched"),
            (Verification::Failed(_) | Verification::Skipped, _) => ", not verified".to_owned(),
        };
        format!(
            "Done: {}{verified} · {}, {} in {}",
            parts.join(", "),
            plural(self.writes as usize, "write"),
            plural(self.requests as usize, "request"),
            seconds(self.elapsed),
        )
    }
}

pub(super) fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        0..=9 => format!("{:.1} s", duration.as_secs_f64()),
        10..=119 => format!("{} s", duration.as_secs()),
        many => format!("{} min {} s", many / 60, many % 60),
    }
}

/// Managed locations and networks.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusSummary {
    pub(super) locations: usize,
    pub(super) networks: usize,
    pub(super) drifted: usize,
    /// Number of differences that the baseline has.
    pub(super) known: usize,
    #[serde(flatten)]
    pub(super) unmanaged: Unmanaged,
    /// Number of handsets of these networks that have never registered.
    pub(super) never_registered: usize,
}

impl StatusSummary {
    pub(super) fn of(status: &DriftReport) -> Self {
        Self {
            locations: status.locations.len(),
            networks: status.managed(),
            drifted: status.drifted(),
            known: status.known(),
            unmanaged: Unmanaged::of(status.unmanaged),
            never_registered: status.never_registered.len(),
        }
    }

    /// Summary line.
    pub(super) fn sentence(&self) -> String {
        format!(
            "Status: {} in sync, {} drifted{}, {}{}",
            self.networks - self.drifted,
            self.drifted,
            counted(self.known, "difference", "known"),
            self.unmanaged.describe(),
            counted(self.never_registered, "handset", "never registered")
        )
    }
}

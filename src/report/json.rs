//! JSON documents. Each has `formatVersion` and `kind`; the schemas are in `docs/schemas`.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::auth::{AuthView, LOCATIONS_HINT, WRITE_SCOPE_HINT, list_error_reason};
use super::licences::LicenceNote;
use super::rehearsal::RehearsalView;
use super::view::{
    ActionCounts, ChangeView, DeviceView, FieldKind, FieldView, LocationView, PlanView, ResultView, StepView,
};
use crate::apply::{ChangeStatus, Verification};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, Sources};
use crate::plan::model::{ChangeAction, ChangeSource, ResourceKind, StepKind, Warning};
use crate::reconcile::{DriftReport, LocationStatus};
use crate::storage::RunHistory;
use crate::storage::journal::RunOutcome;
use crate::webex::ApiError;

pub const FORMAT_VERSION: u32 = 1;

fn document(kind: &str, body: Value) -> Value {
    let mut document = Map::new();
    document.insert("formatVersion".to_owned(), FORMAT_VERSION.into());
    document.insert("kind".to_owned(), kind.into());
    if let Value::Object(body) = body {
        document.extend(body);
    }
    Value::Object(document)
}

pub fn text(document: &impl Serialize) -> String {
    // Values always serialize.
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

pub fn plan(view: &PlanView) -> Value {
    document("plan", plan_body(view))
}

fn plan_body(view: &PlanView) -> Value {
    let changes: Vec<Value> = view
        .locations
        .iter()
        .flat_map(|location| location.changes.iter().map(move |change| change_json(location, change)))
        .collect();
    json!({
        "summary": {
            "locations": view.locations_listed,
            "networks": view.networks_listed,
            "create": view.networks.create,
            "update": view.networks.update,
            "delete": view.networks.delete,
            "baseStations": counts(view.base_stations),
            "handsets": counts(view.handsets),
            "deletions": view.deletions,
            "unchanged": view.unchanged,
            "unmanaged": view.unmanaged,
            "unmanagedBaseStations": view.unmanaged_base_stations,
            "unmanagedHandsets": view.unmanaged_handsets,
            "leastMs": view.handset_time.0.as_millis() as u64,
            "leastMsLineByLine": view.handset_time.1.as_millis() as u64,
            "outOfScope": view.out_of_scope,
            "writes": view.writes,
            "interim": view.interim,
            "minimal": view.minimal,
        },
        "changes": changes,
        "steps": view.steps.iter().map(step).collect::<Vec<_>>(),
        "warnings": view.warnings.iter().map(warning).collect::<Vec<_>>(),
        "licences": licences(&view.licences),
    })
}

fn licences(note: &LicenceNote) -> Value {
    json!({ "peopleAdded": note.added, "peopleRemoved": note.removed })
}

fn counts(counts: ActionCounts) -> Value {
    json!({ "create": counts.create, "update": counts.update, "delete": counts.delete })
}

fn change_json(location: &LocationView, change: &ChangeView) -> Value {
    let mut value = json!({
        "location": { "id": location.id.as_str(), "name": location.name },
        "network": { "id": change.network_id, "name": change.name },
        "action": action(change.action),
        "kind": kind(change.kind),
        "fields": change.fields.iter().map(change_of).collect::<Map<_, _>>(),
        "source": source(&change.source),
    });
    if let Some(device) = &change.device {
        value[kind(device.kind)] = device_json(device);
    }
    if change.kind == ResourceKind::Network && change.action == ChangeAction::Delete {
        let contents = change.contents.iter().map(|device| {
            let mut value = device_json(device);
            value["kind"] = kind(device.kind).into();
            value
        });
        value["contents"] = contents.collect();
    }
    if let Some(replaced_by) = &change.replaced_by {
        value["replacedBy"] = replaced_by.as_str().into();
    }
    value
}

fn device_json(device: &DeviceView) -> Value {
    let name = if device.kind == ResourceKind::BaseStation { "mac" } else { "name" };
    json!({ "id": device.id, name: device.label })
}

const fn action(action: ChangeAction) -> &'static str {
    match action {
        ChangeAction::Create => "create",
        ChangeAction::Update => "update",
        ChangeAction::Delete => "delete",
    }
}

const fn kind(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Network => "network",
        ResourceKind::BaseStation => "baseStation",
        ResourceKind::Handset => "handset",
    }
}

fn change_of(field: &FieldView) -> (String, Value) {
    let mut value = json!({ "from": typed(field, field.from.as_deref()), "to": typed(field, field.to.as_deref()) });
    if field.masked {
        value["masked"] = true.into();
    }
    (field.name.to_owned(), value)
}

fn set_of(field: &FieldView) -> (String, Value) {
    let value = if field.masked { Value::Null } else { typed(field, field.to.as_deref()) };
    (field.name.to_owned(), value)
}

/// A value in the JSON type of the API.
fn typed(field: &FieldView, value: Option<&str>) -> Value {
    match (field.kind, value) {
        (_, None) => Value::Null,
        (FieldKind::Boolean, Some(value)) => (value == "true").into(),
        (_, Some(value)) => value.into(),
    }
}

fn step(step: &StepView) -> Value {
    json!({
        "location": step.location.as_str(),
        "network": step.network,
        "operation": step.operation.as_str(),
        "changes": step.items,
        "kind": match step.kind { StepKind::Final => "final", StepKind::Interim => "interim" },
        "set": step.set.iter().map(set_of).collect::<Map<_, _>>(),
        "dependsOn": step.depends_on,
    })
}

fn source(source: &ChangeSource) -> Value {
    match source {
        ChangeSource::File { file, line } => json!({ "file": &**file, "line": line }),
        ChangeSource::Rule { rule } => json!({ "rule": &**rule }),
    }
}

fn warning(warning: &Warning) -> Value {
    let mut value = json!({ "code": &*warning.code, "message": &*warning.message });
    if let (Some(file), Some(line)) = (&warning.file, warning.line) {
        value["file"] = (&**file).into();
        value["line"] = line.into();
    }
    value
}

pub fn result(view: &ResultView) -> Value {
    let statistics = view.outcome.statistics;
    document(
        "result",
        json!({
            "plan": plan_body(&view.plan),
            "outcome": view.class.as_str(),
            "summary": {
                "applied": view.count(ChangeStatus::Applied),
                "failed": view.count(ChangeStatus::Failed),
                "skipped": view.count(ChangeStatus::Skipped),
                "notStarted": view.count(ChangeStatus::NotStarted),
                "unknown": view.count(ChangeStatus::Unknown),
                "unchanged": view.plan.unchanged,
                "writes": statistics.writes,
                "requests": statistics.requests,
                "retries": statistics.retries,
                "rateLimited": statistics.rate_limited,
                "elapsedMs": view.outcome.elapsed.as_millis() as u64,
            },
            "results": view.networks.iter().map(network).collect::<Vec<_>>(),
            "verification": match &view.outcome.verification {
                Verification::Skipped => json!({ "done": false }),
                Verification::Completed => json!({ "done": true }),
                Verification::Failed(failure) => json!({ "done": false, "error": failure.to_string() }),
            },
            "stopped": view.outcome.stopped.map(super::text::stop_reason),
            "licences": licences(&view.licences),
            "journal": view.journal,
        }),
    )
}

fn network(network: &super::view::NetworkView) -> Value {
    let result = &network.result;
    let status = match result.status {
        ChangeStatus::Applied => "applied",
        ChangeStatus::Failed => "failed",
        ChangeStatus::Skipped => "skipped",
        ChangeStatus::NotStarted => "notStarted",
        ChangeStatus::Unknown => "unknown",
    };
    let mut value = json!({
        "location": { "id": network.location.as_str(), "name": network.location_name },
        "network": { "id": network.network_id, "name": network.network_name },
        "action": action(network.action),
        "kind": kind(network.kind),
        "status": status,
        "verified": result.verified,
    });
    if let Some(device) = &network.device {
        value[kind(device.kind)] = device_json(device);
    }
    if let Some(former_id) = &network.former_id {
        value["formerId"] = former_id.as_str().into();
    }
    if let Some(blocked_by) = &network.blocked_by {
        value["blockedBy"] = blocked_by.as_str().into();
    }
    if !network.current_settings.is_empty() {
        value["currentSettings"] = network.current_settings.iter().map(set_of).collect::<Map<_, _>>().into();
    }
    if !result.mismatched_settings.is_empty() {
        value["mismatched"] = result.mismatched_settings.iter().map(|setting| setting.api_name()).collect();
    }
    if !network.found.is_empty() {
        value["found"] = network.found.iter().map(set_of).collect::<Map<_, _>>().into();
    }
    if let Some(error) = &result.error {
        value["error"] = json!({ "message": error.message, "status": error.status, "trackingId": error.tracking_id });
    }
    value
}

pub fn runs(runs: &[RunHistory], running: &[bool]) -> Value {
    let run = |(run, running): (&RunHistory, &bool)| {
        json!({
            "run": run.run,
            "startedAt": run.started_at.to_string(),
            "outcome": run.outcome.map(RunOutcome::as_str),
            "changes": run.changes,
            "networksWritten": run.networks_written,
            "changesWritten": run.changes_written,
            "running": running,
            "resumes": run.identity.resumes,
            "undoes": run.identity.undoes,
        })
    };
    document("runs", json!({ "runs": runs.iter().zip(running).map(run).collect::<Vec<_>>() }))
}

pub fn status(status: &DriftReport) -> Value {
    let never = |(network, handset): &(String, String)| json!({ "network": network, "handset": handset });
    let location = |location: &LocationStatus| {
        json!({
            "location": { "id": location.id.as_str(), "name": location.name },
            "networks": location.managed,
            "drifted": location.drifted,
            "lastInSync": location.last_in_sync.map(|at| at.to_string()),
        })
    };
    document(
        "status",
        json!({
            "summary": {
                "locations": status.locations.len(),
                "networks": status.managed(),
                "drifted": status.drifted(),
                "unmanaged": status.unmanaged,
                "unmanagedBaseStations": status.unmanaged_base_stations,
                "unmanagedHandsets": status.unmanaged_handsets,
                "neverRegistered": status.never_registered.len(),
            },
            "neverRegistered": status.never_registered.iter().map(never).collect::<Vec<_>>(),
            "locations": status.locations.iter().map(location).collect::<Vec<_>>(),
        }),
    )
}

pub fn rehearsal(view: &RehearsalView) -> Value {
    let RehearsalView { result, params, elapsed, success } = view;
    let statistics = result.outcome.statistics;
    document(
        "rehearsal",
        json!({
            "plan": plan_body(&result.plan),
            "success": success,
            "conditions": {
                "limit": params.limit.to_string(),
                "latencyMs": params.latency.as_millis() as u64,
                "concurrency": params.concurrency,
            },
            "summary": {
                "writes": statistics.writes,
                "requests": statistics.requests,
                "rateLimited": statistics.rate_limited,
                "pauses": statistics.pauses,
                "pausedMs": statistics.paused.as_millis() as u64,
                "elapsedMs": elapsed.as_millis() as u64,
            },
            "results": result.networks.iter().filter(|one| one.needs_attention()).map(network).collect::<Vec<_>>(),
        }),
    )
}

pub fn auth(view: &AuthView) -> Value {
    let error =
        |error: &ApiError| json!({ "message": error.message, "status": error.status, "trackingId": error.tracking_id });
    let me = match &view.me {
        Ok(me) => json!({ "name": me.name, "email": me.email, "organization": me.org }),
        Err(failed) => json!({ "error": error(failed) }),
    };
    let read = match &view.list {
        Ok((networks, locations)) => json!({ "ok": true, "networks": networks, "locations": locations }),
        Err(failed) => json!({ "ok": false, "reason": list_error_reason(failed), "error": error(failed) }),
    };
    let locations = match &view.locations {
        Ok(count) => json!({ "ok": true, "locations": count }),
        Err(failed) => json!({ "ok": false, "reason": LOCATIONS_HINT, "error": error(failed) }),
    };
    document(
        "auth",
        json!({
            "source": view.source,
            "owner": me,
            "expires": view.expires.map(|at| at.to_string()),
            "read": read,
            "locations": locations,
            "write": { "ok": null, "reason": WRITE_SCOPE_HINT },
        }),
    )
}

pub fn validation(
    files: usize,
    locations: usize,
    networks: usize,
    diagnostics: &Diagnostics,
    sources: &Sources,
) -> Value {
    document(
        "validation",
        json!({
            "valid": !diagnostics.has_errors(),
            "summary": { "files": files, "locations": locations, "networks": networks },
            "diagnostics": all_diagnostics(diagnostics, sources),
        }),
    )
}

pub fn error(message: &str, diagnostics: Option<(&Diagnostics, &Sources)>) -> Value {
    let diagnostics = diagnostics.map_or_else(Vec::new, |(diagnostics, sources)| all_diagnostics(diagnostics, sources));
    document("error", json!({ "message": message, "diagnostics": diagnostics }))
}

fn all_diagnostics(diagnostics: &Diagnostics, sources: &Sources) -> Vec<Value> {
    diagnostics.iter().map(|diagnostic| one_diagnostic(diagnostic, sources)).collect()
}

fn one_diagnostic(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let place = diagnostic.span.map(|span| sources.resolve(span));
    let file = place.as_ref().map(|place| place.file.to_string()).or_else(|| diagnostic.file.clone());
    let related: Vec<Value> = diagnostic
        .related
        .iter()
        .map(|related| {
            let place = sources.resolve(related.span);
            json!({ "message": related.message, "file": &*place.file, "line": place.line, "column": place.column })
        })
        .collect();
    json!({
        "code": diagnostic.code.as_str(),
        "severity": match diagnostic.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "message": diagnostic.message,
        "file": file,
        "line": place.as_ref().map(|place| place.line),
        "column": place.as_ref().map(|place| place.column),
        "help": diagnostic.help,
        "related": related,
    })
}

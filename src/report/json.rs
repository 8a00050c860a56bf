//! JSON documents. Each has `formatVersion` and `kind`; `schema` derives their schemas, which are in `docs/schemas`, too.

use serde::Serialize;
use serde_json::Value;

use super::auth::{AuthView, LOCATIONS_HINT, WRITE_SCOPE_HINT, list_error_reason};
use super::documents::{
    AuthDocument, ChangeDocument, ChangeResultDocument, Conditions, ContentDocument, DeviceDocument,
    DiagnosticDocument, DifferenceDocument, ErrorDocument, FieldChange, Fields, FoundDocument, FoundThing,
    LocationStatusDocument, NetworkDocument, NeverRegistered, OrganizationDocument, OrganizationsDocument, Owner,
    PlanDocument, ReadAccess, RehearsalDocument, RehearsalSummary, RelatedDocument, ResultDocument, RunDocument,
    RunState, RunsDocument, StatusDocument, StepDocument, ValidationDocument, ValidationSummary, VerificationDocument,
    WriteAccess, new_value,
};
use super::found::FoundView;
use super::organizations::OrganizationView;
use super::overview::Overview;
use super::rehearsal::RehearsalView;
use super::summary::StatusSummary;
use super::view::{ChangeView, LocationView, NetworkView, PlanView, ResultView, StepView};
use crate::apply::Verification;
use crate::diagnostic::{Diagnostic, Diagnostics, Sources};
use crate::model::LocationId;
use crate::plan::model::{ChangeAction, LocationRef, ResourceKind};
use crate::reconcile::{DriftReport, LocationStatus};
use crate::storage::RunHistory;
use crate::storage::journal::UndoneRuns;

pub use super::documents::FORMAT_VERSION;

/// A document with what every one has.
fn document(kind: &str, body: &impl Serialize) -> Value {
    // Structs of texts and numbers always serialize.
    let mut document = serde_json::to_value(body).unwrap_or_default();
    document["formatVersion"] = FORMAT_VERSION.into();
    document["kind"] = kind.into();
    document
}

pub fn text(document: &impl Serialize) -> String {
    // Values always serialize.
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

pub fn plan(view: &PlanView) -> Value {
    document("plan", &plan_document(view))
}

fn plan_document(view: &PlanView) -> PlanDocument {
    let of_location = |location: &LocationView| {
        location.changes.iter().map(|change| change_document(location, change)).collect::<Vec<_>>()
    };
    PlanDocument {
        organization: view.organization.clone(),
        summary: view.summary.clone(),
        changes: view.locations.iter().flat_map(of_location).collect(),
        steps: view.steps.iter().map(step).collect(),
        protections: view.protections.clone(),
        warnings: view.warnings.clone(),
        licences: view.licences.clone(),
    }
}

fn location_ref(id: &LocationId, name: &str) -> LocationRef {
    LocationRef { id: id.clone(), name: name.into() }
}

fn change_document(location: &LocationView, change: &ChangeView) -> ChangeDocument {
    let is_deletion = change.kind == ResourceKind::Network && change.action == ChangeAction::Delete;
    let contents = is_deletion.then(|| change.contents.iter().map(ContentDocument::from).collect());
    ChangeDocument {
        location: location_ref(&location.id, &location.name),
        network: NetworkDocument { id: change.network_id.clone(), name: change.name.clone() },
        action: change.action,
        kind: change.kind,
        reason: change.reason(),
        fields: Fields::of(&change.fields, |field| FieldChange::from(field)),
        source: change.source.clone(),
        device: DeviceDocument::of(change.device.as_ref()),
        contents,
        replaced_by: change.replaced_by.clone(),
    }
}

fn step(step: &StepView) -> StepDocument {
    StepDocument {
        location: step.location.to_string(),
        network: step.network.clone(),
        operation: step.operation,
        changes: step.items.clone(),
        kind: step.kind,
        set: Fields::of(&step.set, new_value),
        depends_on: step.depends_on.clone(),
    }
}

pub fn result(view: &ResultView) -> Value {
    let (done, error) = match &view.outcome.verification {
        Verification::Skipped => (false, None),
        Verification::Completed => (true, None),
        Verification::Failed(failure) => (false, Some(failure.to_string())),
    };
    let result = ResultDocument {
        plan: plan_document(&view.plan),
        outcome: view.class,
        summary: view.summary.clone(),
        results: view.networks.iter().map(change_result).collect(),
        verification: VerificationDocument { done, error },
        stopped: view.outcome.stopped.map(|reason| super::text::stop_reason(reason).to_owned()),
        one_write_at_a_time: view.one_write_at_a_time().into_iter().map(str::to_owned).collect(),
        licences: view.licences.clone(),
        journal: view.journal.clone(),
    };
    document("result", &result)
}

fn change_result(network: &NetworkView) -> ChangeResultDocument {
    let result = &network.result;
    ChangeResultDocument {
        location: location_ref(&network.location, &network.location_name),
        network: NetworkDocument { id: network.network_id.clone(), name: network.network_name.clone() },
        action: network.action,
        kind: network.kind,
        status: result.status,
        source: network.source.clone(),
        verified: result.verified,
        device: DeviceDocument::of(network.device.as_ref()),
        former_id: network.former_id.clone(),
        blocked_by: network.blocked_by.clone(),
        current_settings: Fields::of(&network.left_as, new_value).some(),
        mismatched: result.mismatched.clone(),
        found: Fields::of(&network.found, new_value).some(),
        error: result.error.as_ref().map(Into::into),
    }
}

pub fn runs(runs: &[RunHistory], running: &[bool]) -> Value {
    let mut undone = UndoneRuns::default();
    let run = |(run, running): (&RunHistory, &bool)| RunDocument {
        run: run.run.clone(),
        started_at: run.started_at.to_string(),
        outcome: match (running, run.outcome) {
            (true, _) => RunState::Running,
            (false, Some(outcome)) => outcome.into(),
            (false, None) => RunState::Killed,
        },
        command: run.identity.command.clone(),
        locations: run.identity.locations.iter().map(ToString::to_string).collect(),
        changes: run.changes,
        networks_written: run.networks_written,
        changes_written: run.changes_written,
        changes_open: run.changes_open,
        running: *running,
        api: Some(run.identity.target.api.clone()).filter(|api| !api.is_empty()),
        org: run.identity.target.org.clone(),
        simulated: run.identity.target.simulated,
        resumes: run.identity.resumes.clone(),
        undoes: run.identity.undoes.clone(),
        undone_by: undone.pass(run).map(|undo| undo.run),
    };
    document("runs", &RunsDocument { runs: runs.iter().zip(running).map(run).collect() })
}

pub fn status(status: &DriftReport) -> Value {
    let never =
        |(network, handset): &(String, String)| NeverRegistered { network: network.clone(), handset: handset.clone() };
    let location = |location: &LocationStatus| LocationStatusDocument {
        location: location_ref(&location.id, &location.name),
        networks: location.managed,
        drifted: location.drifted().into_iter().map(str::to_owned).collect(),
        differences: location.differences.iter().map(DifferenceDocument::from).collect(),
        last_in_sync: location.last_in_sync.map(|at| at.to_string()),
    };
    let status = StatusDocument {
        summary: StatusSummary::of(status),
        locations: status.locations.iter().map(location).collect(),
        never_registered: status.never_registered.iter().map(never).collect(),
        problems: status.problems.clone(),
    };
    document("status", &status)
}

pub fn rehearsal(view: &RehearsalView) -> Value {
    let RehearsalView { result, params, elapsed, success } = view;
    let statistics = result.outcome.statistics;
    let rehearsal = RehearsalDocument {
        plan: plan_document(&result.plan),
        success: *success,
        conditions: Conditions {
            limit: params.limit.to_string(),
            latency_ms: params.latency.as_millis() as u64,
            concurrency: params.concurrency,
        },
        summary: RehearsalSummary {
            writes: statistics.writes,
            requests: statistics.requests,
            rate_limited: statistics.rate_limited,
            pauses: statistics.pauses,
            paused_ms: statistics.paused.as_millis() as u64,
            elapsed_ms: elapsed.as_millis() as u64,
        },
        results: result.networks.iter().filter(|one| one.needs_attention()).map(change_result).collect(),
    };
    document("rehearsal", &rehearsal)
}

pub fn auth(view: &AuthView) -> Value {
    let denied = |reason, error| ReadAccess { ok: false, networks: None, locations: None, reason: Some(reason), error };
    let allowed =
        |networks, locations| ReadAccess { ok: true, networks, locations: Some(locations), reason: None, error: None };
    let auth = AuthDocument {
        source: view.source.clone(),
        owner: match &view.me {
            Ok(me) => Owner::Known { name: me.name.clone(), email: me.email.clone(), organization: me.org.clone() },
            Err(error) => Owner::Unknown { error: error.into() },
        },
        expires: view.expires.map(|at| at.to_string()),
        read: match &view.list {
            Ok((networks, locations)) => allowed(Some(*networks), *locations),
            Err(error) => denied(list_error_reason(error), Some(error.into())),
        },
        locations: match &view.locations {
            Ok(count) => allowed(None, *count),
            Err(error) => denied(LOCATIONS_HINT, Some(error.into())),
        },
        write: WriteAccess { ok: (), reason: WRITE_SCOPE_HINT },
    };
    document("auth", &auth)
}

pub fn organizations(organizations: &[OrganizationView]) -> Value {
    let one = |one: &OrganizationView| OrganizationDocument {
        org: one.id.clone(),
        name: one.name.clone(),
        files: one.files.clone(),
    };
    document("organizations", &OrganizationsDocument { organizations: organizations.iter().map(one).collect() })
}

pub fn found(found: &[FoundView]) -> Value {
    let one = |one: &FoundView| FoundThing {
        location: one.location.clone(),
        network: NetworkDocument { id: Some(one.network_id.clone()), name: one.network_name.clone() },
        kind: one.kind,
        device: DeviceDocument::of(one.device.as_ref()),
        fields: Fields::of(&one.fields, new_value),
        matched: one.matched.clone(),
        last_registration: one.last_registration.map(|at| at.to_string()),
    };
    document("found", &FoundDocument { found: found.iter().map(one).collect() })
}

pub fn overview(overview: &Overview) -> Value {
    document("report", overview)
}

pub fn validation(
    files: usize,
    locations: usize,
    networks: usize,
    diagnostics: &Diagnostics,
    sources: &Sources,
) -> Value {
    let validation = ValidationDocument {
        valid: !diagnostics.has_errors(),
        summary: ValidationSummary { files, locations, networks },
        diagnostics: all_diagnostics(diagnostics, sources),
    };
    document("validation", &validation)
}

pub fn error(message: &str, diagnostics: Option<(&Diagnostics, &Sources)>) -> Value {
    let diagnostics = diagnostics.map_or_else(Vec::new, |(diagnostics, sources)| all_diagnostics(diagnostics, sources));
    document("error", &ErrorDocument { message: message.to_owned(), diagnostics })
}

fn all_diagnostics(diagnostics: &Diagnostics, sources: &Sources) -> Vec<DiagnosticDocument> {
    diagnostics.iter().map(|diagnostic| one_diagnostic(diagnostic, sources)).collect()
}

fn one_diagnostic(diagnostic: &Diagnostic, sources: &Sources) -> DiagnosticDocument {
    let place = diagnostic.span.map(|span| sources.resolve(span));
    let related = diagnostic.related.iter().map(|related| {
        let place = sources.resolve(related.span);
        RelatedDocument {
            message: related.message.clone(),
            file: place.file.to_string(),
            line: place.line,
            column: place.column,
        }
    });
    DiagnosticDocument {
        code: diagnostic.code.as_str(),
        severity: diagnostic.severity,
        message: diagnostic.message.clone(),
        file: place.as_ref().map(|place| place.file.to_string()).or_else(|| diagnostic.file.clone()),
        line: place.as_ref().map(|place| place.line),
        column: place.as_ref().map(|place| place.column),
        help: diagnostic.help.clone(),
        related: related.collect(),
    }
}

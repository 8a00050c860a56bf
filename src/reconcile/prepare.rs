//! Prepares a plan: lists the live state, plans, and checks the plan.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::error::{Error, UnreadDevices};
use super::inputs::{Inputs, InvalidInput};
use super::organization::{foreign_ids, is_foreign};
use super::read_devices::{Patience, read_for_plan, read_locations, read_members, read_readable_devices};
use crate::client::{ApiClient, Priority};
use crate::desired::model::Desired;
use crate::desired::{RuleContext, SourceFormat, expand};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, Sources, Span};
use crate::model::{LiveState, NetworkId, NetworkIndex};
use crate::plan::model::{Change, Protections, ResourceKind, ResourceState};
use crate::plan::{self, Matches, RequiredReads, Scope};
use crate::plan_check::{CheckedPlan, check_plan};
use crate::runtime::Instant;
use crate::storage::SavedPlan;

#[derive(Debug)]
pub struct PreparedPlan {
    /// The plan, checked on the listed state.
    pub checked: CheckedPlan,
    pub live: LiveState,
    pub listed: Instant,
}

/// Lists the organization and plans the changes to the desired state of `inputs`.
///
/// # Errors
/// If the list fails, the inputs are invalid for the live state, or the plan fails its safety check.
pub async fn prepare_plan(inputs: &Inputs, scope: &Scope, client: &ApiClient) -> Result<PreparedPlan, Error> {
    let live = client.list_networks(Priority::Normal).await?;
    let listed = client.clock().now();
    prepare_from_list(inputs, scope, live, listed, client).await
}

/// The same from a list that was read at `listed`: reads what the inputs need beside it.
///
/// # Errors
/// If a read fails, the inputs are invalid for the live state, or the plan fails its safety check.
pub async fn prepare_from_list(
    inputs: &Inputs,
    scope: &Scope,
    live: LiveState,
    listed: Instant,
    client: &ApiClient,
) -> Result<PreparedPlan, Error> {
    prepare_when_ready(inputs, scope, live, listed, client, async |_, _| Ok(())).await
}

/// The same; waits for `is_ready` before devices are read.
pub(super) async fn prepare_when_ready(
    inputs: &Inputs,
    scope: &Scope,
    live: LiveState,
    listed: Instant,
    client: &ApiClient,
    is_ready: impl AsyncFn(&RequiredReads, &LiveState) -> Result<(), Error>,
) -> Result<PreparedPlan, Error> {
    let Details { live, unread, matches } = read_details(inputs, scope, live, client, is_ready).await?;
    if !unread.is_empty() {
        return Err(Error::DevicesUnreadable(unread));
    }
    let Planned { checked, .. } = checked_plan(inputs, scope, &live, matches)?;
    Ok(PreparedPlan { checked, live, listed }.with_handset_times(client))
}

impl PreparedPlan {
    /// The same with what the client knows of the time between changes of handsets, for estimates.
    pub(super) fn with_handset_times(self, client: &ApiClient) -> Self {
        let networks = self.checked.plan().changes.iter().filter_map(|change| change.network.id());
        let now = client.clock().now();
        let wait = |network: &NetworkId| Some(client.handsets_free_at(network)?.duration_since(now));
        let waits = networks.filter_map(|network| Some((network.clone(), wait(network)?))).collect();
        Self { checked: self.checked.with_handset_times(client.handset_interval(), waits), ..self }
    }
}

/// All that a plan is made from.
pub(super) struct Details<'a> {
    pub(super) live: LiveState,
    /// Devices that cannot be read.
    pub(super) unread: Vec<UnreadDevices>,
    pub(super) matches: Matches<'a>,
}

/// Reads what the inputs need beside the list: nothing, unless they speak of devices, creations or deletions.
pub(super) async fn read_details<'a>(
    inputs: &'a Inputs,
    scope: &Scope,
    mut live: LiveState,
    client: &ApiClient,
    is_ready: impl AsyncFn(&RequiredReads, &LiveState) -> Result<(), Error>,
) -> Result<Details<'a>, Error> {
    let mut patience = Patience::default();
    let (unread, matches) = loop {
        read_locations(&mut live, &inputs.desired, client).await.map_err(Error::reading)?;
        let matches = Matches::of(&inputs.desired, &live);
        let mut reads = plan::required_reads(&matches, scope, &live);
        is_ready(&reads, &live).await?;
        // What was just read with the list is not read again.
        reads.retain(ResourceKind::BaseStation, |at| live.base_stations(*at).is_none());
        reads.retain(ResourceKind::Handset, |at| live.handsets(*at).is_none());
        let unread = read_readable_devices(&mut live, reads, client).await?;
        if !patience.lists_again(&unread, client).await {
            break (unread, matches);
        }
        live = client.list_networks(Priority::Normal).await?;
    };
    let locations = plan::required_members(&matches, scope, &live);
    read_members(&mut live, locations, client).await.map_err(Error::reading)?;
    Ok(Details { live, unread, matches })
}

/// Plans the changes from a given live state.
///
/// # Errors
/// If the inputs are invalid for the live state, or the plan fails its safety check.
pub fn plan_from_live(inputs: &Inputs, scope: &Scope, live: LiveState, listed: Instant) -> Result<PreparedPlan, Error> {
    let Planned { checked, .. } = checked_plan(inputs, scope, &live, Matches::of(&inputs.desired, &live))?;
    Ok(PreparedPlan { checked, live, listed })
}

/// A checked plan, and what its files manage.
pub(super) struct Planned {
    pub(super) checked: CheckedPlan,
    pub(super) managed: HashSet<NetworkIndex>,
}

/// The changes from a given live state, checked.
pub(super) fn checked_plan(
    inputs: &Inputs,
    scope: &Scope,
    live: &LiveState,
    matches: Matches<'_>,
) -> Result<Planned, Error> {
    let mut diagnostics = Diagnostics::new();
    let expanded = expand_rules(&inputs.desired, &matches, scope, live, &mut diagnostics);
    if inputs.strict {
        diagnostics.promote_warnings();
    }
    let desired = expanded.as_ref().unwrap_or(&inputs.desired);
    let matches = expanded.as_ref().map_or(matches, |expanded| Matches::of(expanded, live));
    let entries = desired.locations.iter().flat_map(|location| &location.entries);
    let requested_names = entries.filter_map(|entry| entry.desired.name.as_ref()).map(|name| name.as_str());
    Error::check_scope(scope, live, requested_names)?;
    let mut unprotected = Diagnostics::new();
    let protections = plan::protections(&matches, live, &inputs.sources, &mut unprotected);
    let built = plan::build_scoped(&matches, scope, live, &inputs.sources).and_then(|plan| {
        diagnostics.extend(unprotected);
        let mut damaged = damaged_names(&plan.changes, desired, &inputs.sources);
        if inputs.strict {
            damaged.promote_warnings();
        }
        diagnostics.append(damaged);
        if diagnostics.has_errors() { Err(Diagnostics::new()) } else { Ok(plan) }
    });
    match built {
        Ok(mut plan) => {
            let from_files = inputs.warnings.iter().chain(&diagnostics);
            let from_files = from_files.map(|diagnostic| plan::warning(diagnostic, &inputs.sources));
            plan.warnings.splice(0..0, from_files);
            plan.organization.clone_from(&inputs.organization);
            plan.protections.clone_from(&inputs.protections);
            plan.protections.met.extend(protections);
            plan.protections.retain_met(&plan.changes, Timestamp::now());
            Ok(Planned { checked: check_plan(plan, live)?, managed: matches.networks() })
        }
        Err(from_plan) => {
            if let Some(error) = foreign_ids(desired, live, &inputs.sources) {
                return Err(error);
            }
            let mut all = inputs.warnings.clone();
            // A temporary name is reported once.
            let known = diagnostics.iter().any(|diagnostic| diagnostic.code == DiagnosticCode::LeftoverTemporaryName);
            diagnostics.extend(
                from_plan
                    .into_iter()
                    .filter(|diagnostic| !known || diagnostic.code != DiagnosticCode::LeftoverTemporaryName),
            );
            diagnostics.prefix_csv_cells(&inputs.sources);
            all.append(diagnostics);
            all.sort();
            Err(Error::InvalidInput(Box::new(InvalidInput { diagnostics: all, sources: inputs.sources.clone() })))
        }
    }
}

/// What files that are not planned protect, for a plan that is made without them.
///
/// # Errors
/// If one of their locations or networks does not exist.
pub fn protections_of(files: &Inputs, live: &LiveState) -> Result<Protections, Error> {
    let matches = Matches::of(&files.desired, live);
    let mut diagnostics = Diagnostics::new();
    let met = plan::protections(&matches, live, &files.sources, &mut diagnostics);
    diagnostics.append(matches.diagnostics(live, |_| true));
    if diagnostics.has_errors() {
        let sources = files.sources.clone();
        return Err(Error::InvalidInput(Box::new(InvalidInput { diagnostics, sources })));
    }
    Ok(Protections { met, allowed: Vec::new() })
}

/// Reports names that equal the live ones but for what spreadsheets and editors do to them: leading zeros that are gone from
/// a table, and text that was read in another encoding.
fn damaged_names(changes: &[Change], desired: &Desired, sources: &Sources) -> Diagnostics {
    let damaged: Vec<_> = changes.iter().filter_map(|change| Some((change.source.place(), damage(change)?))).collect();
    if damaged.is_empty() {
        return Diagnostics::new();
    }
    let entries = desired.entries().flat_map(|entry| {
        let things = entry.devices.asked_of_things().map(|(span, _)| span);
        std::iter::once(entry.span()).chain(things)
    });
    let at_place: HashMap<(Arc<str>, u32), Span> = entries
        .map(|span| {
            let at = sources.resolve(span);
            ((at.file, at.line), span)
        })
        .collect();
    let located = damaged.into_iter().map(|((file, line), (code, message))| {
        let span = file.cloned().zip(line).and_then(|place| at_place.get(&place));
        Diagnostic::warning(code, message).with_optional_span(span.copied())
    });
    located.collect()
}

fn damage(change: &Change) -> Option<(DiagnosticCode, String)> {
    let names = |state: Option<&ResourceState>| -> [Option<Arc<str>>; 2] {
        match state {
            Some(ResourceState::Network { settings, .. }) => {
                [Some(settings.name.clone()), settings.display_name.as_ref().map(|name| name.to_string().into())]
            }
            Some(ResourceState::Handset(handset)) => [handset.display_name().map(|name| name.to_string().into()), None],
            _ => [None, None],
        }
    };
    let (file, _) = change.source.place();
    let is_table = file.is_some_and(|file| SourceFormat::of(file) == SourceFormat::Csv);
    let pairs = names(change.before.as_ref()).into_iter().zip(names(change.after.as_ref()));
    pairs.filter_map(|(before, after)| Some((before?, after?))).find_map(|(before, after)| {
        let is_number = !after.is_empty() && after.bytes().all(|byte| byte.is_ascii_digit());
        if is_table && is_number && before != after && before.trim_start_matches('0') == &*after {
            let message = format!("{before:?} would lose its leading zeros, probably removed by a spreadsheet");
            return Some((DiagnosticCode::LeadingZerosLost, message));
        }
        let message = format!("{before:?} would become {after:?}, which is the same name read in the wrong encoding; save the file as UTF-8");
        is_misread(&before, &after).then_some((DiagnosticCode::WrongEncoding, message))
    })
}

/// Whether a text is UTF-8 that was read as one of the encodings of Excel, perhaps twice.
fn is_misread(original: &str, text: &str) -> bool {
    !original.is_ascii()
        && [encoding_rs::WINDOWS_1252, encoding_rs::MACINTOSH].into_iter().any(|encoding| {
            let once = encoding.decode_without_bom_handling(original.as_bytes()).0;
            once == text || encoding.decode_without_bom_handling(once.as_bytes()).0 == text
        })
}

/// Expands rules into entries, if there are rules.
pub(super) fn expand_rules(
    desired: &Desired,
    matches: &Matches<'_>,
    scope: &Scope,
    live: &LiveState,
    diagnostics: &mut Diagnostics,
) -> Option<Desired> {
    if desired.rules.is_empty() {
        return None;
    }
    let managed_networks = matches.networks_with_settings_entries();
    let mut desired = desired.clone();
    let context = RuleContext {
        live,
        is_managed: &|network| managed_networks.contains(&network),
        has_location: &|name| scope.includes_location(name),
        has_network: &|before, after| scope.includes_network(before, after),
        is_temporary_name: &plan::is_temporary,
    };
    expand(&mut desired, context, diagnostics);
    Some(desired)
}

/// Resumes a saved plan: lists the organization, drops what is done, and checks the rest.
///
/// # Errors
/// If the list fails, the affected networks have drifted, or the rest fails its safety check.
pub async fn resume_saved_plan(saved: &SavedPlan, client: &ApiClient) -> Result<PreparedPlan, Error> {
    // The recorded plan must be consistent in itself, independent of the live state.
    check_plan(saved.plan.clone(), &plan::reconstruct_base_state(&saved.plan))?;
    let listed = client.clock().now();
    let live = read_for_plan(&saved.plan, client).await?;
    let drifted = |drift| if is_foreign(&saved.plan, &live) { Error::ForeignPlan } else { Error::Drift(drift) };
    let mut rest = plan::resume(&saved.plan, &live).map_err(drifted)?;
    rest.protections.retain_met(&rest.changes, Timestamp::now());
    let checked = check_plan(rest, &live).map_err(Error::PlanOutdated)?;
    Ok(PreparedPlan { checked, live, listed }.with_handset_times(client))
}

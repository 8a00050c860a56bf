//! The live state, and a plan from there to the desired one that has been proved on it.

use super::error::Error;
use super::inputs::{Inputs, Rejected};
use crate::client::{ApiClient, Priority};
use crate::desired::model::Desired;
use crate::desired::{RuleContext, expand};
use crate::diagnostic::{DiagnosticCode, Diagnostics};
use crate::model::LiveState;
use crate::plan::plan::{Because, Change, Warning};
use crate::plan::{self, Scope};
use crate::proof::{Proven, prove};
use crate::record::SavedPlan;
use crate::runtime::Instant;

/// What would be done.
#[derive(Debug)]
pub struct Proposal {
    /// The plan, proved on the state that was listed.
    pub proven: Proven,
    /// That state.
    pub live: LiveState,
    /// When it was listed.
    pub listed: Instant,
}

/// Lists the organization and plans the way to what `inputs` ask for.
///
/// # Errors
/// If it cannot be listed, if the wishes do not fit it, or if the plan cannot be proved.
pub async fn propose(inputs: &mut Inputs, scope: &Scope, client: &ApiClient) -> Result<Proposal, Error> {
    let live = client.list(Priority::Normal).await?;
    plan_for(inputs, scope, live, client.clock().now())
}

/// Plans the way from a state that was listed at a moment.
///
/// # Errors
/// If the wishes do not fit it, or if the plan cannot be proved.
pub fn plan_for(inputs: &mut Inputs, scope: &Scope, live: LiveState, listed: Instant) -> Result<Proposal, Error> {
    let mut diagnostics = Diagnostics::new();
    let expanded = expanded(&inputs.desired, scope, &live, &mut diagnostics);
    let desired = expanded.as_ref().unwrap_or(&inputs.desired);
    let built = plan::build_within(scope, desired, &live, &inputs.sources)
        .and_then(|plan| if diagnostics.has_errors() { Err(Diagnostics::new()) } else { Ok(plan) });
    match built {
        Ok(mut plan) => {
            let from_files = inputs.warnings.iter().chain(&diagnostics);
            let from_files = from_files.map(|diagnostic| plan::warning(diagnostic, &inputs.sources));
            plan.warnings.splice(0..0, from_files);
            let eaten: Vec<Warning> = plan.changes.iter().filter_map(leading_zeros_lost).collect();
            plan.warnings.extend(eaten);
            let proven = prove(plan, &live)?;
            Ok(Proposal { proven, live, listed })
        }
        Err(from_plan) => {
            let mut all = inputs.warnings.clone();
            // A network that stands aside is reported once.
            let known = diagnostics.iter().any(|diagnostic| diagnostic.code == DiagnosticCode::LeftoverTemporaryName);
            diagnostics.extend(
                from_plan
                    .into_iter()
                    .filter(|diagnostic| !known || diagnostic.code != DiagnosticCode::LeftoverTemporaryName),
            );
            diagnostics.prefix_csv_cells(&inputs.sources);
            all.append(diagnostics);
            all.sort();
            let sources = std::mem::take(&mut inputs.sources);
            Err(Error::Rejected(Box::new(Rejected { diagnostics: all, sources })))
        }
    }
}

/// A name from a table that is the live one without the zeros at its front.
fn leading_zeros_lost(change: &Change) -> Option<Warning> {
    let Because::File { file, line } = &change.because else { return None };
    let is_table = std::path::Path::new(&**file).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    let eaten = |before: Option<&str>, after: Option<&str>| {
        let (before, after) = (before?, after?);
        let digits = !after.is_empty() && after.bytes().all(|byte| byte.is_ascii_digit());
        (digits && before != after && before.trim_start_matches('0') == after).then(|| before.to_owned())
    };
    let (before, after) = (&change.before, &change.after);
    let was = eaten(Some(&before.name), Some(&after.name))
        .or_else(|| eaten(before.display_name.as_deref(), after.display_name.as_deref()))
        .filter(|_| is_table)?;
    let message = format!("{was:?} would lose the zeros at its front: a spreadsheet has probably eaten them");
    Some(Warning {
        code: DiagnosticCode::LeadingZerosLost.as_str().into(),
        message: message.into(),
        file: Some(file.clone()),
        line: Some(*line),
    })
}

/// The wishes with an entry for every network that a rule matches, if there are rules.
pub(super) fn expanded(
    desired: &Desired,
    scope: &Scope,
    live: &LiveState,
    diagnostics: &mut Diagnostics,
) -> Option<Desired> {
    if desired.rules.is_empty() {
        return None;
    }
    let spoken_for = plan::spoken_for(desired, live);
    let mut desired = desired.clone();
    let context = RuleContext {
        live,
        is_managed: &|network| spoken_for.contains(&network),
        has_location: &|name| scope.has_location(name),
        has_network: &|before, after| scope.has_network(before, after),
        is_temporary_name: &plan::is_temporary,
    };
    expand(&mut desired, context, diagnostics);
    Some(desired)
}

/// Goes on with a saved plan: lists the organization, leaves out what is done, and proves the rest.
///
/// # Errors
/// If it cannot be listed, if anything has moved that the plan depends on, or if the rest cannot be proved.
pub async fn go_on_with(saved: &SavedPlan, client: &ApiClient) -> Result<Proposal, Error> {
    // What was recorded must be sound in itself, whatever has become of the organization.
    prove(saved.plan.clone(), &plan::recorded_state(&saved.plan))?;
    let live = client.list(Priority::Normal).await?;
    let listed = client.clock().now();
    let rest = plan::resume(&saved.plan, &live).map_err(Error::Moved)?;
    let proven = prove(rest, &live)?;
    Ok(Proposal { proven, live, listed })
}

//! What can be wrong with a plan, named at the first step that shows it.

use crate::model::{LocationId, NetworkId, Setting};

/// Why a plan must not be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanViolation {
    /// A change names a network that is not in its location.
    #[error("network {network} is not in location {location}")]
    NoSuchNetwork { location: LocationId, network: NetworkId },
    /// A change begins at another state than the network is in.
    #[error("network {network}: `{}` is not what the plan starts from", setting.api_name())]
    StateMismatch { network: NetworkId, setting: Setting },
    #[error("network {network} has two changes")]
    DuplicateChange { network: NetworkId },
    /// A change says that settings differ which do not, or the other way round.
    #[error("network {network}: the list of changed settings is wrong")]
    WrongDiff { network: NetworkId },
    /// A step belongs to no change of the plan.
    #[error("step {step} belongs to no change")]
    DanglingStep {
        /// Which step, from 0.
        step: usize,
    },
    /// A step waits for one that does not come before it.
    #[error("step {step} waits for step {dependency}, which does not come before it")]
    DependencyOrder {
        /// Which step, from 0.
        step: usize,
        dependency: usize,
    },
    /// A step would set a value that Webex does not take.
    #[error("step {step} sets `{}` to a value that is not valid", setting.api_name())]
    InvalidValue {
        /// Which step, from 0.
        step: usize,
        setting: Setting,
    },
    /// A request would lack a setting that the schema demands.
    #[error("step {step} does not carry `{}`", setting.api_name())]
    MissingSetting {
        /// Which step, from 0.
        step: usize,
        setting: Setting,
    },
    /// What a step says it sets is not what it sets.
    #[error("step {step} sets something else than it says")]
    SettingsMismatch {
        /// Which step, from 0.
        step: usize,
    },
    /// A network would not end as wanted, or go on after its end.
    #[error("network {network} does not end as the plan says")]
    WrongFinalState { network: NetworkId },
    /// Two networks of a location could hold one name or code at the same time.
    #[error("step {step} gives {network} the `{}` that {other} may still hold", setting.api_name())]
    Collision {
        /// The step that takes the value, from 0.
        step: usize,
        network: NetworkId,
        /// The network that may still hold it.
        other: NetworkId,
        setting: Setting,
    },
}

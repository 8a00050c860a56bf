//! Violations of a plan.

use crate::model::{LocationId, NetworkId, Setting};

/// Why a plan must not be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanViolation {
    /// A change refers to a network that is not in its location.
    #[error("network {network} is not in location {location}")]
    NoSuchNetwork { location: LocationId, network: NetworkId },
    /// A change starts from a state that is not the current one.
    #[error("network {network}: `{}` is not the value that the plan starts from", setting.api_name())]
    StateMismatch { network: NetworkId, setting: Setting },
    #[error("network {network} has two changes")]
    DuplicateChange { network: NetworkId },
    /// The list of changed settings is wrong.
    #[error("network {network}: the list of changed settings is wrong")]
    WrongDiff { network: NetworkId },
    /// A step belongs to no change of the plan.
    #[error("step {step} belongs to no change")]
    DanglingStep {
        /// Index of the step, 0-based.
        step: usize,
    },
    /// A step depends on one that is not before it.
    #[error("step {step} depends on step {dependency}, which is not before it")]
    DependencyOrder {
        /// Index of the step, 0-based.
        step: usize,
        dependency: usize,
    },
    /// A step sets an invalid value.
    #[error("step {step} sets `{}` to an invalid value", setting.api_name())]
    InvalidValue {
        /// Index of the step, 0-based.
        step: usize,
        setting: Setting,
    },
    /// A request lacks a required setting.
    #[error("step {step} lacks `{}`", setting.api_name())]
    MissingSetting {
        /// Index of the step, 0-based.
        step: usize,
        setting: Setting,
    },
    /// The declared settings of a step are wrong.
    #[error("step {step} sets other settings than it declares")]
    SettingsMismatch {
        /// Index of the step, 0-based.
        step: usize,
    },
    /// A network does not reach its final state, or has steps after it.
    #[error("network {network} does not reach the planned state")]
    WrongFinalState { network: NetworkId },
    /// Two networks of a location could hold the same name or code at the same time.
    #[error("step {step} gives {network} a `{}` that {other} may still hold", setting.api_name())]
    Collision {
        /// Index of the step that takes the value, 0-based.
        step: usize,
        network: NetworkId,
        /// The network that may still hold it.
        other: NetworkId,
        setting: Setting,
    },
}

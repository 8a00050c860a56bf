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
    /// Something does not reach its final state, or has steps after it.
    #[error("change {change} does not reach the planned state")]
    WrongFinalState {
        /// Index of the change, 0-based.
        change: usize,
    },
    /// A change has no network, or a state that no change can have.
    #[error("change {change} is about nothing that can change")]
    DanglingChange {
        /// Index of the change, 0-based.
        change: usize,
    },
    /// A request does something else than its changes say.
    #[error("step {step} does something else than its changes say")]
    WrongOperation {
        /// Index of the step, 0-based.
        step: usize,
    },
    /// A device is added to a network that may not be there yet.
    #[error("step {step} adds a device to a network that may not exist yet")]
    DeviceBeforeNetwork {
        /// Index of the step, 0-based.
        step: usize,
    },
    /// A base station could be in two networks at the same time.
    #[error("step {step} adds base station {address}, which another network may still have")]
    AddressCollision {
        /// Index of the step, 0-based.
        step: usize,
        address: String,
    },
    /// A base station could be removed although the one that replaces it is not there.
    #[error("step {step} removes a base station whose replacement may not be there")]
    ReplacedTooEarly {
        /// Index of the step, 0-based.
        step: usize,
    },
    /// A network could have more base stations than its model allows.
    #[error("step {step} may exceed the number of base stations that the model of its network allows")]
    NoPlace {
        /// Index of the step, 0-based.
        step: usize,
    },
    /// A network could have more lines than its model allows.
    #[error("step {step} exceeds the number of lines that the model of its network allows")]
    TooManyLines {
        /// Index of the step, 0-based.
        step: usize,
    },
    /// A handset could take a line that one of another network still has and is to give up.
    #[error("step {step} takes a line that a handset of another network may still have")]
    LineNotGivenUp {
        /// Index of the step, 0-based.
        step: usize,
    },
    /// A base station that is removed is not listed in its network, or one that is added is.
    #[error("change {change} starts from devices that are not the listed ones")]
    DeviceMismatch {
        /// Index of the change, 0-based.
        change: usize,
    },
    /// A network may be rebooting while something else is written to it.
    #[error("step {step} writes to a network that an earlier step may reboot")]
    AfterReboot {
        /// Index of the step, 0-based.
        step: usize,
    },
    /// Two networks of a location could hold the same name or code at the same time.
    #[error("step {step} gives {network} a `{}` that {other} may still hold", setting.api_name())]
    Collision {
        /// Index of the step that takes the value, 0-based.
        step: usize,
        /// The id of the network, or the name of one that is created.
        network: String,
        /// The network that may still hold it.
        other: String,
        setting: Setting,
    },
}

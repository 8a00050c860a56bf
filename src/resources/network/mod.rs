//! DECT networks.

pub mod calls;
pub(crate) mod compare;
pub mod desired_settings;
pub(crate) mod fields;
pub mod network_model;
pub(crate) mod operations;
pub mod settings;
pub(crate) mod standing;
pub mod state;
pub(crate) mod undo;
mod wire;

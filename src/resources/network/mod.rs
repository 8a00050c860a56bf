//! DECT networks.

pub mod calls;
pub mod compare;
pub mod desired_settings;
pub mod fields;
pub mod network_model;
pub mod operations;
pub mod settings;
pub(crate) mod standing;
pub mod state;
pub(crate) mod undo;
mod wire;

//! Serviceability passwords of networks: whether they are enabled.

pub mod calls;
pub mod compare;
pub(crate) mod entry;
pub mod fields;
pub mod operations;
pub mod parse;
pub(crate) mod standing;
pub mod state;
pub mod steps;
pub(crate) mod undo;
mod wire;
mod write;

//! Base stations of networks.

pub mod calls;
pub(crate) mod compare;
pub(crate) mod entry;
pub(crate) mod fields;
pub mod mac;
pub(in crate::resources) mod merge;
pub(crate) mod operations;
pub(crate) mod parse;
pub(crate) mod places;
pub(crate) mod standing;
pub mod state;
pub(crate) mod steps;
pub(crate) mod undo;
mod wire;
pub(crate) mod write;

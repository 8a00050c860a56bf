//! Base stations of networks.

pub mod calls;
pub mod compare;
pub mod entry;
pub mod fields;
pub mod mac;
pub mod operations;
mod parse;
pub mod places;
pub(crate) mod standing;
pub mod state;
pub mod steps;
pub(crate) mod undo;
mod wire;
mod write;

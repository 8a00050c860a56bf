//! Handsets of networks.

pub mod calls;
pub(crate) mod compare;
pub(crate) mod entry;
pub(crate) mod fields;
pub(crate) mod lines;
pub mod member;
pub(crate) mod members;
pub(in crate::resources) mod merge;
pub(crate) mod operations;
pub(crate) mod parse;
pub(crate) mod rename;
pub(crate) mod standing;
pub mod state;
pub(crate) mod steps;
pub(crate) mod undo;
mod wire;
pub(crate) mod write;

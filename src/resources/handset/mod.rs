//! Handsets of networks.

pub mod calls;
pub mod compare;
pub mod entry;
pub mod fields;
pub mod lines;
pub mod member;
pub mod members;
pub mod operations;
pub mod parse;
pub mod rename;
pub(crate) mod standing;
pub mod state;
pub mod steps;
pub(crate) mod undo;
mod wire;
pub mod write;

//! Handsets of networks.

pub mod fields;
pub mod member;
pub mod state;

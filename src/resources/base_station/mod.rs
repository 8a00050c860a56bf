//! Base stations of networks.

pub mod calls;
pub mod compare;
pub mod fields;
pub mod mac;
pub mod operations;
pub mod places;
pub mod state;
pub mod steps;
mod wire;

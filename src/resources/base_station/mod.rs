//! Base stations of networks.

pub mod fields;
pub mod mac;
pub mod state;

//! The real binary against the simulated organization, over real HTTP.

mod apply;
mod browser;
mod client;
mod credentials;
mod devices;
mod docs;
mod environment;
mod faults;
mod fleet;
mod formats;
mod handsets;
mod harness;
mod help;
mod invalid_files;
mod kill;
mod masking;
mod network;
mod pipelines;
mod saved_plans;
mod schemas;
mod signals;
mod simulate;
mod simulator_wire;
mod undo;
mod until;
mod usage;

//! The real binary against the simulated organization, over real HTTP.

mod browser;
mod client;
mod credentials;
mod docs;
mod fleet;
mod formats;
mod killing;
mod main_job;
mod masking;
mod network;
mod pipelines;
mod saved_plans;
mod schemas;
mod simulating;
mod simulator_wire;
mod stage;
mod stopping;
mod undoing;
mod usage;
mod window;
mod wrong_files;

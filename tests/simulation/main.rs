//! Properties that need no socket and no real time: the planner, the proof, and what an interruption leaves behind.

mod executor;
mod generators;
mod planner;
mod rate_limiter;

//! Properties that need no socket and no real time: the planner, the plan checker, and what an interruption leaves behind.

mod devices;
mod executor;
mod generators;
mod planner;
mod rate_limiter;
mod shapes;
mod undo;

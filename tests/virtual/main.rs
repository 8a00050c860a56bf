//! Properties that need no socket and no real time: the planner, the proof, and what an interruption leaves behind.

mod executing;
mod pacing;
mod planning;
mod world;

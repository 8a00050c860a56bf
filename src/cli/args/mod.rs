//! The command line.
//!
//! | module | purpose |
//! |---|---|
//! | `command_line` | the commands in their groups, the formats of their results, and the help |
//! | `environment` | what environment variables say beside the options |
//! | `habits` | what the commands and options of other tools are called here |
//! | `kinds` | kinds of things as values of options |
//! | `options` | options shared by several commands |
//! | `values` | values of options with their own syntax |
//!
//! The options of a single command are next to the command, in `commands`.

mod command_line;
mod environment;
mod habits;
pub(crate) mod kinds;
mod options;
mod values;

pub(crate) use command_line::{Args, Auth, Command, Password, command};
pub(crate) use options::{
    AllowOptions, CodeOptions, ColorChoice, ConnectionOptions, FileOptions, FilterOptions, Format, JournalOptions,
    LocationOptions, LogFormat, OutputOptions, PlanSourceOptions, RateOptions, ReadOptions, ReadRateOptions,
    RunOptions, ScopeOptions, WriteOptions,
};
pub(crate) use values::{WindowEnd, bearer_token, file_to_write, organization, request_fault};

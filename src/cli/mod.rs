//! The command line interface; all logic is in the library.
//!
//! | module | purpose |
//! |---|---|
//! | `args` | commands and options |
//! | `setup` | creates the API client from options and environment |
//! | `printer` | output to standard output and standard error |
//! | `prompt` | confirmation prompts |
//! | `signals` | turns signals into a shutdown request |
//! | `logging` | `-v`, `-q`, `--log-format` |
//! | `log_line` | lines on standard error that look like those of the log |
//! | `exit` | exit codes |
//! | `commands` | one module per command |

mod args;
mod commands;
mod exit;
mod log_line;
mod logging;
mod printer;
mod prompt;
mod setup;
mod signals;

use std::process::ExitCode;

use args::Args;
use exit::ExitStatus;
use printer::Printer;

/// Runs the command.
pub(crate) fn main() -> ExitCode {
    let mut args = match Args::parse_process() {
        Ok(args) => args,
        Err(error) => return exit::usage(&error),
    };
    let output = args.command.output();
    let printer = Printer::new(output, args.command.codes());
    logging::start(output);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            printer.error(&exit::CliError::failed("cannot start the async runtime", error));
            return ExitStatus::Error.into();
        }
    };
    let exit = runtime.block_on(commands::run(args, &printer)).unwrap_or_else(|error| {
        printer.error(&error);
        error.exit()
    });
    // Do not wait for a blocked write.
    runtime.shutdown_background();
    printer.exit_status(exit).into()
}

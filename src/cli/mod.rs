//! The command line: it asks and prints; everything else is the library's.
//!
//! | file | what it is |
//! |---|---|
//! | `args` | the commands and their flags |
//! | `setup` | from flags and environment to a sender |
//! | `printer` | who writes where |
//! | `prompt` | asks a person |
//! | `signals` | SIGINT and SIGTERM become a wish to stop |
//! | `logging` | `-v`, `-q`, `--log-format` |
//! | `exit` | exit codes |
//! | `commands` | one file a command |

mod args;
mod commands;
mod exit;
mod logging;
mod printer;
mod prompt;
mod setup;
mod signals;

use std::process::ExitCode;

use args::Args;
use exit::ExitStatus;
use printer::Printer;

/// Runs the command that was asked for.
pub(crate) fn main() -> ExitCode {
    let args = match Args::parse_process() {
        Ok(args) => args,
        Err(error) => return exit::usage(&error),
    };
    let output = args.command.output();
    let printer = Printer::new(output, args.command.codes());
    logging::start(output);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            printer.error(&exit::CliError::new(format!("cannot start the async runtime: {error}")));
            return ExitStatus::Error.into();
        }
    };
    let exit = runtime.block_on(commands::run(args, &printer)).unwrap_or_else(|error| {
        printer.error(&error);
        error.exit()
    });
    // A write that is stuck in the kernel must not keep the process.
    runtime.shutdown_background();
    printer.exit_status(exit).into()
}

//! `dectl password`: generates serviceability passwords, and shows those that were written to a file.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::Args as ClapArgs;
use dectl::reconcile::{Error, PasswordOptions, PasswordResult, PasswordTarget, generate_passwords, password_targets};
use dectl::report::{plural, sanitize};
use dectl::runtime::Shutdown;
use dectl::storage::{PasswordFile, PasswordFileError, StoredPassword};

use super::inputs::scope;
use super::output::shell_word;
use crate::cli::args::{
    ConnectionOptions, FilterOptions, JournalOptions, OutputOptions, ReadRateOptions, file_to_write,
};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;
use crate::cli::prompt;
use crate::cli::setup::{connect, plan_key};

#[derive(Debug, ClapArgs)]
pub(crate) struct PasswordGenerateArgs {
    #[command(flatten)]
    filter: FilterOptions,
    /// Write the passwords to this new file, encrypted with DECTL_PLAN_KEY, instead of showing them
    #[arg(long, value_name = "FILE", value_parser = file_to_write)]
    write: Option<PathBuf>,
    /// How many networks may get a new password, and may reboot, at once
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=64))]
    at_once: u16,
    /// Skip the confirmation prompt
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    journal: JournalOptions,
    #[command(flatten)]
    rate: ReadRateOptions,
    #[command(flatten)]
    connection: ConnectionOptions,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct PasswordShowArgs {
    /// File written by `dectl password generate --write`
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

pub(super) async fn generate(
    args: &PasswordGenerateArgs,
    printer: &Printer,
    shutdown: &Shutdown,
) -> Result<ExitStatus, CliError> {
    if args.filter.network.is_empty() {
        return Err(CliError::refused("name the networks: --network GLOB, or --network '*' for all of them in scope"));
    }
    if !args.yes && !prompt::is_interactive() {
        return Err(CliError::refused(
            "no terminal to confirm on: pass --yes to generate passwords without a question",
        ));
    }
    let key = match (&args.write, plan_key()?) {
        (Some(_), None) => {
            return Err(CliError::refused("--write needs DECTL_PLAN_KEY: a file of passwords is never plain text"));
        }
        (Some(path), Some(key)) => Some((path, key)),
        (None, _) if !io::stdout().is_terminal() => {
            return Err(CliError::refused(
                "passwords are shown on a terminal only; use --write FILE for a file that DECTL_PLAN_KEY encrypts",
            ));
        }
        (None, _) => None,
    };
    let scope = scope(&args.filter)?;
    let connection = connect(&args.connection, args.rate.into(), args.output, shutdown).await?;
    let targets = password_targets(&scope, &connection.client).await?;
    ask(&targets, args).await?;
    let mut file = match key {
        Some((path, key)) => Some(PasswordFile::create(path, key).map_err(refused)?),
        None => None,
    };
    let options = PasswordOptions {
        journal_dir: &args.journal.journal,
        run: &connection.run,
        target: &connection.target,
        at_once: args.at_once.into(),
    };
    let clock = connection.client.clock();
    let keep = |target: &PasswordTarget, result: &PasswordResult| {
        let PasswordResult::Generated(password) = result else {
            note(target, result, printer);
            return Ok(());
        };
        match &mut file {
            Some(file) => file.add(StoredPassword {
                location: target.location.name.to_string(),
                network: target.name.to_string(),
                network_id: target.network.to_string(),
                generated: clock.to_timestamp(clock.now()),
                password: password.expose_secret().to_owned(),
            }),
            None => {
                let line = format!("{}  {}\n", label(target), sanitize(password.expose_secret()));
                printer.result(&line);
                Ok(())
            }
        }
    };
    let (results, lost) = generate_passwords(&targets, options, &connection.client, keep).await?;
    if let Some(error) = lost {
        printer.note(&format!("error: {error}; a password was lost, generate it again\n"));
    }
    let exit = summarize(&results, args, printer);
    let is_stopped = results.iter().any(|result| matches!(result, PasswordResult::NotSent));
    let signal = ExitStatus::of_signal(shutdown.reason()).filter(|_| is_stopped);
    Ok(signal.unwrap_or(exit))
}

/// Says what it costs, and asks for the number of networks.
async fn ask(targets: &[PasswordTarget], args: &PasswordGenerateArgs) -> Result<(), CliError> {
    if args.yes {
        return Ok(());
    }
    let names: Vec<String> = targets.iter().map(label).collect();
    let question = format!(
        "{}\nWebex may reboot each of these networks, with all calls on it. Type their number ({}) to generate new passwords:",
        names.join("\n"),
        targets.len()
    );
    match prompt::confirm(&question, &targets.len().to_string()).await {
        true => Ok(()),
        false => Err(Error::NotConfirmed.into()),
    }
}

fn label(target: &PasswordTarget) -> String {
    format!("{} ({})", sanitize(&target.name), sanitize(&target.location.name))
}

/// Says what became of a network that has no new password, as far as known.
fn note(target: &PasswordTarget, result: &PasswordResult, printer: &Printer) {
    let label = label(target);
    match result {
        PasswordResult::Failed(error) => {
            printer.note(&format!("error: {label}: {}\n", sanitize(&error.to_string())));
        }
        PasswordResult::Unknown(error) => printer.note(&format!(
            "error: {label}: unknown whether a password was generated: {}; generate it again\n",
            sanitize(&error.to_string())
        )),
        PasswordResult::Generated(_) | PasswordResult::NotSent => {}
    }
}

fn summarize(results: &[PasswordResult], args: &PasswordGenerateArgs, printer: &Printer) -> ExitStatus {
    let count = |is_it: fn(&PasswordResult) -> bool| results.iter().filter(|result| is_it(result)).count();
    let generated = count(|result| matches!(result, PasswordResult::Generated(_)));
    let unknown = count(|result| matches!(result, PasswordResult::Unknown(_)));
    let not_sent = count(|result| matches!(result, PasswordResult::NotSent));
    let mut words = format!("{} generated", plural(generated, "password"));
    for (number, what) in [
        (count(|result| matches!(result, PasswordResult::Failed(_))), "failed"),
        (unknown, "unknown"),
        (not_sent, "not started"),
    ] {
        if number > 0 {
            words.push_str(&format!(", {number} {what}"));
        }
    }
    if let Some(path) = args.write.as_ref().filter(|_| generated > 0) {
        words.push_str(&format!("; `dectl password show {}` shows them", shell_word(path)));
    }
    printer.note(&format!("{words}\n"));
    match generated {
        all if all == results.len() => ExitStatus::Success,
        0 if unknown == 0 => ExitStatus::Error,
        _ => ExitStatus::Incomplete,
    }
}

pub(super) fn show(args: &PasswordShowArgs, printer: &Printer) -> Result<ExitStatus, CliError> {
    let key = plan_key()?.ok_or_else(|| CliError::refused("set DECTL_PLAN_KEY to the key of the file"))?;
    let passwords = PasswordFile::read(&args.file, &key).map_err(refused)?;
    let line = |one: &StoredPassword| {
        format!("{} ({})  {}\n", sanitize(&one.network), sanitize(&one.location), sanitize(&one.password))
    };
    printer.result(&passwords.iter().map(line).collect::<String>());
    Ok(ExitStatus::Success)
}

fn refused(error: PasswordFileError) -> CliError {
    CliError::refused(error.to_string())
}

//! Environment variables: an empty one counts as unset, as a pipeline passes a missing value; the command line wins.

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use super::options::{Format, LogFormat, OutputOptions};

/// Leaves out the variables that are set but blank.
pub(super) fn without_empty_variables(command: Command) -> Command {
    let is_blank = |variable: Option<&std::ffi::OsStr>| {
        let value = variable.and_then(std::env::var_os);
        value.is_some_and(|value| value.to_str().is_some_and(|text| text.trim().is_empty()))
    };
    let command = command.mut_args(|arg| if is_blank(arg.get_env()) { arg.env(Resettable::Reset) } else { arg });
    command.mut_subcommands(without_empty_variables)
}

/// The variables whose values are texts. The others name files, which need not be UTF-8.
const TEXTS: [&str; 12] = [
    "WEBEX_ACCESS_TOKEN",
    "WEBEX_TOKEN",
    "SERVICE_APP_CLIENT_ID",
    "SERVICE_APP_CLIENT_SECRET",
    "SERVICE_APP_REFRESH_TOKEN",
    "WEBEX_API_URL",
    "WEBEX_ORG_ID",
    "DECTL_TOKEN_COMMAND",
    "DECTL_OUTPUT",
    "DECTL_RATE",
    "DECTL_LOG",
    "DECTL_PLAN_KEY",
];

/// Reports the variables that are not UTF-8; without it they would count as unset, or as an error without a name.
pub(super) fn check_encoding() -> Result<(), String> {
    let is_broken = |name: &&str| matches!(std::env::var(name), Err(std::env::VarError::NotUnicode(_)));
    let broken: Vec<&str> = TEXTS.into_iter().filter(is_broken).collect();
    match &broken[..] {
        [] => Ok(()),
        names => Err(format!("not valid UTF-8: environment variable {}", names.join(" and "))),
    }
}

/// Says which variable an invalid value is from.
pub(super) fn name_variable(mut error: clap::Error, command: &mut Command) -> clap::Error {
    // Before, an argument cannot be shown.
    command.build();
    let (Some(ContextValue::String(arg)), Some(ContextValue::String(value))) =
        (error.get(ContextKind::InvalidArg), error.get(ContextKind::InvalidValue))
    else {
        return error;
    };
    let Some(variable) = variable_of(command, arg) else { return error };
    let is_from_variable = std::env::var(&variable).is_ok_and(|set| set == *value);
    let option = arg.split(' ').next().unwrap_or_default();
    let is_given = std::env::args_os().any(|given| {
        let given = given.to_string_lossy();
        given == option
            || given.strip_prefix(option).is_some_and(|rest| rest.starts_with('='))
            || option == "--output" && given.starts_with("-o")
    });
    if is_from_variable && !is_given {
        let arg = format!("{arg} (environment variable {variable})");
        error.insert(ContextKind::InvalidArg, ContextValue::String(arg));
    }
    error
}

/// The variable of an option as an error shows it, e.g. `--rate <RATE>`.
fn variable_of(command: &Command, shown: &str) -> Option<String> {
    let own = command.get_arguments().find(|arg| arg.to_string() == shown).and_then(clap::Arg::get_env);
    let own = own.map(|name| name.to_string_lossy().into_owned());
    own.or_else(|| command.get_subcommands().find_map(|command| variable_of(command, shown)))
}

/// Adds what DECTL_LOG says, and takes back a DECTL_OUTPUT that the command does not have: the variable holds for all
/// commands of a pipeline.
pub(super) fn complete_output(
    output: &mut OutputOptions,
    formats: Option<&[Format]>,
    matches: &ArgMatches,
) -> Result<(), String> {
    let source = |id: &str| leaf(matches).value_source(id);
    if source("output") == Some(ValueSource::EnvVariable)
        && formats.is_some_and(|formats| !formats.contains(&output.output))
    {
        output.output = Format::Text;
    }
    let is_silent = |id: &str| source(id) != Some(ValueSource::CommandLine);
    for word in std::env::var("DECTL_LOG").unwrap_or_default().split(',').map(str::trim) {
        let verbose = match word.to_ascii_lowercase().as_str() {
            "" | "warn" => continue,
            "info" => 1,
            "debug" => 2,
            "text" | "json" => {
                if is_silent("log_format") {
                    output.log_format =
                        if word.eq_ignore_ascii_case("json") { LogFormat::Json } else { LogFormat::Text };
                }
                continue;
            }
            _ => return Err(format!("DECTL_LOG: {word:?} is none of warn, info, debug, text and json")),
        };
        if is_silent("verbose") && is_silent("quiet") {
            output.verbose = verbose;
        }
    }
    Ok(())
}

/// The arguments of the command itself.
fn leaf(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, matches)| leaf(matches))
}

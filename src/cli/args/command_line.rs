//! The commands in their groups, the formats of their results, and the help of the program.

use std::ffi::OsString;

use clap::builder::{PossibleValuesParser, Resettable, TypedValueParser};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use super::options::{CodeOptions, Format, OutputOptions};
use super::{environment, habits};
use crate::cli::commands::{
    ApplyArgs, AuthCheckArgs, CompletionsArgs, ExplainArgs, ExportArgs, FindArgs, ManArgs, OrgsArgs,
    PasswordGenerateArgs, PasswordShowArgs, PlanArgs, RehearseArgs, RenameArgs, ReportArgs, RunsArgs, SchemaArgs,
    ShowArgs, SimulateArgs, StatusArgs, UndoArgs, ValidateArgs,
};

/// Manage Webex Calling DECT networks declaratively
#[derive(Debug, Parser)]
#[command(name = "dectl", version, about, max_term_width = 100)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Validate desired-state files offline
    #[command(after_long_help = "Example:\n  dectl validate networks.yaml sites/")]
    Validate(ValidateArgs),
    /// Show the changes that apply would make
    #[command(
        after_long_help = "Examples:\n  dectl plan networks.yaml --detailed-exitcode\n  dectl plan networks.yaml --out plan.json"
    )]
    Plan(PlanArgs),
    /// Apply the desired state
    #[command(
        after_long_help = "Examples:\n  dectl apply networks.yaml --canary 'Oslo*' --soak 5m\n  dectl apply --plan plan.json --yes"
    )]
    Apply(ApplyArgs),
    /// Report drift per location
    #[command(after_long_help = "Example:\n  dectl status networks.yaml || mail -s 'DECT drift' admin@example.org")]
    Status(StatusArgs),
    /// Undo a previous run
    #[command(after_long_help = "Examples:\n  dectl undo last\n  dectl undo 20261123T2240 --yes")]
    Undo(UndoArgs),
    /// Bulk-rename networks with a regex and a template
    #[command(after_long_help = "Examples:\n  dectl rename 'HQ Ward (?<ward>\\d+)' 'HQ W{{ ward|pad(2) }}'\n  \
        dectl rename '.*' '{{ location|slug|upper }} {{ n|pad(2) }}' --location 'Oslo*' --out plan.json")]
    Rename(RenameArgs),
    /// Export the live state as a desired-state file
    #[command(
        after_long_help = "Examples:\n  dectl export --write networks.yaml\n  dectl export --split sites/ --no-codes"
    )]
    Export(ExportArgs),
    /// Simulate an apply against a copy of the live state and estimate its duration
    #[command(after_long_help = "Example:\n  dectl rehearse networks.yaml --limit 300/60s")]
    Rehearse(RehearseArgs),
    /// Find a network, base station or handset
    #[command(
        after_long_help = "Examples:\n  dectl find 1551\n  dectl find 'Nora Berg'\n  dectl find AC:7A:56:11:A0:01 -o json"
    )]
    Find(FindArgs),
    /// Make one page of the documents of many runs
    #[command(
        after_long_help = "Examples:\n  dectl report results/ -o html > report.html\n  dectl report */status.json"
    )]
    Report(ReportArgs),
    /// Show a saved plan
    #[command(after_long_help = "Example:\n  dectl show plan.json -o markdown")]
    Show(ShowArgs),
    /// List recorded runs
    #[command(after_long_help = "Example:\n  dectl runs --prune 20")]
    Runs(RunsArgs),
    /// List the organizations that the token reaches
    #[command(
        after_long_help = "Examples:\n  dectl orgs > organizations.txt\n  dectl orgs -o json | jq .organizations > organizations.json"
    )]
    Orgs(OrgsArgs),
    /// Inspect credentials
    #[command(subcommand)]
    Auth(Auth),
    /// Generate serviceability passwords of networks
    #[command(subcommand)]
    Password(Password),
    /// Explain a field of desired-state files
    #[command(after_long_help = "Examples:\n  dectl explain handsets\n  dectl explain locations.networks.name")]
    Explain(ExplainArgs),
    /// Print the JSON Schema of desired-state files or documents
    #[command(after_long_help = "Examples:\n  dectl schema > networks.schema.json\n  dectl schema plan")]
    Schema(SchemaArgs),
    /// Print shell completions
    #[command(after_long_help = "Example:\n  dectl completions bash > /etc/bash_completion.d/dectl")]
    Completions(CompletionsArgs),
    /// Print the manual page
    #[command(after_long_help = "Examples:\n  dectl man | man -l -\n  dectl man --write /usr/local/share/man/man1")]
    Man(ManArgs),
    /// Run a local Webex API simulator
    #[command(
        after_long_help = "Examples:\n  dectl simulate --port 8080\n  dectl simulate 500x4 --limit bucket:5/s,10 --fault 503=1%"
    )]
    Simulate(SimulateArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Auth {
    /// Check the access token, its scopes and its expiry
    #[command(after_long_help = "Example:\n  dectl auth check --token-file token")]
    Check(AuthCheckArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Password {
    /// Generate and enable a new password for each network, one network at a time
    ///
    /// Webex shows a password this once: it is shown on the terminal, or written to an encrypted file. Cisco warns that
    /// generating one can reboot the entire network.
    #[command(after_long_help = "Examples:\n  dectl password generate --network 'HQ Ward 7'\n  \
        dectl password generate --network '*' --location 'Oslo*' --write passwords.age --yes")]
    Generate(Box<PasswordGenerateArgs>),
    /// Show the passwords of a file that `generate --write` has written
    #[command(after_long_help = "Example:\n  dectl password show passwords.age")]
    Show(PasswordShowArgs),
}

/// The groups in which the help lists the commands.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Everyday commands", &["validate", "plan", "apply", "status", "undo"]),
    ("Fleet commands", &["rename", "export", "rehearse"]),
    ("Inspection commands", &["find", "show", "report", "runs", "orgs", "auth", "password"]),
    ("Tools", &["explain", "schema", "completions", "man", "simulate"]),
];

const AFTER_HELP: &str = "\
Examples:
  dectl export --write networks.yaml            Write a first file from the live state
  dectl apply examples/networks.yaml --simulate Try it without an organization

Exit codes:
  0    Success, or nothing to do
  1    Error or refusal; no write was sent
  2    Drift (status, plan --detailed-exitcode)
  3    Writes were sent, and not everything is known to be as planned
  130  Stopped by SIGINT; 143 by SIGTERM or SIGHUP";

/// The definition of the command line, with the commands listed in groups.
pub(crate) fn command() -> clap::Command {
    let command = Args::command();
    let heading = command.get_styles().get_header();
    let mut groups = String::new();
    for (title, names) in GROUPS {
        groups.push_str(&format!("{heading}{title}:{heading:#}\n"));
        for name in names {
            let about = command.find_subcommand(name).and_then(clap::Command::get_about);
            groups.push_str(&format!("  {name:<12} {}\n", about.map(ToString::to_string).unwrap_or_default()));
        }
        groups.push('\n');
    }
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{groups}{heading}Options:{heading:#}\n{{options}}{{after-help}}"
    );
    command.help_template(template)
}

/// Gives each command the formats that it has. The variable holds for all commands of a pipeline, so that what it says is
/// for others is no error here.
fn with_formats(command: clap::Command) -> clap::Command {
    with_formats_within("", command)
}

/// The same for the commands of a group, whose name is `group`.
fn with_formats_within(group: &str, command: clap::Command) -> clap::Command {
    let wanted = std::env::var("DECTL_OUTPUT").ok().and_then(|name| Format::from_str(&name, true).ok());
    command.mut_subcommands(|command| {
        let name = format!("{group} {}", command.get_name());
        let formats = formats_of(name.trim_start());
        let command = if command.has_subcommands() { with_formats_within(&name, command) } else { command };
        if command.get_arguments().all(|arg| arg.get_id() != "output") {
            return command;
        }
        let parser = PossibleValuesParser::new(formats.iter().filter_map(ValueEnum::to_possible_value));
        command.mut_arg("output", |arg| {
            let arg = arg.value_parser(parser.try_map(|name| Format::from_str(&name, true)));
            let is_for_others = wanted.is_some_and(|format| !formats.contains(&format));
            if is_for_others { arg.env(Resettable::Reset) } else { arg }
        })
    })
}

/// The formats of the result of a command, which is named with its group.
fn formats_of(command: &str) -> &'static [Format] {
    use Format::{Codequality, Csv, Diff, Html, Json, Junit, Markdown, Text};
    match command {
        "plan" | "show" => PLAN,
        // Of the plan with --out or --dry-run, of the run without.
        "rename" | "undo" => &[Text, Json, Markdown, Html, Diff, Junit],
        "apply" => RESULT,
        "export" => &[Text, Csv, Json, Html],
        "status" => &[Text, Json, Markdown],
        "report" => &[Text, Json, Markdown, Html],
        "validate" => &[Text, Json, Codequality],
        "rehearse" => &[Text, Json, Html],
        "find" | "runs" | "orgs" | "auth check" => &[Text, Json],
        _ => &[Text],
    }
}

const PLAN: &[Format] = &[Format::Text, Format::Json, Format::Markdown, Format::Html, Format::Diff];
const RESULT: &[Format] = &[Format::Text, Format::Json, Format::Markdown, Format::Html, Format::Junit];

/// Moves options that stand before the command behind it: `dectl -v plan` is `dectl plan -v`.
fn options_behind_command(command: &clap::Command, given: Vec<OsString>) -> Vec<OsString> {
    let own = ["-h", "--help", "-V", "--version"];
    let takes_value = |option: &str| {
        let is_it = |arg: &clap::Arg| match option.strip_prefix("--") {
            Some(long) => arg.get_long() == Some(long),
            None => option.ends_with(|last| arg.get_short() == Some(last)),
        };
        let commands = command.get_subcommands().flat_map(|command| command.get_subcommands().chain([command]));
        let found = commands.flat_map(clap::Command::get_arguments).find(|arg| is_it(arg));
        found.is_some_and(|arg| arg.get_action().takes_values() && !arg.is_require_equals_set())
    };
    let mut before = Vec::new();
    let mut rest = given.into_iter();
    let Some(program) = rest.next() else { return before };
    let mut rest = rest.peekable();
    while let Some(option) = rest.next_if(|next| next.to_str().is_some_and(|text| text.starts_with('-'))) {
        let text = option.to_str().unwrap_or_default().to_owned();
        before.push(option);
        if own.contains(&&*text) || text == "--" {
            break;
        }
        if !text.contains('=') && takes_value(&text) {
            before.extend(rest.next());
        }
    }
    // The command, and the one within it.
    let (mut words, mut place) = (vec![program], Some(command));
    while let Some(command) = place.filter(|command| command.has_subcommands()) {
        place = rest.peek().and_then(|name| command.find_subcommand(name));
        words.extend(place.and_then(|_| rest.next()));
    }
    words.into_iter().chain(before).chain(rest).collect()
}

impl Args {
    /// Parses the arguments and the environment of this process.
    pub(crate) fn parse_process() -> Result<Self, clap::Error> {
        let mut command = with_formats(environment::without_empty_variables(command()));
        let invalid = |message| command.clone().error(clap::error::ErrorKind::InvalidValue, message);
        environment::check_encoding().map_err(invalid)?;
        let given = options_behind_command(&command, std::env::args_os().collect());
        let matches = command
            .clone()
            .try_get_matches_from(given)
            .map_err(|error| habits::translate(environment::name_variable(error, &mut command)))?;
        let mut args = Self::from_arg_matches(&matches)?;
        let formats = args.command.formats();
        if let Some(output) = args.command.output_mut() {
            environment::complete_output(output, formats, &matches)
                .map_err(|message| command.clone().error(clap::error::ErrorKind::InvalidValue, message))?;
        }
        Ok(args)
    }
}

impl Command {
    /// How the command writes its result and its log; a command without such options has one fixed text.
    pub(crate) fn output(&mut self) -> OutputOptions {
        self.output_mut().map_or_else(OutputOptions::default, |output| *output)
    }

    fn output_mut(&mut self) -> Option<&mut OutputOptions> {
        Some(match self {
            Self::Validate(args) => &mut args.output,
            Self::Plan(args) => &mut args.read.output,
            Self::Apply(args) => &mut args.apply.output,
            Self::Status(args) => &mut args.read.output,
            Self::Undo(args) => &mut args.apply.output,
            Self::Rename(args) => &mut args.apply.output,
            Self::Export(args) => &mut args.read.output,
            Self::Rehearse(args) => &mut args.output,
            Self::Find(args) => &mut args.read.output,
            Self::Report(args) => &mut args.output,
            Self::Show(args) => &mut args.output,
            Self::Runs(args) => &mut args.output,
            Self::Orgs(args) => &mut args.read.output,
            Self::Auth(Auth::Check(args)) => &mut args.read.output,
            Self::Password(Password::Generate(args)) => &mut args.output,
            Self::Password(Password::Show(args)) => &mut args.output,
            Self::Explain(_) | Self::Schema(_) | Self::Completions(_) | Self::Man(_) | Self::Simulate(_) => {
                return None;
            }
        })
    }

    /// Whether access codes are shown.
    pub(crate) fn codes(&self) -> CodeOptions {
        match self {
            Self::Plan(args) => args.codes,
            Self::Apply(args) => args.apply.codes,
            Self::Undo(args) => args.apply.codes,
            Self::Rename(args) => args.apply.codes,
            Self::Rehearse(args) => args.codes,
            Self::Show(args) => args.codes,
            _ => CodeOptions::default(),
        }
    }

    /// The formats of its result, where its options leave only some of those of the command.
    pub(crate) const fn formats(&self) -> Option<&'static [Format]> {
        match self {
            Self::Rename(args) => Some(if args.is_dry_run() { PLAN } else { RESULT }),
            Self::Undo(args) => Some(if args.is_dry_run() { PLAN } else { RESULT }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn command_groups_list_every_command_once() {
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        grouped.sort_unstable();
        let command = Args::command();
        let mut defined: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        defined.sort_unstable();
        assert_eq!(grouped, defined);
    }
}

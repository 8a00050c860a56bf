//! The commands in their groups, the formats of their results, and the help of the program.

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::environment;
use super::options::{CodeOptions, Format, OutputOptions};
use crate::cli::commands::{
    ApplyArgs, AuthCheckArgs, CompletionsArgs, ExplainArgs, ExportArgs, ManArgs, PlanArgs, RehearseArgs, RenameArgs,
    RunsArgs, SchemaArgs, ShowArgs, SimulateArgs, StatusArgs, UndoArgs, ValidateArgs,
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
    /// Show a saved plan
    #[command(after_long_help = "Example:\n  dectl show plan.json -o markdown")]
    Show(ShowArgs),
    /// List recorded runs
    #[command(after_long_help = "Example:\n  dectl runs --prune 20")]
    Runs(RunsArgs),
    /// Inspect credentials
    #[command(subcommand)]
    Auth(Auth),
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

/// The groups in which the help lists the commands.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Everyday commands", &["validate", "plan", "apply", "status", "undo"]),
    ("Fleet commands", &["rename", "export", "rehearse"]),
    ("Inspection commands", &["show", "runs", "auth"]),
    ("Tools", &["explain", "schema", "completions", "man", "simulate"]),
];

const AFTER_HELP: &str = "\
Examples:
  dectl export --write networks.yaml            Write a first file from the live state
  dectl plan networks.yaml                      Show what would change
  dectl apply examples/networks.yaml --simulate Try it without an organization

Exit codes:
  0    Success, or nothing to do
  1    Error or refusal; no write was sent
  2    Drift (status, plan --detailed-exitcode)
  3    Writes were sent, and not everything is known to be as planned
  130  Stopped by SIGINT
  143  Stopped by SIGTERM or SIGHUP";

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

impl Args {
    /// Parses the arguments and the environment of this process.
    pub(crate) fn parse_process() -> Result<Self, clap::Error> {
        let mut command = environment::without_empty_variables(command());
        let invalid = |message| command.clone().error(clap::error::ErrorKind::InvalidValue, message);
        environment::check_encoding().map_err(invalid)?;
        let matches =
            command.clone().try_get_matches().map_err(|error| environment::name_variable(error, &mut command))?;
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
            Self::Show(args) => &mut args.output,
            Self::Runs(args) => &mut args.output,
            Self::Auth(Auth::Check(args)) => &mut args.read.output,
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

    /// The formats of its result.
    pub(crate) const fn formats(&self) -> &'static [Format] {
        use Format::{Codequality, Csv, Diff, Html, Json, Junit, Markdown, Text};
        const PLAN: &[Format] = &[Text, Json, Markdown, Html, Diff];
        const RESULT: &[Format] = &[Text, Json, Markdown, Html, Junit];
        match self {
            Self::Plan(_) | Self::Show(_) => PLAN,
            Self::Rename(args) if args.is_dry_run() => PLAN,
            Self::Undo(args) if args.is_dry_run() => PLAN,
            Self::Apply(_) | Self::Rename(_) | Self::Undo(_) => RESULT,
            Self::Export(_) => &[Text, Csv, Json],
            Self::Status(_) => &[Text, Json, Markdown],
            Self::Validate(_) => &[Text, Json, Codequality],
            Self::Rehearse(_) => &[Text, Json, Html],
            Self::Runs(_) | Self::Auth(_) => &[Text, Json],
            Self::Explain(_) | Self::Schema(_) | Self::Completions(_) | Self::Man(_) | Self::Simulate(_) => &[Text],
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

//! The commands and their flags.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use dectl::apply::Canary;
use dectl::client::rate_limiter::Rate;
use dectl::plan::MaxChanges;
use dectl::runtime::parse_duration;
use dectl::simulator::{Fault, LatencySpec, Limiting, Probability, Quirk, Time as SimTime};

/// Keeps the DECT networks of a Webex Calling organization as a YAML file says they should be.
#[derive(Debug, Parser)]
#[command(name = "dectl", version, about, max_term_width = 100, disable_help_subcommand = false)]
#[command(after_help = "Try it without an organization:\n  dectl apply examples/networks.yaml --simulate")]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Checks files without a token and without the network.
    #[command(after_help = "Example:\n  dectl validate networks.yaml sites/")]
    Validate(Validate),
    /// Shows what would change.
    #[command(after_help = "Example:\n  dectl plan networks.yaml --detailed-exitcode")]
    Plan(Plan),
    /// Shows what would change, asks, and changes it.
    #[command(after_help = "Example:\n  dectl apply networks.yaml --rate 5/s")]
    Apply(Apply),
    /// Renames what matches a pattern, once: shows what would change, asks, and changes it.
    #[command(after_help = "Examples:\n  dectl rename 'HQ Ward (?<ward>\\d+)' 'HQ W{{ ward|pad(2) }}'\n  \
        dectl rename '.*' '{{ location|slug|upper }} {{ n|pad(2) }}' --location 'Oslo*' --out plan.json")]
    Rename(Rename),
    /// Writes the live state as a desired-state file.
    #[command(after_help = "Examples:\n  dectl export --write networks.yaml\n  dectl export --split sites/ --no-codes")]
    Export(Export),
    /// Says of every location whether it is as the files say.
    #[command(after_help = "Example:\n  dectl status networks.yaml || mail -s 'DECT drift' admin@example.org")]
    Status(Status),
    /// Reads the live organization and applies to a simulated copy of it: how long would it take, what would fail?
    #[command(after_help = "Example:\n  dectl rehearse networks.yaml --limit 300/60s")]
    Rehearse(Rehearse),
    /// Shows a saved plan again, in any format.
    #[command(after_help = "Example:\n  dectl show plan.json -o json")]
    Show(Show),
    /// Lists the journaled runs, newest first.
    #[command(after_help = "Example:\n  dectl runs --prune 20")]
    Runs(Runs),
    /// Plans the way back from a run, asks, and goes it.
    #[command(after_help = "Example:\n  dectl undo last")]
    Undo(Undo),
    /// Looks at credentials.
    #[command(subcommand)]
    Auth(Auth),
    /// Prints the JSON Schema of desired-state files, for editors.
    Schema,
    /// Prints completions for a shell.
    #[command(after_help = "Example:\n  dectl completions bash > /etc/bash_completion.d/dectl")]
    Completions(Completions),
    /// Prints the manual page.
    #[command(after_help = "Example:\n  dectl man | man -l -")]
    Man,
    /// Serves a simulated organization on loopback.
    #[command(after_help = "Example:\n  dectl simulate --port 8080")]
    Simulate(Simulate),
}

/// Flags that every command knows.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Common {
    /// The API's address with its version path.
    #[arg(long, global = true, env = "WEBEX_API_URL", default_value = "https://webexapis.com/v1", value_name = "URL")]
    pub(crate) api_url: String,
    /// The organization, where the token may reach several.
    #[arg(long, global = true, env = "WEBEX_ORG_ID", value_name = "ID")]
    pub(crate) org: Option<String>,
    /// A file that holds the access token; otherwise WEBEX_ACCESS_TOKEN is used, or a service app's SERVICE_APP_CLIENT_ID,
    /// SERVICE_APP_CLIENT_SECRET and SERVICE_APP_REFRESH_TOKEN.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// A command that prints the access token, within 30 seconds; run by the shell.
    #[arg(long, global = true, value_name = "COMMAND")]
    pub(crate) token_command: Option<String>,
    /// Certificates (PEM) that are trusted beside those of the system: of a proxy that looks into connections.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// How long connecting may take.
    #[arg(long, global = true, value_name = "TIME", default_value = "10s", value_parser = some_time, hide_short_help = true)]
    pub(crate) connect_timeout: Duration,
    /// How long reading or writing one network may take, and how long any answer may be silent.
    #[arg(long, global = true, value_name = "TIME", default_value = "60s", value_parser = some_time, hide_short_help = true)]
    pub(crate) timeout: Duration,
    /// How long the list of all networks may take.
    #[arg(long, global = true, value_name = "TIME", default_value = "5m", value_parser = some_time, hide_short_help = true)]
    pub(crate) list_timeout: Duration,
    /// Runs against an embedded simulated organization; STATE is a list of networks as Webex sends it, or a size such
    /// as 500x4 (locations x networks).
    #[arg(long, global = true, value_name = "STATE", num_args = 0..=1, require_equals = true)]
    pub(crate) simulate: Option<Option<PathBuf>>,
    /// The format of the result.
    #[arg(long, short, global = true, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Format,
    /// Treats warnings about the files as errors.
    #[arg(long, global = true)]
    pub(crate) strict: bool,
    /// Shows access codes instead of masking them.
    #[arg(long, global = true)]
    pub(crate) show_codes: bool,
    /// When to use colours.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Colors,
    /// Shows each request; twice, also what it waited for.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Shows no progress.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// The format of what is logged.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
}

/// The format of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one document.
    Json,
    /// For a comment on a pull request.
    Markdown,
    /// For a mail or a browser: one file.
    Html,
    /// For a diff viewer: the files that an export would write before and after.
    Diff,
    /// For a spreadsheet: of an export only.
    Csv,
}

impl Format {
    /// What `-o` calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Diff => "diff",
            Self::Csv => "csv",
        }
    }
}

impl Command {
    /// The formats of its result.
    pub(crate) const fn formats(&self) -> &'static [Format] {
        use Format::{Csv, Diff, Html, Json, Markdown, Text};
        const PLAN: &[Format] = &[Text, Json, Markdown, Html, Diff];
        const RESULT: &[Format] = &[Text, Json, Markdown, Html];
        match self {
            Self::Plan(_) | Self::Show(_) => PLAN,
            Self::Rename(flags) if flags.only_shows() => PLAN,
            Self::Apply(_) | Self::Rename(_) | Self::Undo(_) => RESULT,
            Self::Export(_) => &[Text, Csv, Json],
            Self::Status(_) => &[Text, Json, Markdown],
            Self::Validate(_) | Self::Runs(_) | Self::Rehearse(_) | Self::Auth(_) => &[Text, Json],
            Self::Schema | Self::Completions(_) | Self::Man | Self::Simulate(_) => &[Text],
        }
    }
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colors {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The format of what is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// A JSON object a line.
    Json,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Files {
    /// Desired-state files, folders of them, or - for standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Validate {
    #[command(flatten)]
    pub(crate) files: Files,
    /// Looks up codes that come from the environment or from files.
    #[arg(long)]
    pub(crate) resolve: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) files: Files,
    /// Exits with 2 when there are differences.
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    /// Saves the plan, so that exactly this is applied later. The file holds access codes.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) limits: Limits,
    #[command(flatten)]
    pub(crate) pace: Pace,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Apply {
    /// Desired-state files, folders of them, or - for standard input.
    #[arg(required_unless_present = "plan", conflicts_with = "plan", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Applies a saved plan: exactly what was reviewed, or nothing.
    #[arg(long, value_name = "PLAN")]
    pub(crate) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) run: RunFlags,
    #[command(flatten)]
    pub(crate) pace: Pace,
}

/// How fast and how stubbornly requests are sent.
#[derive(Clone, Copy, Debug, ClapArgs)]
#[command(next_help_heading = "Pace")]
pub(crate) struct Pace {
    /// Never sends faster than this, for example 5/s or 300/min.
    #[arg(long, value_name = "RATE")]
    pub(crate) rate: Option<Rate>,
    /// How many requests may be in the air; also how many locations are worked on at once.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) concurrency: u16,
    /// How often a request is sent in all when it gets no answer or a 5xx.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) max_attempts: u32,
    /// How long a location may stay locked (423) before its update fails, for example 90s or 10m.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = parse_duration)]
    pub(crate) lock_timeout: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { rate: None, concurrency: 8, max_attempts: 5, lock_timeout: Duration::from_secs(600) }
    }
}

/// What a run may be about.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Limits of the run")]
pub(crate) struct Limits {
    /// How many networks may change without anybody being asked: a number, or all.
    #[arg(long, value_name = "N")]
    pub(crate) max_changes: Option<MaxChanges>,
    /// Fails if a live network is in no file.
    #[arg(long)]
    pub(crate) fail_on_unmanaged: bool,
    /// Only locations whose name matches; may be given several times.
    #[arg(long, value_name = "GLOB")]
    pub(crate) location: Vec<String>,
    /// Only networks whose old or new name matches; may be given several times.
    #[arg(long, value_name = "GLOB")]
    pub(crate) network: Vec<String>,
}

/// How a plan is carried out.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunFlags {
    /// Does not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Reads each network right before its update, and stops if somebody else has changed it.
    #[arg(long)]
    pub(crate) reread: bool,
    /// Stops at the first failure.
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// Does not read the list again at the end.
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// How long a stop may take to bring home networks on temporary names; without a terminal 5s, on one no limit.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) grace: Option<Duration>,
    /// Where journals are kept.
    #[arg(long, value_name = "DIR", env = "DECTL_JOURNAL", default_value = ".dectl/runs")]
    pub(crate) journal: PathBuf,
    #[command(flatten)]
    pub(crate) waves: WaveFlags,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// In which pieces a plan is carried out.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Waves")]
pub(crate) struct WaveFlags {
    /// A few locations first: the number of them, or a pattern for their names. The others follow when all is well.
    #[arg(long, value_name = "N|GLOB", value_parser = Canary::parse)]
    pub(crate) canary: Option<Canary>,
    /// Then so many locations at a time.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch: Option<u32>,
    /// How long to wait between waves, for example 5m.
    #[arg(long, value_name = "TIME", default_value = "0", hide_default_value = true, value_parser = parse_duration)]
    pub(crate) soak: Duration,
    /// Stops cleanly at this time of day, on this machine's clock: the end of a maintenance window.
    #[arg(long, value_name = "HH:MM")]
    pub(crate) until: Option<TimeOfDay>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Rename {
    /// A regular expression that must match the whole of the current name; groups are written (?<ward>…).
    #[arg(value_name = "PATTERN")]
    pub(crate) pattern: String,
    /// What the name becomes: text with {{ groups }}, {{ location }}, {{ n }}, {{ name|upper }} and the like.
    #[arg(value_name = "TEMPLATE")]
    pub(crate) template: String,
    /// What is matched and replaced; may be given twice, for both.
    #[arg(long, value_name = "FIELD", default_value = "name")]
    pub(crate) field: Vec<Field>,
    /// Also gives every network whose name matches this display name.
    #[arg(long, value_name = "TEMPLATE")]
    pub(crate) display_name: Option<String>,
    /// Writes a desired-state file of the new names instead of changing anything.
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
    /// Lets --write replace a file that is there already.
    #[arg(long, requires = "write")]
    pub(crate) force: bool,
    /// Saves the plan instead of changing anything.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Computes anew, even if a run of the same rename was not finished.
    #[arg(long)]
    pub(crate) anew: bool,
    #[command(flatten)]
    pub(crate) run: RunFlags,
    #[command(flatten)]
    pub(crate) pace: Pace,
}

impl Rename {
    /// Whether a file is written instead of changing anything.
    pub(crate) const fn only_shows(&self) -> bool {
        self.write.is_some() || self.out.is_some()
    }
}

/// A setting that is a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Field {
    /// The network's name.
    Name,
    /// What handsets show.
    #[value(name = "displayName", alias = "display-name")]
    DisplayName,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Export {
    /// Writes to this file instead of standard output. It is for its owner only, since it holds access codes.
    #[arg(long, value_name = "FILE", conflicts_with = "split")]
    pub(crate) write: Option<PathBuf>,
    /// Writes a file for every location into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) split: Option<PathBuf>,
    /// Replaces files that are there already.
    #[arg(long)]
    pub(crate) force: bool,
    /// Leaves out access codes: the file asks for none.
    #[arg(long)]
    pub(crate) no_codes: bool,
    /// Only locations whose name matches; may be given several times.
    #[arg(long, value_name = "GLOB")]
    pub(crate) location: Vec<String>,
    #[command(flatten)]
    pub(crate) pace: Pace,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) files: Files,
    /// Fails if a live network is in no file.
    #[arg(long)]
    pub(crate) fail_on_unmanaged: bool,
    /// Only locations whose name matches; may be given several times.
    #[arg(long, value_name = "GLOB")]
    pub(crate) location: Vec<String>,
    /// Only networks whose old or new name matches; may be given several times.
    #[arg(long, value_name = "GLOB")]
    pub(crate) network: Vec<String>,
    /// Where journals are kept: they tell since when something differs.
    #[arg(long, value_name = "DIR", env = "DECTL_JOURNAL", default_value = ".dectl/runs")]
    pub(crate) journal: PathBuf,
    #[command(flatten)]
    pub(crate) pace: Pace,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Rehearse {
    /// Desired-state files, folders of them, or - for standard input.
    #[arg(required_unless_present = "plan", conflicts_with = "plan", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Rehearses a saved plan.
    #[arg(long, value_name = "PLAN")]
    pub(crate) plan: Option<PathBuf>,
    /// How many requests the API lets in, and in which time. Webex publishes no figure for this: it is a guess.
    #[arg(long, value_name = "N/TIME", default_value = "300/60s")]
    pub(crate) limit: Limit,
    /// How long a request takes, for example 300ms.
    #[arg(long, value_name = "TIME", default_value = "250ms", value_parser = parse_duration)]
    pub(crate) latency: Duration,
    /// Only locations whose name matches; may be given several times.
    #[arg(long, value_name = "GLOB")]
    pub(crate) location: Vec<String>,
    /// Only networks whose old or new name matches; may be given several times.
    #[arg(long, value_name = "GLOB")]
    pub(crate) network: Vec<String>,
    #[command(flatten)]
    pub(crate) pace: Pace,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Show {
    /// A plan that `--out` has written.
    #[arg(value_name = "PLAN")]
    pub(crate) plan: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Runs {
    /// Deletes all but the newest N.
    #[arg(long, value_name = "N")]
    pub(crate) prune: Option<usize>,
    /// Where journals are kept.
    #[arg(long, value_name = "DIR", env = "DECTL_JOURNAL", default_value = ".dectl/runs")]
    pub(crate) journal: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Undo {
    /// The run as `dectl runs` lists it, the beginning of its name, or `last`.
    #[arg(value_name = "RUN")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) run: RunFlags,
    #[command(flatten)]
    pub(crate) pace: Pace,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Auth {
    /// Says what the credentials are good for, as far as that can be known without changing anything.
    #[command(after_help = "Example:\n  dectl auth check --token-file token")]
    Check,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Completions {
    /// Which shell.
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Simulate {
    /// A list of networks as Webex sends it, an export, or a size such as 500x4; without it, a built-in organization.
    #[arg(value_name = "STATE")]
    pub(crate) state: Option<PathBuf>,
    /// The port to listen on; 0 takes any free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) port: u16,
    /// Keeps all organizations in this file, the first as a list: soon after every change, and at the end. Without STATE
    /// it goes on from there the next time.
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// More organizations, each with its id and its state; may be given several times.
    #[arg(long = "organization", value_name = "ID=STATE", value_parser = organization)]
    pub(crate) organizations: Vec<(String, PathBuf)>,
    /// The token that is accepted.
    #[arg(long, value_name = "TOKEN", default_value = dectl::simulator::TOKEN, value_parser = bearer)]
    pub(crate) accept_token: String,
    /// A file that says how to misbehave; the flags below win.
    #[arg(long, value_name = "FILE", help_heading = "Misbehaviour")]
    pub(crate) scenario: Option<PathBuf>,
    /// Random numbers repeat from it.
    #[arg(long, value_name = "NUMBER", help_heading = "Misbehaviour")]
    pub(crate) seed: Option<u64>,
    /// How long requests take: 150ms, or 150ms..1.5s for the median and the 99th of a hundred.
    #[arg(long, value_name = "TIME", help_heading = "Misbehaviour")]
    pub(crate) latency: Option<LatencySpec>,
    /// A limiter: bucket:5/s,10, window:300/60s or sliding:300/60s.
    #[arg(long, value_name = "KIND", help_heading = "Misbehaviour")]
    pub(crate) limit: Option<Limiting>,
    /// How likely a write finds its location locked, for example 5%.
    #[arg(long, value_name = "PROBABILITY", help_heading = "Misbehaviour")]
    pub(crate) locks: Option<Probability>,
    /// How long a lock lasts.
    #[arg(long, value_name = "TIME", help_heading = "Misbehaviour")]
    pub(crate) lock_time: Option<SimTime>,
    /// A lock does not say how long it lasts.
    #[arg(long, help_heading = "Misbehaviour")]
    pub(crate) silent_locks: bool,
    /// A fault and how likely it is, for example 503=5% or resetAfter=0.01; may be given several times.
    #[arg(long, value_name = "FAULT=PROBABILITY", value_parser = fault, help_heading = "Misbehaviour")]
    pub(crate) fault: Vec<(Fault, Probability)>,
    /// How long a token that is granted to the service app is good.
    #[arg(long, value_name = "TIME", help_heading = "Misbehaviour")]
    pub(crate) token_life: Option<SimTime>,
    /// Before this update, counted from 1, somebody else edits its network; may be given several times.
    #[arg(long, value_name = "N", help_heading = "Misbehaviour")]
    pub(crate) edit_at: Vec<u64>,
    /// How odd answers look: nulls, missing, numbers, unknown; may be given several times.
    #[arg(long, value_name = "QUIRK", help_heading = "Misbehaviour")]
    pub(crate) quirk: Vec<Quirk>,
}

/// A time that is longer than nothing.
fn some_time(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        Duration::ZERO => Err("nothing can be done in no time at all".to_owned()),
        time => Ok(time),
    }
}

/// A token that can stand in the header of a request (RFC 6750), and in a line for a shell.
fn bearer(text: &str) -> Result<String, String> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    if !text.is_empty() && text.chars().all(is_fine) {
        Ok(text.to_owned())
    } else {
        Err("a token is made of letters, digits and -._~+/=".to_owned())
    }
}

fn organization(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((id, state)) if !id.is_empty() && !state.is_empty() => Ok((id.to_owned(), state.into())),
        _ => Err("write the id and the state of an organization, such as acme=acme.json".to_owned()),
    }
}

fn fault(text: &str) -> Result<(Fault, Probability), String> {
    let (fault, probability) = text.split_once('=').ok_or("write a fault and its probability, such as 503=5%")?;
    Ok((fault.parse()?, probability.parse()?))
}

/// A time of day on this machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeOfDay(jiff::civil::Time);

impl FromStr for TimeOfDay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        jiff::civil::Time::strptime("%H:%M", text).map(Self).map_err(|_| "write a time such as 05:30".to_owned())
    }
}

impl TimeOfDay {
    /// The next moment at which it is so late.
    pub(crate) fn next_after(self, now: &jiff::ZonedDateTime) -> Result<jiff::ZonedDateTime, jiff::Error> {
        let today = now.with().time(self.0).build()?;
        if today > *now { Ok(today) } else { now.tomorrow()?.with().time(self.0).build() }
    }
}

/// So many requests in such a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) count: u32,
    pub(crate) period: Duration,
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write a number of requests and a time, such as 300/60s".to_owned();
        let (count, period) = text.split_once('/').ok_or_else(wrong)?;
        let period = if period.starts_with(char::is_alphabetic) {
            parse_duration(&format!("1{period}"))
        } else {
            parse_duration(period)
        };
        match (count.parse(), period) {
            (Ok(count @ 1..), Ok(period)) if period >= Duration::from_millis(10) => Ok(Self { count, period }),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn limits_and_times_of_day_are_read_as_people_write_them() {
        let minute = Duration::from_secs(60);
        for text in ["300/60s", "300/1m", "300/min", "300/60"] {
            assert_eq!(text.parse(), Ok(Limit { count: 300, period: minute }), "{text}");
        }
        for wrong in ["300", "0/s", "x/s", "5/", "5/0s"] {
            assert!(wrong.parse::<Limit>().is_err(), "{wrong}");
        }
        let now: jiff::ZonedDateTime = "2026-03-28T23:00[UTC]".parse().expect("a time");
        let next =
            |text: &str| text.parse::<TimeOfDay>().expect("a time").next_after(&now).expect("a time").to_string();
        assert_eq!(next("23:30"), "2026-03-28T23:30:00+00:00[UTC]");
        assert_eq!(next("05:00"), "2026-03-29T05:00:00+00:00[UTC]");
        assert!("25:00".parse::<TimeOfDay>().is_err() && "5".parse::<TimeOfDay>().is_err());
    }
}

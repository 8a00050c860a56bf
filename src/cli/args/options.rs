//! Options shared by several commands, in groups.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};
use dectl::apply::Canary;
use dectl::client::rate_limiter::Rate;
use dectl::model::HANDSET_INTERVAL;
use dectl::plan::MaxChanges;
use dectl::runtime::parse_duration;

use super::values::{WindowEnd, nonzero_duration, number_of_deletions};
use crate::cli::exit::CliError;

/// How results and log lines are written.
#[derive(Clone, Copy, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputOptions {
    /// Output format
    #[arg(long, short, env = "DECTL_OUTPUT", hide_env_values = true, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Format,
    /// Color output
    #[arg(long, value_name = "WHEN", default_value = "auto", hide_short_help = true)]
    pub(crate) color: ColorChoice,
    /// Log each request; repeat to also log waits
    #[arg(long, short, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Suppress progress output; repeat to also suppress warnings of the log
    #[arg(long, short, action = clap::ArgAction::Count)]
    pub(crate) quiet: u8,
    /// Log format
    ///
    /// Without --verbose, --quiet and this, DECTL_LOG says what is logged: `info` each request, `debug` also waits, and
    /// `json` the format, e.g. DECTL_LOG=info,json.
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_short_help = true)]
    pub(crate) log_format: LogFormat,
}

impl OutputOptions {
    pub(crate) const fn is_quiet(&self) -> bool {
        self.quiet > 0
    }
}

/// Whether access codes are shown.
#[derive(Clone, Copy, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Output")]
pub(crate) struct CodeOptions {
    /// Show access codes instead of masking them
    #[arg(long)]
    pub(crate) show_codes: bool,
}

/// The format of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Human-readable text
    #[default]
    Text,
    /// One JSON document
    Json,
    /// Markdown for pull request comments
    Markdown,
    /// Self-contained HTML
    Html,
    /// Unified diff
    Diff,
    /// CSV
    Csv,
    /// JUnit XML; a location is a test case
    Junit,
    /// Code-quality report of GitLab
    Codequality,
}

impl Format {
    /// Name in `-o`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Diff => "diff",
            Self::Csv => "csv",
            Self::Junit => "junit",
            Self::Codequality => "codequality",
        }
    }
}

/// When to use colors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Human-readable lines
    #[default]
    Text,
    /// One JSON object per line
    Json,
}

const DEFAULT_API_URL: &str = "https://webexapis.com/v1";

const DEFAULT_JOURNAL_DIR: &str = ".dectl/runs";

/// Where the API is and which credentials are used.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionOptions {
    /// Base URL of the API with its version path
    #[arg(
        long,
        env = "WEBEX_API_URL",
        default_value = DEFAULT_API_URL,
        value_name = "URL",
        hide_short_help = true
    )]
    pub(crate) api_url: String,
    /// Organization ID [for tokens with access to several]
    #[arg(long, env = "WEBEX_ORG_ID", value_name = "ID", hide_env_values = true, hide_short_help = true)]
    pub(crate) org: Option<String>,
    /// Read the networks of this location alone, for the token of a location administrator (repeatable)
    ///
    /// Without it the organization is listed; if that is denied and every location of the files has an `id`, these are.
    #[arg(long, value_name = "ID", value_parser = clap::builder::NonEmptyStringValueParser::new(), hide_short_help = true)]
    pub(crate) location_id: Vec<String>,
    /// Read the access token from this file
    ///
    /// Without it the token is taken from WEBEX_ACCESS_TOKEN or WEBEX_TOKEN, or requested for a service app with
    /// SERVICE_APP_CLIENT_ID, SERVICE_APP_CLIENT_SECRET and SERVICE_APP_REFRESH_TOKEN.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Run this shell command to obtain the access token (30 s timeout)
    #[arg(long, env = "DECTL_TOKEN_COMMAND", hide_env_values = true, value_name = "COMMAND", hide_short_help = true)]
    pub(crate) token_command: Option<String>,
    /// Additional trusted CA certificates (PEM), e.g. of a TLS-inspecting proxy
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) ca_file: Option<PathBuf>,
    /// Connect timeout
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = nonzero_duration, hide_short_help = true)]
    pub(crate) connect_timeout: Duration,
    /// Request and idle timeout
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = nonzero_duration, hide_short_help = true)]
    pub(crate) timeout: Duration,
    /// Timeout for listing all networks
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = nonzero_duration, hide_short_help = true)]
    pub(crate) list_timeout: Duration,
    /// Use an embedded simulated organization instead of Webex
    ///
    /// STATE is a list of networks as returned by Webex, an export, or a size such as 500x4 (locations x networks).
    #[arg(long, value_name = "STATE", num_args = 0..=1, require_equals = true)]
    pub(crate) simulate: Option<Option<PathBuf>>,
}

/// Rate and retry options.
#[derive(Clone, Copy, Debug, ClapArgs)]
#[command(next_help_heading = "Rate limiting")]
pub(crate) struct ReadRateOptions {
    /// Maximum request rate, e.g. 5/s or 300/min
    #[arg(long, env = "DECTL_RATE", hide_env_values = true, value_name = "RATE")]
    pub(crate) rate: Option<Rate>,
    /// Maximum attempts per request on 5xx or network errors
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100), hide_short_help = true)]
    pub(crate) max_attempts: u32,
    /// How long to wait for the rate limit (HTTP 429) without one request let in
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = nonzero_duration, hide_short_help = true)]
    pub(crate) rate_limit_timeout: Duration,
}

/// Rate and retry options of commands that write.
#[derive(Clone, Copy, Debug, ClapArgs)]
#[command(next_help_heading = "Rate limiting")]
pub(crate) struct RateOptions {
    #[command(flatten)]
    pub(crate) read: ReadRateOptions,
    /// Maximum concurrent requests [default: 10, up to 32 while nothing is refused]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), hide_short_help = true)]
    pub(crate) concurrency: Option<u16>,
    /// Maximum writes at once in a location [default: no limit while the API takes them]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), hide_short_help = true)]
    pub(crate) writes_per_location: Option<u16>,
    /// How long to retry a locked location (HTTP 423)
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse_duration, hide_short_help = true)]
    pub(crate) lock_timeout: Duration,
    /// Time between two changes of the handsets of a network
    ///
    /// Cisco warns that within 90 seconds base stations may keep an old configuration until they are rebooted.
    #[arg(long, value_name = "DURATION", default_value = "90s", value_parser = parse_duration, hide_short_help = true)]
    pub(crate) handset_interval: Duration,
}

impl From<ReadRateOptions> for RateOptions {
    fn from(read: ReadRateOptions) -> Self {
        Self {
            read,
            concurrency: None,
            writes_per_location: None,
            lock_timeout: Duration::from_secs(600),
            handset_interval: HANDSET_INTERVAL,
        }
    }
}

/// The files of a command.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct FileOptions {
    /// Desired-state files, directories of them, or - for standard input [env: DECTL_FILES, separated as in PATH]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Treat file warnings as errors
    #[arg(long, hide_short_help = true)]
    pub(crate) strict: bool,
}

impl FileOptions {
    pub(crate) fn paths(&self) -> Result<Vec<PathBuf>, CliError> {
        files_or_variable(&self.files, "")
    }
}

/// The files of the command line, or else those of the environment.
fn files_or_variable(files: &[PathBuf], alternative: &str) -> Result<Vec<PathBuf>, CliError> {
    if !files.is_empty() {
        return Ok(files.to_vec());
    }
    let named = std::env::var_os("DECTL_FILES").unwrap_or_default();
    let named: Vec<PathBuf> = std::env::split_paths(&named).filter(|path| !path.as_os_str().is_empty()).collect();
    if named.is_empty() {
        return Err(CliError::refused(format!(
            "no files: name desired-state files or directories of them{alternative}, or set DECTL_FILES"
        )));
    }
    Ok(named)
}

/// Files or a saved plan.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct PlanSourceOptions {
    /// Desired-state files, directories of them, or - for standard input [env: DECTL_FILES, separated as in PATH]
    #[arg(conflicts_with = "plan", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Apply a saved plan; fail if the live state has drifted
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
    /// Treat file warnings as errors
    #[arg(long, hide_short_help = true)]
    pub(crate) strict: bool,
}

impl PlanSourceOptions {
    pub(crate) fn paths(&self) -> Result<Vec<PathBuf>, CliError> {
        files_or_variable(&self.files, ", or a saved plan with --plan")
    }
}

/// The scope of commands that are about whole locations.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(crate) struct LocationOptions {
    /// Limit to locations matching this glob, or not !GLOB (repeatable)
    #[arg(long, value_name = "GLOB")]
    pub(crate) location: Vec<String>,
}

/// Scope options.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Scope and limits")]
pub(crate) struct FilterOptions {
    #[command(flatten)]
    pub(crate) locations: LocationOptions,
    /// Limit to networks by a glob for the old or new name, or !GLOB (repeatable)
    #[arg(long, value_name = "GLOB")]
    pub(crate) network: Vec<String>,
}

impl FilterOptions {
    /// Whether nothing is filtered.
    pub(crate) const fn is_empty(&self) -> bool {
        self.locations.location.is_empty() && self.network.is_empty()
    }
}

impl From<LocationOptions> for FilterOptions {
    fn from(locations: LocationOptions) -> Self {
        Self { locations, network: Vec::new() }
    }
}

/// Scope and limit options.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Scope and limits")]
pub(crate) struct ScopeOptions {
    /// Maximum number of changes allowed without confirmation (N or `all`)
    ///
    /// By default 100; and where more than 10 networks, base stations or handsets change, 30 % of those of that kind.
    #[arg(long, value_name = "N")]
    pub(crate) max_changes: Option<MaxChanges>,
    /// Maximum number of networks, base stations and handsets that may be deleted [default: 0]
    #[arg(long, value_name = "N", hide_short_help = true, value_parser = number_of_deletions)]
    pub(crate) max_deletes: Option<usize>,
    /// Fail if a live network is not in any file
    #[arg(long, hide_short_help = true)]
    pub(crate) fail_on_unmanaged: bool,
    #[command(flatten)]
    pub(crate) filter: FilterOptions,
}

/// What may be changed although it is protected.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Scope and limits")]
pub(crate) struct AllowOptions {
    /// Change what files protect or freeze: the name of a location or network (repeatable)
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub(crate) allow: Vec<String>,
}

/// Journal option.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct JournalOptions {
    /// Journal directory
    #[arg(long, value_name = "DIR", env = "DECTL_JOURNAL", default_value = DEFAULT_JOURNAL_DIR, hide_short_help = true)]
    pub(crate) journal: PathBuf,
}

/// The options of a command that only reads.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct ReadOptions {
    #[command(flatten)]
    pub(crate) rate: ReadRateOptions,
    #[command(flatten)]
    pub(crate) connection: ConnectionOptions,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

/// The options of a command that writes.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct WriteOptions {
    #[command(flatten)]
    pub(crate) run: RunOptions,
    #[command(flatten)]
    pub(crate) rate: RateOptions,
    #[command(flatten)]
    pub(crate) connection: ConnectionOptions,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
    #[command(flatten)]
    pub(crate) codes: CodeOptions,
}

/// Apply options.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Apply options")]
pub(crate) struct RunOptions {
    /// Skip the confirmation prompt
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Re-read each network before updating it; abort on unexpected changes
    #[arg(long, hide_short_help = true)]
    pub(crate) reread: bool,
    /// Stop after the first failed update
    #[arg(long, hide_short_help = true)]
    pub(crate) fail_fast: bool,
    /// Skip the final verification read
    #[arg(long, hide_short_help = true)]
    pub(crate) no_verify: bool,
    /// Time allowed on shutdown to resolve temporary names [default: 5s without a TTY, otherwise unlimited]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, hide_short_help = true)]
    pub(crate) grace_period: Option<Duration>,
    #[command(flatten)]
    pub(crate) journal: JournalOptions,
    #[command(flatten)]
    pub(crate) rollout: RolloutOptions,
    #[command(flatten)]
    pub(crate) scope: ScopeOptions,
}

/// Rollout options.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Rollout")]
pub(crate) struct RolloutOptions {
    /// Apply to N locations (or those matching GLOB) first
    #[arg(long, value_name = "N|GLOB", value_parser = Canary::parse)]
    pub(crate) canary: Option<Canary>,
    /// Locations per wave after the canary
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), hide_short_help = true)]
    pub(crate) batch: Option<u32>,
    /// Wait time between waves, e.g. 5m
    #[arg(long, value_name = "DURATION", default_value = "0", hide_default_value = true, value_parser = parse_duration, hide_short_help = true)]
    pub(crate) soak: Duration,
    /// End of the maintenance window (local time); stop gracefully at that time
    ///
    /// A time of day within the next 16 hours, or a date and time such as 2026-11-26T05:30; with an offset (05:30+01:00, 05:30Z) it
    /// is not local time.
    #[arg(long, value_name = "HH:MM")]
    pub(crate) until: Option<WindowEnd>,
}

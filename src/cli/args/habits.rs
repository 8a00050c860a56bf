//! What the commands and options of other tools are called here.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Commands, each with what does here what it does elsewhere.
const COMMANDS: [(&[&str], &str); 16] = [
    (
        &["list", "ls", "get"],
        "`dectl export -o csv` lists what is there; `dectl status FILES` says what differs from files",
    ),
    (&["search", "grep", "locate", "where"], "`dectl find WHAT` says where something is"),
    (&["check", "test", "lint"], "`dectl validate FILES` checks files, `dectl auth check` the token"),
    (&["refresh", "pull", "fetch"], "every command reads the live state first; `dectl export` writes it to a file"),
    (&["diff", "preview"], "`dectl plan FILES` shows what would change"),
    (&["rollback", "revert", "restore"], "`dectl undo last` takes back the last run, `dectl undo RUN` an earlier one"),
    (&["history", "log", "logs"], "`dectl runs` lists the recorded runs"),
    (&["drift"], "`dectl status FILES` reports drift"),
    (&["import", "dump"], "`dectl export --write networks.yaml` writes a first file of what is there"),
    (
        &["login", "logout", "configure"],
        "set WEBEX_ACCESS_TOKEN or the variables of a service app; `dectl auth check` tries them",
    ),
    (&["init"], "`dectl export --write networks.yaml` writes a first file; nothing else is needed"),
    (&["sync", "push", "deploy", "update", "run", "up"], "`dectl apply FILES` applies the desired state"),
    (&["destroy", "delete", "remove", "rm"], "`state: absent` in an entry, and `dectl apply FILES --max-deletes N`"),
    (&["version"], "`dectl --version`"),
    (&["org", "organizations"], "`dectl orgs` lists the organizations of the token"),
    (&["mv", "renumber"], "`dectl rename PATTERN TEMPLATE` renames many, `renamedFrom` in an entry one"),
];

/// Options, in the same way.
const OPTIONS: [(&[&str], &str); 10] = [
    (
        &["--dry-run", "--dryrun", "--check", "--noop", "--what-if", "--diff"],
        "`dectl plan FILES` shows what apply would do; `rename` and `undo` apply nothing with `--out FILE`",
    ),
    (&["--auto-approve", "-auto-approve", "--assume-yes", "--non-interactive", "--no-input"], "`--yes`"),
    (&["--force"], "`--yes` applies without asking; limits are raised by `--max-changes` and `--max-deletes`"),
    (
        &["-f", "--file", "--filename", "--files"],
        "files are arguments without an option: `dectl apply networks.yaml sites/`",
    ),
    (
        &["--config", "--state"],
        "files are arguments without an option; what connects to Webex is in options such as `--token-file`",
    ),
    (
        &["--target", "--filter", "--limit", "--only", "--selector", "-l"],
        "`--location` and `--network` take names with `*`",
    ),
    (&["--format"], "`--output`, or `-o`"),
    (&["--json"], "`-o json`"),
    (&["--parallelism", "--parallel", "--workers", "--threads", "-parallelism"], "`--concurrency`"),
    (&["--debug", "--verbose"], "`-v`, or `-vv` for every request"),
];

/// Names what is meant, and leaves out tips that would lead astray: a word that begins with a hyphen is never meant as a
/// value here.
pub(super) fn translate(mut error: clap::Error) -> clap::Error {
    let is_option = error.kind() == ErrorKind::UnknownArgument;
    let table: &[(&[&str], &str)] = match error.kind() {
        ErrorKind::UnknownArgument => &OPTIONS,
        ErrorKind::InvalidSubcommand => &COMMANDS,
        _ => return error,
    };
    if is_option {
        error.remove(ContextKind::Suggested);
    }
    let invalid = if is_option { ContextKind::InvalidArg } else { ContextKind::InvalidSubcommand };
    let Some(ContextValue::String(invalid)) = error.get(invalid) else { return error };
    let invalid = invalid.split(['=', ' ']).next().unwrap_or_default().to_owned();
    // A long option with one hyphen is read as a short one.
    let given: Vec<String> = std::env::args().skip(1).filter(|given| given.starts_with(&invalid)).collect();
    let is_meant = |name: &&str| {
        **name == *invalid || is_option && given.iter().any(|given| given.split('=').next() == Some(name))
    };
    if let Some((_, tip)) = table.iter().find(|(names, _)| names.iter().any(is_meant)) {
        for misleading in [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand] {
            error.remove(misleading);
        }
        let tip = StyledStr::from(*tip);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error
}

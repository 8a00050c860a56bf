//! `dectl rename`: applies a rule once.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use dectl::client::{ApiClient, Priority};
use dectl::desired::{RenameRequest, SourceFormat};
use dectl::model::{LiveState, NetworkIndex, Setting};
use dectl::plan::model::ResourceKind;
use dectl::plan::{RequiredReads, Scope};
use dectl::reconcile::{
    CodeResolution, Error, Inputs, PlanSource, RunConfig, Unfinished, expect_last_run, find_unfinished_run,
    plan_to_csv, plan_to_yaml, prepare_from_list, protections_of, read_devices,
};
use dectl::report::{plural, sanitize};
use dectl::runtime::Shutdown;
use dectl::storage::{IfExists, PlanKey, write_private_file};

use super::export::write_error;
use super::inputs::{in_organization, read, save_plan, scope};
use super::output::{saved_plan_hint, shell_word, show_next_step, show_plan, show_unchanged};
use super::run_plan::{Apply, preflight, run_config};
use crate::cli::args::{WriteOptions, file_to_write};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;
use crate::cli::setup::{Connection, connect, plan_key};

#[derive(Debug, ClapArgs)]
pub(crate) struct RenameArgs {
    /// Regular expression that must match the whole current name
    ///
    /// Named groups, written (?<ward>…), are variables of the template. Case counts; (?i) ignores it.
    #[arg(value_name = "PATTERN")]
    pattern: String,
    /// Template of the new name, e.g. 'W{{ ward|pad(2) }}'
    ///
    /// Variables are the named groups, location, name, displayName and n, which counts the matching networks of a
    /// location; for handsets location, network, name, n and line1.extension, line1.number, line1.firstName,
    /// line1.lastName. Filters are those of the Jinja language and slug, truncate(length), pad(width).
    #[arg(value_name = "TEMPLATE")]
    template: String,
    /// Setting to match and replace (repeatable); customDisplayName renames handsets
    #[arg(long, value_name = "FIELD", default_value = "name", hide_short_help = true)]
    field: Vec<RenameField>,
    /// Also set the display name of every network whose name matches
    #[arg(long, value_name = "TEMPLATE", hide_short_help = true)]
    display_name: Option<String>,
    /// Write a desired-state file of the new names instead of applying them
    #[arg(long, value_name = "FILE", value_parser = file_to_write)]
    write: Option<PathBuf>,
    /// Overwrite an existing file
    #[arg(long, requires = "write", hide_short_help = true)]
    force: bool,
    /// Save the plan to FILE for `apply --plan` (contains access codes) instead of applying it
    #[arg(long, value_name = "FILE", value_parser = file_to_write)]
    out: Option<PathBuf>,
    /// Recompute the rename instead of resuming an unfinished run
    #[arg(long, hide_short_help = true)]
    restart: bool,
    /// File or directory whose `protected` and `frozen` hold for this rename, too (repeatable)
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    protections: Vec<PathBuf>,
    /// Change what --protections protect or freeze: the name of a location or network (repeatable)
    #[arg(long, value_name = "NAME", requires = "protections", hide_short_help = true)]
    allow: Vec<String>,
    #[command(flatten)]
    pub(crate) apply: WriteOptions,
}

/// A setting that a rename can replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RenameField {
    /// Name of the network
    Name,
    /// Name shown on handsets
    #[value(name = "displayName", alias = "display-name")]
    DisplayName,
    /// Name of a single handset
    #[value(name = "customDisplayName", alias = "custom-display-name")]
    CustomDisplayName,
}

impl RenameArgs {
    fn is_about_handsets(&self) -> bool {
        self.field.contains(&RenameField::CustomDisplayName)
    }

    /// Whether a file is written instead of applying the rename.
    pub(crate) const fn is_dry_run(&self) -> bool {
        self.write.is_some() || self.out.is_some()
    }
}

pub(super) async fn run(args: &RenameArgs, printer: &Printer, shutdown: &Shutdown) -> Result<ExitStatus, CliError> {
    let is_dry_run = args.is_dry_run();
    let key = if is_dry_run { plan_key()? } else { preflight(&args.apply.run, ", or --out")? };
    let scope = scope(&args.apply.run.scope.filter)?;
    let request = rename_request(args)?;
    // Of handsets this checks the pattern and the template; their names are read first.
    let mut inputs = rename_inputs(args, &request, &LiveState::default(), &scope)?;
    let protecting = match &args.protections[..] {
        [] => None,
        files => Some(read(files, false, CodeResolution::SyntaxOnly, shutdown).await?),
    };
    let connection = connect(&args.apply.connection, args.apply.rate, args.apply.output, shutdown).await?;
    let job = Job { args, scope: &scope, key: key.as_ref(), connection: &connection, printer };
    if !is_dry_run
        && !args.restart
        && let Some(exit) = job.resume(&inputs).await?
    {
        return Ok(exit);
    }
    expect_last_run(&args.apply.run.journal.journal, &connection.target, &connection.client);
    let mut live = connection.client.list_networks(Priority::Normal).await.map_err(Error::from)?;
    if args.is_about_handsets() {
        let networks = read_handsets(&mut live, &scope, &connection.client).await?;
        if !args.apply.output.is_quiet() {
            printer.note(&format!("read the handsets of {}\n", plural(networks, "network")));
        }
        inputs = rename_inputs(args, &request, &live, &scope)?;
    }
    if let Some(files) = protecting {
        let files = &in_organization(files, &connection).await?;
        inputs.protections = protections_of(files, &live)?;
    }
    inputs.protections.allow(&args.allow);
    if is_dry_run {
        return job.write(&inputs, live).await;
    }
    let config = RunConfig { resume_interrupted: !args.restart, ..job.config()? };
    job.apply(PlanSource::Inputs(inputs), Some(live), config).await
}

/// What every way to do a rename needs.
struct Job<'a> {
    args: &'a RenameArgs,
    scope: &'a Scope,
    key: Option<&'a PlanKey>,
    connection: &'a Connection,
    printer: &'a Printer,
}

impl Job<'_> {
    fn config(&self) -> Result<RunConfig<'_>, CliError> {
        let command = format!("rename {:?} {:?}", self.args.pattern, self.args.template);
        Ok(RunConfig { command, ..run_config(&self.args.apply, self.connection, self.key, self.printer)? })
    }

    async fn apply(
        &self,
        plan_source: PlanSource,
        listed: Option<LiveState>,
        config: RunConfig<'_>,
    ) -> Result<ExitStatus, CliError> {
        let apply = Apply {
            config,
            plan_source,
            listed,
            recreated: &[],
            metrics: None,
            client: &self.connection.client,
            quiet: self.args.apply.output.is_quiet(),
            printer: self.printer,
        };
        apply.run().await
    }

    /// Continues a run of the same rename that was interrupted; `None` if there is none.
    async fn resume(&self, inputs: &Inputs) -> Result<Option<ExitStatus>, CliError> {
        let Connection { client, target, .. } = self.connection;
        let journal = &self.args.apply.run.journal.journal;
        let earlier = find_unfinished_run(journal, self.key, inputs, self.scope, target, client).await;
        match earlier.map_err(|error| with_resume_hint(error, self.args))? {
            Unfinished::None => Ok(None),
            Unfinished::AlreadyDone { run } => {
                self.printer.note(&format!(
                    "note: run {run} of this rename was interrupted after its last write; it is complete\n"
                ));
                show_unchanged(self.printer);
                Ok(Some(ExitStatus::Success))
            }
            Unfinished::Plan { run, saved } => {
                self.printer.note(&format!("note: resuming the unfinished run {run} of this rename with its plan\n"));
                let config = RunConfig { resumes: Some(run), ..self.config()? };
                let exit = self.apply(PlanSource::SavedPlan(saved), None, config).await?;
                if exit == ExitStatus::Success {
                    self.printer
                        .note("note: the unfinished run is complete; the same command now computes a new rename\n");
                }
                Ok(Some(exit))
            }
        }
    }

    /// Shows the plan, and writes it as a saved plan or as a desired-state file.
    async fn write(&self, inputs: &Inputs, live: LiveState) -> Result<ExitStatus, CliError> {
        let Self { args, printer, connection, .. } = self;
        let (client, limits) = (&connection.client, &args.apply.run.scope);
        let prepared = prepare_from_list(inputs, self.scope, live, client.clock().now(), client).await?;
        let plan = prepared.checked.plan();
        if let Some(path) = args.write.as_ref().filter(|path| path.exists() && !args.force) {
            return Err(write_error(path, std::io::ErrorKind::AlreadyExists.into()));
        }
        let mut next = None;
        if let Some(path) = &args.out {
            save_plan(plan, inputs, (None, Vec::new()), path, args.apply.connection.org.clone(), limits, self.key)?;
            next = Some(saved_plan_hint(path, plan, limits));
        }
        if let Some(path) = &args.write {
            let remark = format!("Result of `dectl rename {:?} {:?}`.", args.pattern, args.template);
            let text = match SourceFormat::of(&path.to_string_lossy()) {
                SourceFormat::Csv => plan_to_csv(plan),
                SourceFormat::Yaml => plan_to_yaml(plan, &remark),
            };
            let existing = if args.force { IfExists::Overwrite } else { IfExists::Fail };
            write_private_file(path, text.as_bytes(), existing).map_err(|error| write_error(path, error))?;
            next = Some(format!("`dectl apply {}`, after a review of the file", shell_word(path)));
        }
        show_plan(plan, limits.max_deletes, printer);
        if let Some(next) = next {
            show_next_step(&next, plan, args.apply.output, printer);
        }
        Ok(ExitStatus::Success)
    }
}

/// The new names: of networks as a rule, of handsets as a change for each of `live`.
fn rename_inputs(
    args: &RenameArgs,
    request: &RenameRequest,
    live: &LiveState,
    scope: &Scope,
) -> Result<Inputs, CliError> {
    let inputs = if args.is_about_handsets() {
        Inputs::from_handset_rename(request, live, scope)
    } else {
        Inputs::from_rename(request)
    };
    inputs.map_err(|invalid_input| CliError::InvalidInput {
        message: "invalid pattern or template".to_owned(),
        input: Box::new(invalid_input),
    })
}

/// Reads the handsets of all networks in scope that have some; their number.
async fn read_handsets(live: &mut LiveState, scope: &Scope, client: &ApiClient) -> Result<usize, CliError> {
    let networks: Vec<NetworkIndex> = scope.networks(live).collect();
    let reads = RequiredReads::of_kinds(&[ResourceKind::Handset], &networks, live);
    let count = reads.of(ResourceKind::Handset).len();
    read_devices(live, reads, client).await?;
    Ok(count)
}

/// What the options ask for, if they go together.
fn rename_request(args: &RenameArgs) -> Result<RenameRequest, CliError> {
    let mut settings: Vec<Setting> = args
        .field
        .iter()
        .filter_map(|field| match field {
            RenameField::Name => Some(Setting::Name),
            RenameField::DisplayName => Some(Setting::DisplayName),
            RenameField::CustomDisplayName => None,
        })
        .collect();
    settings.sort();
    settings.dedup();
    if args.display_name.is_some() && !settings.contains(&Setting::Name) && !args.is_about_handsets() {
        return Err(CliError::refused(
            "--display-name cannot be used with --field displayName alone; it sets the display name of networks whose name matches",
        ));
    }
    if args.is_about_handsets() && (!settings.is_empty() || args.display_name.is_some()) {
        return Err(CliError::refused(
            "--field customDisplayName cannot be combined with other fields or --display-name",
        ));
    }
    Ok(RenameRequest {
        settings,
        pattern: args.pattern.clone(),
        template: args.template.clone(),
        display_name: args.display_name.clone(),
    })
}

fn with_resume_hint(error: Error, args: &RenameArgs) -> CliError {
    if !matches!(error, Error::Drift(_)) {
        return error.into();
    }
    let dir = args.apply.run.journal.journal.display().to_string();
    CliError::refused(format!(
        "an earlier run of this rename in {} is unfinished and its plan no longer matches the live state: {error}; \
         use --restart to recompute the rename",
        sanitize(&dir)
    ))
}

//! `dectl export`: the live state as a desired-state file.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use dectl::client::{ApiClient, Priority};
use dectl::desired::{CodeExport, Export, has_desired_state_extension, unique_file_stems};
use dectl::model::{LiveState, LocationIndex, NetworkIndex};
use dectl::plan::model::ResourceKind;
use dectl::plan::{RequiredReads, is_temporary};
use dectl::reconcile::{Error, PairingNetwork, Reached, UnreadDevices, read_pairing, read_readable_devices};
use dectl::report::{CodeVisibility, pairing, plural, sanitize};
use dectl::resources::calls;
use dectl::runtime::Shutdown;
use dectl::storage::{IfExists, create_private_dir, write_private_file};

use super::export_update::{self, UpdateOptions};
use super::inputs::scope;
use super::manual::{SCHEMA_FILE, modeline};
use super::output::shell_word;
use crate::cli::args::{Format, LocationOptions, ReadOptions, file_to_write, kinds};
use crate::cli::exit::{CliError, ExitStatus};
use crate::cli::printer::Printer;
use crate::cli::setup::connect;

#[derive(Debug, ClapArgs)]
pub(crate) struct ExportArgs {
    /// Write to this file instead of standard output (mode 0600, contains access codes)
    #[arg(long, value_name = "FILE", conflicts_with = "split", value_parser = file_to_write)]
    write: Option<PathBuf>,
    /// Write one file per location into this directory
    #[arg(long, value_name = "DIR", value_parser = file_to_write)]
    split: Option<PathBuf>,
    /// Overwrite existing files
    #[arg(long)]
    force: bool,
    /// Omit access codes
    #[arg(long, conflicts_with = "show_codes")]
    no_codes: bool,
    /// With `-o csv`: add a column of access codes, which a table of networks has on request only; with --update: show them
    /// in the diff
    #[arg(long)]
    show_codes: bool,
    /// Omit comments that change by themselves, such as names of persons: for a file that is committed
    #[arg(long)]
    no_remarks: bool,
    /// Also export what belongs to the networks (comma-separated); with `-o csv` a table of base stations or handsets alone,
    /// or a column that says whether serviceability passwords are enabled
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = kinds::one_of(&ResourceKind::OF_NETWORK))]
    include: Vec<ResourceKind>,
    /// The sheet for an installer: networks with base stations, handsets and what was never registered, or with --include
    /// only these; as `-o csv`, or as `-o html` to print, with access codes only by --show-codes
    #[arg(long, conflicts_with_all = ["split", "no_codes", "no_remarks"], hide_short_help = true)]
    pairing: bool,
    #[command(flatten)]
    filter: LocationOptions,
    #[command(flatten)]
    update: UpdateOptions,
    #[command(flatten)]
    pub(crate) read: ReadOptions,
}

pub(super) async fn run(args: &ExportArgs, printer: &Printer, shutdown: &Shutdown) -> Result<ExitStatus, CliError> {
    if !args.update.update.is_empty() {
        if args.read.output.output != Format::Text {
            return Err(CliError::refused("`--update` shows a unified diff; it has no other format"));
        }
        return export_update::run(&args.update, &args.filter, args.show_codes, &args.read, printer, shutdown).await;
    }
    if args.pairing {
        return pairing_sheet(args, printer, shutdown).await;
    }
    let format = format(args)?;
    let scope = scope(&args.filter.clone().into())?;
    let connection = connect(&args.read.connection, args.read.rate.into(), args.read.output, shutdown).await?;
    if format == Format::Json {
        let bytes = connection.client.read(&calls::list_networks_raw(), Priority::Normal).await.map_err(Error::from)?;
        return write(args, printer, &[(args.write.clone(), bytes)]);
    }
    let mut live = connection.client.list_networks(Priority::Normal).await.map_err(Error::from)?;
    if live.is_empty() && live.is_limited() {
        return Err(CliError::refused("the locations of --location-id have no DECT networks; check the ids"));
    }
    let locations: Vec<LocationIndex> =
        live.locations().filter(|(_, location)| scope.includes_location(&location.name)).map(|(at, _)| at).collect();
    Error::check_scope(&scope, &live, [])?;
    let unread = read_included(args, &mut live, &locations, &connection.client, printer).await?;
    let reached = match format {
        // What the token may not read is left out.
        Format::Text if !connection.target.simulated => {
            Reached::read(connection.target.org.as_deref(), &connection.client).await.ok()
        }
        _ => None,
    };
    let organization = reached.as_ref().map(|reached| &reached.organization);
    let export = Export {
        live: &live,
        organization: organization.map(|one| (&*one.id, one.name.as_deref())),
        codes: if has_codes(args) { CodeExport::Include } else { CodeExport::Omit },
        with_remarks: !args.no_remarks,
        is_temporary_name: &is_temporary,
    };
    let files = files(args, format, &locations, &export, printer);
    let exit = write(args, printer, &files)?;
    show_schema_hint(args, &files, printer);
    if let Some(dir) = &args.split {
        let ids: Vec<&str> = locations.iter().map(|at| live.location(*at).id.as_str()).collect();
        warn_about_superseded(dir, &files, &ids, printer);
    }
    Ok(if unread.is_empty() { exit } else { ExitStatus::Error })
}

/// Reads the devices that are exported, too; those that could not be read are named and left out.
async fn read_included(
    args: &ExportArgs,
    live: &mut LiveState,
    locations: &[LocationIndex],
    client: &ApiClient,
    printer: &Printer,
) -> Result<Vec<UnreadDevices>, CliError> {
    let networks: Vec<NetworkIndex> = locations.iter().flat_map(|at| live.networks_of(*at)).map(|(at, _)| at).collect();
    let reads = RequiredReads::of_kinds(&args.include, &networks, live);
    for kind in ResourceKind::ALL.into_iter().filter(|kind| args.include.contains(kind) && !args.read.output.is_quiet())
    {
        let networks = plural(reads.of(kind).len(), "network");
        printer.note(&format!("reading the {}s of {networks}\n", kind.noun()));
    }
    let unread = match args.include[..] {
        [] => Vec::new(),
        _ => read_readable_devices(live, reads, client).await?,
    };
    for devices in &unread {
        printer.note(&format!("error: {}; they are not exported\n", sanitize(&devices.to_string())));
    }
    Ok(unread)
}

/// The texts with the files they belong into: one of all locations, or with --split one for each.
fn files(
    args: &ExportArgs,
    format: Format,
    locations: &[LocationIndex],
    export: &Export<'_>,
    printer: &Printer,
) -> Vec<(Option<PathBuf>, Vec<u8>)> {
    let file = |path: Option<PathBuf>, locations: &[LocationIndex]| {
        let exported = match format {
            Format::Csv => export.csv(&args.include, locations),
            _ => export.yaml(locations),
        };
        for omitted in &exported.omitted {
            printer.note(&format!("omitted {}\n", sanitize(omitted)));
        }
        let text = match format {
            Format::Csv => exported.text,
            _ => format!("{}\n{}", modeline(&schema_beside(path.as_deref()).path), exported.text),
        };
        (path, text.into_bytes())
    };
    match &args.split {
        None => vec![file(args.write.clone(), locations)],
        Some(dir) => {
            let paths = paths(dir, format, locations, export.live);
            locations.iter().zip(paths).map(|(at, path)| file(Some(path), &[*at])).collect()
        }
    }
}

/// How editors complete the files that were written, if they do not yet.
fn show_schema_hint(args: &ExportArgs, files: &[(Option<PathBuf>, Vec<u8>)], printer: &Printer) {
    let mut yaml = files.iter().filter_map(|(path, _)| path.as_deref());
    let is_table = args.read.output.output == Format::Csv;
    if is_table || args.read.output.is_quiet() || yaml.all(|path| schema_beside(Some(path)).exists) {
        return;
    }
    let dir = args.split.as_deref().or_else(|| args.write.as_deref().and_then(Path::parent));
    let path = dir.unwrap_or(Path::new("")).join(SCHEMA_FILE);
    printer.note(&format!("Next: for completion in editors, `dectl schema --write {}`.\n", shell_word(&path)));
}

fn warn_about_superseded(dir: &Path, files: &[(Option<PathBuf>, Vec<u8>)], ids: &[&str], printer: &Printer) {
    for path in superseded(dir, files, ids) {
        printer.note(&format!(
            "warning: {} describes the same locations as the files just written, probably under a former name; \
             delete it, or both will be read\n",
            sanitize(&path.display().to_string())
        ));
    }
}

/// The sheet for an installer, as a table or as pages to print.
async fn pairing_sheet(args: &ExportArgs, printer: &Printer, shutdown: &Shutdown) -> Result<ExitStatus, CliError> {
    let codes = if args.show_codes { CodeVisibility::Shown } else { CodeVisibility::Masked };
    let text: fn(&[PairingNetwork], CodeVisibility) -> String = match args.read.output.output {
        Format::Csv => pairing::csv,
        Format::Html => pairing::page,
        _ => return Err(CliError::refused("`--pairing` is a table or pages to print: add `-o csv` or `-o html`")),
    };
    let connection = connect(&args.read.connection, args.read.rate.into(), args.read.output, shutdown).await?;
    if !args.include.iter().all(|kind| ResourceKind::DEVICES.contains(kind)) {
        return Err(CliError::refused("the sheet of `--pairing` has base stations and handsets only"));
    }
    let kinds = if args.include.is_empty() { &ResourceKind::DEVICES[..] } else { &args.include };
    let (networks, unread) = read_pairing(&scope(&args.filter.clone().into())?, kinds, &connection.client).await?;
    for devices in &unread {
        printer.note(&format!("error: {}; they are not on the sheet\n", sanitize(&devices.to_string())));
    }
    let exit = write(args, printer, &[(args.write.clone(), text(&networks, codes).into_bytes())])?;
    Ok(if unread.is_empty() { exit } else { ExitStatus::Error })
}

/// Where the first line of a file sends an editor.
struct SchemaPath {
    /// From the directory of the file.
    path: String,
    exists: bool,
}

/// The schema in the directory of a file or in one above it, as `dectl schema --write` leaves it there.
fn schema_beside(file: Option<&Path>) -> SchemaPath {
    let file = std::path::absolute(file.unwrap_or(Path::new("-"))).unwrap_or_default();
    let mut path = String::new();
    for dir in file.ancestors().skip(1) {
        if dir.join(SCHEMA_FILE).is_file() {
            return SchemaPath { path: path + SCHEMA_FILE, exists: true };
        }
        path.push_str("../");
    }
    SchemaPath { path: SCHEMA_FILE.to_owned(), exists: false }
}

/// Files beside the written ones that contain a location of the export, as an export leaves behind when a location is
/// renamed.
fn superseded(dir: &Path, written: &[(Option<PathBuf>, Vec<u8>)], ids: &[&str]) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| has_desired_state_extension(path))
        .filter(|path| !written.iter().any(|(one, _)| one.as_ref() == Some(path)))
        .filter(|path| std::fs::read_to_string(path).is_ok_and(|text| ids.iter().any(|id| text.contains(id))))
        .collect();
    found.sort();
    found
}

/// Whether access codes are written: to a table of networks on request only, and never to one of devices.
fn has_codes(args: &ExportArgs) -> bool {
    match args.read.output.output {
        _ if args.pairing => args.show_codes,
        Format::Csv => args.show_codes && args.include.is_empty(),
        _ => !args.no_codes,
    }
}

fn format(args: &ExportArgs) -> Result<Format, CliError> {
    if args.read.output.output == Format::Html {
        return Err(CliError::refused("`-o html` is for `--pairing`; an export is YAML, `-o csv` or `-o json`"));
    }
    let is_partial = !args.read.connection.location_id.is_empty()
        || args.no_codes
        || args.split.is_some()
        || !args.filter.location.is_empty()
        || !args.include.is_empty();
    if args.read.output.output == Format::Json && is_partial {
        return Err(CliError::refused(
            "`-o json` prints the list as returned by Webex; it cannot be combined with --no-codes, --split, \
             --include, --location or --location-id",
        ));
    }
    let is_of_devices = args.include.iter().any(|kind| ResourceKind::DEVICES.contains(kind));
    if args.show_codes && (args.read.output.output != Format::Csv || is_of_devices) {
        return Err(CliError::refused(
            "`--show-codes` is for tables of networks with `-o csv`; YAML has access codes unless --no-codes omits them, and \
             tables of devices have none",
        ));
    }
    if args.read.output.output == Format::Csv && args.include.len() > 1 {
        return Err(CliError::refused("a table holds one kind of things; use `--include` with one of them, or YAML"));
    }
    let ending = args.write.as_deref().and_then(Path::extension).unwrap_or_default().to_ascii_lowercase();
    let is_table = args.read.output.output == Format::Csv;
    if is_table && (ending == "yaml" || ending == "yml" || ending == "json") || !is_table && ending == "csv" {
        let format = args.read.output.output.name();
        return Err(CliError::refused(format!(
            "a file with the ending .{} is not read as the format of `-o {format}`; name it otherwise, or use another format",
            ending.display()
        )));
    }
    Ok(args.read.output.output)
}

/// One file per location, named after it.
fn paths(dir: &Path, format: Format, locations: &[LocationIndex], live: &LiveState) -> Vec<PathBuf> {
    let extension = if format == Format::Csv { "csv" } else { "yaml" };
    let names = locations.iter().map(|at| &*live.location(*at).name);
    unique_file_stems(names).into_iter().map(|name| dir.join(format!("{name}.{extension}"))).collect()
}

/// Writes all files, or none if one of them exists and must not be overwritten.
fn write(args: &ExportArgs, printer: &Printer, texts: &[(Option<PathBuf>, Vec<u8>)]) -> Result<ExitStatus, CliError> {
    let existing = if args.force { IfExists::Overwrite } else { IfExists::Fail };
    if existing == IfExists::Fail
        && let Some(path) =
            texts.iter().filter_map(|(path, _)| path.as_ref()).find(|path| path.symlink_metadata().is_ok())
    {
        return Err(write_error(path, io::ErrorKind::AlreadyExists.into()));
    }
    if let Some(dir) = &args.split {
        create_private_dir(dir).map_err(|error| write_error(dir, error))?;
    }
    for (path, bytes) in texts {
        match path {
            Some(path) => write_private_file(path, bytes, existing).map_err(|error| write_error(path, error))?,
            None => printer.bytes(bytes),
        }
    }
    let written = texts.iter().filter(|(path, _)| path.is_some()).count();
    if written > 0 {
        let codes = if has_codes(args) { " (with access codes)" } else { "" };
        printer.note(&format!("wrote {}{codes}\n", plural(written, "file")));
    }
    Ok(ExitStatus::Success)
}

pub(super) fn write_error(path: &Path, error: io::Error) -> CliError {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::AlreadyExists => {
            CliError::refused(format!("{path} already exists; nothing was written (use --force to overwrite it)"))
        }
        _ => CliError::failed(format!("cannot write {path}"), error),
    }
}

//! `dectl export`: the live state as a desired-state file.

use std::io;
use std::path::{Path, PathBuf};

use dectl::client::Priority;
use dectl::desired::{CodeExport, Export as Exporting, Exported, unique_file_stems};
use dectl::model::{LiveState, LocationIndex};
use dectl::plan::is_temporary;
use dectl::reconcile::Error;
use dectl::record::{Existing, create_folder, write_private};
use dectl::report::visible;
use dectl::runtime::Shutdown;

use super::inputs::scope;
use crate::cli::args::{Common, Export, Format};
use crate::cli::exit::{Exit, Failed};
use crate::cli::printer::Printer;
use crate::cli::setup::connect;

pub(super) async fn run(
    flags: &Export,
    common: &Common,
    printer: &Printer,
    shutdown: Shutdown,
) -> Result<Exit, Failed> {
    let format = format(flags, common)?;
    let scope = scope(&flags.location, &[])?;
    let connection = connect(common, flags.pace, shutdown).await?;
    if format == Format::Json {
        let bytes = connection.client.list_raw().await.map_err(Error::from)?;
        return write(flags, printer, &[(flags.write.clone(), bytes)]);
    }
    let live = connection.client.list(Priority::Normal).await.map_err(Error::from)?;
    let locations: Vec<LocationIndex> =
        live.locations().filter(|(_, location)| scope.has_location(&location.name)).map(|(at, _)| at).collect();
    if locations.is_empty() && !flags.location.is_empty() {
        return Err(Failed::of("no location with DECT networks has a name that matches"));
    }
    let export = Exporting {
        live: &live,
        codes: if flags.no_codes { CodeExport::Omit } else { CodeExport::Include },
        is_temporary_name: &is_temporary,
    };
    let exported = |locations: &[LocationIndex]| match format {
        Format::Csv => export.csv(locations),
        _ => export.yaml(locations),
    };
    let texts: Vec<(Option<PathBuf>, Exported)> = match &flags.split {
        None => vec![(flags.write.clone(), exported(&locations))],
        Some(folder) => {
            let paths = paths(folder, format, &locations, &live);
            locations.iter().zip(paths).map(|(at, path)| (Some(path), exported(&[*at]))).collect()
        }
    };
    for omitted in texts.iter().flat_map(|(_, exported)| &exported.omitted) {
        printer.remark(&format!("left out: {}\n", visible(omitted)));
    }
    let texts: Vec<(Option<PathBuf>, Vec<u8>)> =
        texts.into_iter().map(|(path, exported)| (path, exported.text.into_bytes())).collect();
    write(flags, printer, &texts)
}

fn format(flags: &Export, common: &Common) -> Result<Format, Failed> {
    let is_cut = flags.no_codes || flags.split.is_some() || !flags.location.is_empty();
    if common.output == Format::Json && is_cut {
        return Err(Failed::of(
            "-o json is the list as Webex sends it: --no-codes, --split and --location do not go with it",
        ));
    }
    Ok(common.output)
}

/// A file for every location, called like it.
fn paths(folder: &Path, format: Format, locations: &[LocationIndex], live: &LiveState) -> Vec<PathBuf> {
    let extension = if format == Format::Csv { "csv" } else { "yaml" };
    let names = locations.iter().map(|at| &*live.location(*at).name);
    unique_file_stems(names).into_iter().map(|name| folder.join(format!("{name}.{extension}"))).collect()
}

/// Writes all files or, if one of them is there already and is to be kept, none.
fn write(flags: &Export, printer: &Printer, texts: &[(Option<PathBuf>, Vec<u8>)]) -> Result<Exit, Failed> {
    let existing = if flags.force { Existing::Replaced } else { Existing::Kept };
    if existing == Existing::Kept
        && let Some(path) =
            texts.iter().filter_map(|(path, _)| path.as_ref()).find(|path| path.symlink_metadata().is_ok())
    {
        return Err(not_written(path, &io::ErrorKind::AlreadyExists.into()));
    }
    if let Some(folder) = &flags.split {
        create_folder(folder).map_err(|error| not_written(folder, &error))?;
    }
    for (path, bytes) in texts {
        match path {
            Some(path) => write_private(path, bytes, existing).map_err(|error| not_written(path, &error))?,
            None => printer.bytes(bytes),
        }
    }
    let written = texts.iter().filter(|(path, _)| path.is_some()).count();
    if written > 0 {
        let codes = if flags.no_codes { "" } else { "; they hold access codes" };
        let files = if written == 1 { "1 file" } else { &format!("{written} files") };
        printer.remark(&format!("{files} written{codes}\n"));
    }
    Ok(Exit::Done)
}

/// Why a file was not written.
pub(super) fn not_written(path: &Path, error: &io::Error) -> Failed {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Failed::of(format!("{path} is there already, so nothing was written: give --force to replace it"))
        }
        _ => Failed::of(format!("{path} cannot be written: {error}")),
    }
}

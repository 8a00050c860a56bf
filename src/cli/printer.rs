//! Standard output carries the result, standard error everything else.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::{self, Write};
use std::path::PathBuf;

use anstream::AutoStream;
use dectl::diagnostic::{Diagnostics, Sources};
use dectl::plan::model::Plan;
use dectl::report::{self, CodeVisibility, annotations, json};

use super::args::{CodeOptions, ColorChoice, Format, LogFormat, OutputOptions};
use super::exit::{CliError, ExitStatus};
use super::log_line::eprint_json;

/// Prints results, errors and notes.
#[derive(Debug)]
pub(crate) struct Printer {
    format: Format,
    colors: anstream::ColorChoice,
    codes: CodeVisibility,
    log_format: LogFormat,
    is_verbose: bool,
    /// At most one document is printed.
    result_printed: Cell<bool>,
    /// The result could not be written, for another reason than a closed pipe.
    write_failed: Cell<bool>,
}

impl Printer {
    pub(crate) fn new(output: OutputOptions, codes: CodeOptions) -> Self {
        let colors = match output.color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::AlwaysAnsi,
            ColorChoice::Never => anstream::ColorChoice::Never,
        };
        let codes = if codes.show_codes { CodeVisibility::Shown } else { CodeVisibility::Masked };
        let (result_printed, write_failed) = (Cell::new(false), Cell::new(false));
        Self {
            format: output.output,
            colors,
            codes,
            log_format: output.log_format,
            is_verbose: output.verbose > 0,
            result_printed,
            write_failed,
        }
    }

    pub(crate) const fn format(&self) -> Format {
        self.format
    }

    pub(crate) const fn codes(&self) -> CodeVisibility {
        self.codes
    }

    /// Prints the result to standard output.
    pub(crate) fn result(&self, text: &str) {
        self.result_printed.set(true);
        self.write(AutoStream::new(io::stdout().lock(), self.colors), without_commands(text, self.format).as_bytes());
    }

    /// Prints the result as raw bytes.
    pub(crate) fn bytes(&self, bytes: &[u8]) {
        self.result_printed.set(true);
        self.write(io::stdout().lock(), bytes);
    }

    /// Prints an intermediate text: to standard output with `-o text`, else to standard error beside the document.
    pub(crate) fn preview(&self, text: &str) {
        if self.format == Format::Text {
            self.write(
                AutoStream::new(io::stdout().lock(), self.colors),
                without_commands(text, Format::Text).as_bytes(),
            );
        } else {
            self.note(text);
        }
    }

    pub(crate) const fn log_format(&self) -> LogFormat {
        self.log_format
    }

    /// Prints to standard error.
    pub(crate) fn note(&self, text: &str) {
        self.print_stderr("INFO", text);
    }

    /// Prints commands for GitHub Actions.
    fn command(&self, commands: &str) {
        // A closed standard error must not end a run.
        let _gone = io::stderr().lock().write_all(commands.as_bytes());
    }

    /// Whether the result could not be written.
    pub(crate) const fn has_failed(&self) -> bool {
        self.write_failed.get()
    }

    fn print_stderr(&self, level: &str, text: &str) {
        if self.log_format == LogFormat::Json {
            return eprint_json(level, text);
        }
        let mut stream = AutoStream::new(io::stderr().lock(), self.colors);
        // A closed standard error must not end a run.
        let _gone = stream.write_all(without_commands(text, Format::Text).as_bytes()).and_then(|()| stream.flush());
    }

    /// Prints an error with the diagnostics of the files.
    pub(crate) fn error(&self, failed: &CliError) {
        let diagnostics =
            failed.invalid_input().map(|invalid_input| (&invalid_input.diagnostics, &*invalid_input.sources));
        let message = failed.to_string();
        let document = match self.format {
            Format::Text | Format::Diff | Format::Csv => None,
            Format::Junit => Some(report::junit::error(&message, diagnostics)),
            Format::Codequality => {
                diagnostics.map(|(found, sources)| annotations::code_quality(found, sources, repository().as_deref()))
            }
            Format::Json => Some(json::text(&json::error(&message, diagnostics))),
            Format::Markdown => Some(report::markdown::error(&message, diagnostics)),
            Format::Html => Some(report::html::error(&message, diagnostics)),
        };
        if let Some(document) = document.as_ref().filter(|_| !self.result_printed.get()) {
            self.result(document);
        }
        if let Some((diagnostics, sources)) = diagnostics {
            self.annotate(diagnostics, sources);
        } else if is_github() && self.log_format == LogFormat::Text {
            self.command(&annotations::github_error(&message));
        }
        // The formats for a forge are read by no person.
        let is_read = matches!(self.format, Format::Json | Format::Markdown | Format::Html);
        if let Some(invalid_input) = failed.invalid_input().filter(|_| !is_read) {
            let text = report::diagnostics_text(&invalid_input.diagnostics, &invalid_input.sources, self.width());
            self.print_stderr("ERROR", &text);
            self.print_stderr("ERROR", &format!("{}\n", invalid_input.summary()));
        } else {
            let style = anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Red.into()));
            self.print_stderr("ERROR", &format!("{style}error{style:#}: {}\n", report::sanitize(&message)));
            if self.is_verbose {
                for cause in failed.causes() {
                    self.print_stderr("ERROR", &format!("  caused by: {}\n", report::sanitize(&cause)));
                }
            }
        }
    }

    /// Prints warnings about files to standard error.
    pub(crate) fn warnings(&self, warnings: &Diagnostics, sources: &Sources) {
        self.annotate(warnings, sources);
        self.note(&report::diagnostics_text(warnings, sources, self.width()));
    }

    /// In GitHub Actions, diagnostics are annotations at their lines, too.
    fn annotate(&self, diagnostics: &Diagnostics, sources: &Sources) {
        if is_github() && self.log_format == LogFormat::Text {
            self.command(&annotations::github(diagnostics, sources, repository().as_deref()));
        }
    }

    /// The same for the warnings of a plan that is printed.
    pub(crate) fn annotate_plan(&self, plan: &Plan) {
        if is_github() && self.log_format == LogFormat::Text {
            self.command(&annotations::github_plan(&plan.said(), repository().as_deref()));
        }
    }

    /// The width of the terminal, for wrapping.
    pub(crate) fn width(&self) -> usize {
        terminal_size::terminal_size_of(io::stderr()).map_or(100, |(width, _)| width.0.into())
    }

    /// Exit status; a failed write to stdout turns success into an error.
    pub(crate) fn exit_status(&self, exit: ExitStatus) -> ExitStatus {
        match exit {
            ExitStatus::Success | ExitStatus::Drift if self.write_failed.get() => ExitStatus::Error,
            _ => exit,
        }
    }

    /// Exit status of a command that has sent writes.
    pub(crate) fn exit_status_after_writes(&self, exit: ExitStatus) -> ExitStatus {
        if self.write_failed.get() && exit == ExitStatus::Success { ExitStatus::Incomplete } else { exit }
    }

    fn write(&self, mut stream: impl Write, bytes: &[u8]) {
        if let Err(error) = stream.write_all(bytes).and_then(|()| stream.flush()) {
            // `dectl plan … | head` closes the pipe, which is no error.
            if error.kind() != io::ErrorKind::BrokenPipe {
                self.write_failed.set(true);
                self.print_stderr("ERROR", &format!("error: cannot write to standard output: {error}\n"));
            }
        }
    }
}

/// The same text without what GitHub Actions would execute: names come from files and from Webex. The runner takes a line
/// that begins with `::` for a command, and `##[` anywhere in it.
pub(crate) fn without_commands(text: &str, format: Format) -> Cow<'_, str> {
    if !is_github() || !text.contains("::") && !text.contains("##[") {
        return Cow::Borrowed(text);
    }
    // In the way that each format escapes a character.
    let hash = match format {
        Format::Json | Format::Codequality => r"\u0023",
        Format::Markdown | Format::Html | Format::Junit => "&#35;",
        Format::Text | Format::Diff | Format::Csv => r"\#",
    };
    let text = text.replace("##[", &format!("#{hash}["));
    let is_command = |line: &str| anstream::adapter::strip_str(line).to_string().trim_start().starts_with("::");
    let lines = text.split_inclusive('\n');
    lines.map(|line| if is_command(line) { format!("\\{line}") } else { line.to_owned() }).collect()
}

fn is_github() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// The root of the repository that a pipeline has checked out.
pub(crate) fn repository() -> Option<PathBuf> {
    ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"].into_iter().find_map(std::env::var_os).map(PathBuf::from)
}

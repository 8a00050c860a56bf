//! Who writes where: the result on standard output, everything else on standard error.

use std::cell::Cell;
use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use dectl::report::{self, Codes, json};

use super::args::{Colors, Common, Format};
use super::exit::{Exit, Failed};

/// Prints results, errors and remarks.
#[derive(Debug)]
pub(crate) struct Printer {
    format: Format,
    colors: ColorChoice,
    codes: Codes,
    /// A document has been printed; there is only ever one.
    documented: Cell<bool>,
    /// What was to be printed is lost, and not because its reader went away.
    lost: Cell<bool>,
}

impl Printer {
    pub(crate) fn new(common: &Common) -> Self {
        let colors = match common.color {
            Colors::Auto => ColorChoice::Auto,
            Colors::Always => ColorChoice::AlwaysAnsi,
            Colors::Never => ColorChoice::Never,
        };
        let codes = if common.show_codes { Codes::Shown } else { Codes::Masked };
        Self { format: common.output, colors, codes, documented: Cell::new(false), lost: Cell::new(false) }
    }

    pub(crate) const fn format(&self) -> Format {
        self.format
    }

    pub(crate) const fn codes(&self) -> Codes {
        self.codes
    }

    /// Prints the result.
    pub(crate) fn result(&self, text: &str) {
        self.documented.set(true);
        self.write(AutoStream::new(io::stdout().lock(), self.colors), text.as_bytes());
    }

    /// Prints a result byte by byte.
    pub(crate) fn bytes(&self, bytes: &[u8]) {
        self.documented.set(true);
        self.write(io::stdout().lock(), bytes);
    }

    /// Prints what belongs to the way there: on standard output for people, on standard error beside a document.
    pub(crate) fn preview(&self, text: &str) {
        if self.format == Format::Text {
            self.write(AutoStream::new(io::stdout().lock(), self.colors), text.as_bytes());
        } else {
            self.remark(text);
        }
    }

    /// Prints to standard error.
    pub(crate) fn remark(&self, text: &str) {
        let mut stream = AutoStream::new(io::stderr().lock(), self.colors);
        // Nobody can be told that standard error is gone.
        let _gone = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    }

    /// Prints an error, with everything that is wrong with the files.
    pub(crate) fn error(&self, failed: &Failed) {
        let diagnostics = failed.rejected.as_ref().map(|rejected| (&rejected.diagnostics, &rejected.sources));
        let document = match self.format {
            Format::Text | Format::Diff | Format::Csv => None,
            Format::Json => Some(json::text(&json::error(&failed.message, diagnostics))),
            Format::Markdown => Some(report::markdown::error(&failed.message, diagnostics)),
            Format::Html => Some(report::html::error(&failed.message, diagnostics)),
        };
        if let Some(document) = document.as_ref().filter(|_| !self.documented.get()) {
            self.result(document);
        }
        if let Some(rejected) = failed.rejected.as_ref().filter(|_| document.is_none()) {
            self.remark(&report::findings_text(&rejected.diagnostics, &rejected.sources, self.width()));
            self.remark(&format!("{}\n", rejected.summary()));
        } else {
            let style = anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Red.into()));
            self.remark(&format!("{style}error{style:#}: {}\n", report::visible(&failed.message)));
        }
    }

    /// The width to wrap at.
    pub(crate) fn width(&self) -> usize {
        terminal_size::terminal_size_of(io::stderr()).map_or(100, |(width, _)| width.0.into())
    }

    /// What the program ends with: a result that nobody can read is none, even if everything went well.
    pub(crate) fn finish(&self, exit: Exit) -> Exit {
        match exit {
            Exit::Done | Exit::Differences if self.lost.get() => Exit::Error,
            _ => exit,
        }
    }

    /// What a command ends with that has written: the same, but writes were sent.
    pub(crate) fn finish_after_writes(&self, exit: Exit) -> Exit {
        if self.lost.get() && exit == Exit::Done { Exit::Incomplete } else { exit }
    }

    fn write(&self, mut stream: impl Write, bytes: &[u8]) {
        if let Err(error) = stream.write_all(bytes).and_then(|()| stream.flush()) {
            // `dectl plan … | head` closes the pipe, which is no error.
            if error.kind() != io::ErrorKind::BrokenPipe {
                self.lost.set(true);
                self.remark(&format!("standard output cannot be written: {error}\n"));
            }
        }
    }
}

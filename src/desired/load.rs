//! Loads the sources of the desired state: files, directories, standard input.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics};
use crate::model::{is_journal, is_utf16};

/// File size limit; 100,000 networks take about 15 MB.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Maximum directory depth.
const MAX_DIR_DEPTH: usize = 32;

/// Extensions of desired-state files in a directory.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "csv"];

/// Name of standard input in messages.
const STDIN: &str = "<stdin>";

/// A source text with its origin.
#[derive(Clone, Debug)]
pub struct Input {
    /// Name in messages: the path as given.
    pub name: String,
    pub text: String,
    pub format: SourceFormat,
    /// Base directory for relative paths in the file.
    pub base_dir: PathBuf,
}

/// Format of a desired-state file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceFormat {
    Yaml,
    /// CSV, one network per row.
    Csv,
}

impl SourceFormat {
    /// Detects the format from the file extension.
    pub fn of(name: &str) -> Self {
        let is_csv = Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        if is_csv { Self::Csv } else { Self::Yaml }
    }

    /// Detects the format of a text without a name from its first row: a file in YAML begins with a field, a comment or a
    /// bracket, and a table with headings.
    fn detect(text: &str) -> Self {
        let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        let first = lines.by_ref().find(|line| !line.is_empty() && !line.starts_with("sep=")).unwrap_or_default();
        let is_yaml = first.contains(':') || first.starts_with(['#', '-', '{', '[', '%', '&', '*', '!']);
        if !is_yaml && first.contains([',', ';', '\t']) { Self::Csv } else { Self::Yaml }
    }
}

/// Whether a file of this name in a directory is read as a desired-state file.
pub fn has_desired_state_extension(path: &Path) -> bool {
    path.extension().is_some_and(|extension| EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

/// Loads every argument: a file, a directory of files, or `-` for `stdin`.
///
/// A file that is given twice, directly or through its directory, is loaded once.
pub fn load_sources(arguments: &[PathBuf], stdin: &mut dyn Read, diagnostics: &mut Diagnostics) -> Vec<Input> {
    let mut loader = Loader { diagnostics, seen: Vec::new(), inputs: Vec::new() };
    for argument in arguments {
        if argument.as_os_str() == "-" {
            loader.stdin(stdin);
        } else {
            loader.argument(argument);
        }
    }
    loader.inputs
}

struct Loader<'a> {
    diagnostics: &'a mut Diagnostics,
    seen: Vec<PathBuf>,
    inputs: Vec<Input>,
}

impl Loader<'_> {
    fn stdin(&mut self, stdin: &mut dyn Read) {
        if self.seen.iter().any(|path| path.as_os_str() == "-") {
            return;
        }
        self.seen.push("-".into());
        self.read(STDIN.to_owned(), stdin, PathBuf::from("."));
    }

    fn argument(&mut self, path: &Path) {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.directory(path),
            Ok(metadata) => self.file(path, metadata.len()),
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn directory(&mut self, directory: &Path) {
        let mut files = Vec::new();
        self.list(directory, 0, &mut files);
        if files.is_empty() {
            let message = format!("no desired-state file in directory {}", directory.display());
            self.diagnostics.push(
                Diagnostic::error(DiagnosticCode::DirectoryEmpty, message)
                    .in_file(directory.display().to_string())
                    .help("files ending in .yaml, .yml or .csv are read, including subdirectories"),
            );
        }
        for (path, length) in files {
            self.file(&path, length);
        }
    }

    fn list(&mut self, directory: &Path, depth: usize, files: &mut Vec<(PathBuf, u64)>) {
        // A symbolic link may point back to a directory that is being read.
        if let Ok(real) = directory.canonicalize() {
            if self.seen.contains(&real) {
                return;
            }
            self.seen.push(real);
        }
        let entries = match fs::read_dir(directory).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(directory, &error),
        };
        let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            let is_wanted = has_desired_state_extension(&path);
            match fs::metadata(&path) {
                _ if hidden => {}
                Ok(metadata) if metadata.is_dir() && depth < MAX_DIR_DEPTH => self.list(&path, depth + 1, files),
                Ok(metadata) if metadata.is_file() && is_wanted => files.push((path, metadata.len())),
                Ok(_) => {}
                Err(error) if is_wanted => self.unreadable(&path, &error),
                Err(_) => {}
            }
        }
    }

    fn file(&mut self, path: &Path, length: u64) {
        if let Ok(real) = path.canonicalize() {
            if self.seen.contains(&real) {
                return;
            }
            self.seen.push(real);
        }
        if length > MAX_BYTES {
            return self.too_large(path.display().to_string());
        }
        match File::open(path) {
            Ok(mut file) => {
                let base_dir = path.parent().map(Path::to_path_buf).unwrap_or_default();
                self.read(path.display().to_string(), &mut file, base_dir);
            }
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn read(&mut self, name: String, reader: &mut dyn Read, base_dir: PathBuf) {
        let mut bytes = Vec::new();
        match reader.take(MAX_BYTES + 1).read_to_end(&mut bytes) {
            Ok(_) if bytes.len() as u64 > MAX_BYTES => self.too_large(name),
            Ok(_) => self.add(name, bytes, base_dir),
            Err(error) => self.unreadable(Path::new(&name), &error),
        }
    }

    /// Adds what was read, unless it is another kind of file.
    fn add(&mut self, name: String, bytes: Vec<u8>, base_dir: PathBuf) {
        if let Some((what, help)) = other_file(&name, &bytes) {
            let message = format!("{name} is {what}, not a desired-state file");
            self.diagnostics.push(Diagnostic::error(DiagnosticCode::NotYaml, message).help(help).in_file(name));
            return;
        }
        if is_utf16(&bytes) {
            return self.not_utf8(name, &bytes, 0);
        }
        match String::from_utf8(bytes) {
            Ok(text) => {
                let format = match Path::new(&name).extension().and_then(|extension| extension.to_str()) {
                    Some("yaml" | "yml" | "json" | "csv") => SourceFormat::of(&name),
                    _ => SourceFormat::detect(&text),
                };
                self.inputs.push(Input { format, name, text, base_dir });
            }
            Err(error) => self.not_utf8(name, error.as_bytes(), error.utf8_error().valid_up_to()),
        }
    }

    fn not_utf8(&mut self, name: String, bytes: &[u8], valid: usize) {
        let line = bytes[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        let help = if is_utf16(bytes) {
            "the file looks like UTF-16; save it as UTF-8"
        } else {
            "save the file as UTF-8 (in Excel: CSV UTF-8)"
        };
        self.diagnostics.push(
            Diagnostic::error(DiagnosticCode::NotUtf8, format!("{name}: line {line} is not UTF-8"))
                .in_file(name)
                .help(help),
        );
    }

    fn too_large(&mut self, name: String) {
        let message = format!("{name} is larger than {} MiB", MAX_BYTES / (1024 * 1024));
        self.diagnostics.push(
            Diagnostic::error(DiagnosticCode::FileTooLarge, message)
                .in_file(name)
                .help("100,000 networks take about 15 MB; check that this is the right file"),
        );
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        let name = path.display().to_string();
        let (code, message, help) = if error.kind() == io::ErrorKind::NotFound {
            let help = "check the path, or create a first file with `dectl export`";
            (DiagnosticCode::FileMissing, format!("file not found: {name}"), help)
        } else {
            (DiagnosticCode::FileUnreadable, format!("cannot read {name}: {error}"), "check its permissions")
        };
        self.diagnostics.push(Diagnostic::error(code, message).in_file(name).help(help));
    }
}
/// What a file is that is easily taken for a desired state, and what to do with it.
fn other_file(name: &str, bytes: &[u8]) -> Option<(&'static str, String)> {
    if is_saved_plan(bytes) {
        return Some(("a saved plan", format!("`dectl apply --plan {name}` applies it, `dectl show {name}` shows it")));
    }
    if is_journal(bytes) {
        return Some(("the journal of a run", "`dectl runs` lists runs, `dectl undo RUN` undoes one".to_owned()));
    }
    let is_workbook = WORKBOOKS.iter().any(|start| bytes.starts_with(start));
    is_workbook.then(|| {
        let help = "save it as `CSV UTF-8 (comma delimited)`, which is an entry of the file types in Excel, and name that file";
        ("a workbook", help.to_owned())
    })
}

/// How workbooks of Excel, LibreOffice and Numbers begin: as ZIP archives, and the old ones as compound documents.
const WORKBOOKS: [&[u8]; 2] = [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"];

/// Whether a file is what `plan --out` writes, encrypted or not.
fn is_saved_plan(bytes: &[u8]) -> bool {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let start = start[..start.len().min(200)].trim_ascii_start();
    let has = |words: &[u8]| start.windows(words.len()).any(|window| window == words);
    start.starts_with(b"age-encryption.org/") || start.starts_with(b"{") && has(b"\"saved-plan\"")
}

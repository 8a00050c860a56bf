//! Every diagnostic is explained in `docs/errors.md`, with the modules that raise it, and nothing else is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dectl::diagnostic::DiagnosticCode;

/// Code and modules of every row of the page.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let page = std::fs::read_to_string("docs/errors.md").expect("the page");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")).map(|row| {
        let (code, cells) = row.split_once('`').expect("a code in backticks");
        let modules = cells.rsplit('|').nth(1).unwrap_or_default();
        let modules = modules.split(',').map(|module| module.trim().trim_matches('`').to_owned());
        (code.to_owned(), modules.collect())
    });
    rows.collect()
}

fn source_files(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            source_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Code and modules, as the sources say.
fn raised() -> BTreeMap<String, BTreeSet<String>> {
    let mut files = Vec::new();
    source_files(Path::new("src"), &mut files);
    let mut raised: BTreeMap<String, BTreeSet<String>> =
        DiagnosticCode::ALL.iter().map(|code| (code.as_str().to_owned(), BTreeSet::new())).collect();
    for path in files.iter().filter(|path| !path.ends_with("diagnostic/code.rs")) {
        let text = std::fs::read_to_string(path).expect("a source file");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for diagnostic in DiagnosticCode::ALL {
            let variant = format!("DiagnosticCode::{diagnostic:?}");
            let is_raised = code.match_indices(&variant).any(|(at, _)| {
                let is_asked_for = code[..at].ends_with("has_warning(");
                let is_longer =
                    code[at + variant.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_');
                !is_asked_for && !is_longer
            });
            if is_raised {
                let module = path.strip_prefix("src").expect("a path in src").with_extension("");
                let module = module.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>();
                raised.entry(diagnostic.as_str().to_owned()).or_default().insert(module.join("/"));
            }
        }
    }
    raised
}

#[test]
fn every_diagnostic_is_documented_with_the_modules_that_raise_it() {
    assert_eq!(documented(), raised());
}

#[test]
fn no_diagnostic_is_dead() {
    let dead: Vec<String> =
        raised().into_iter().filter(|(_, modules)| modules.is_empty()).map(|(code, _)| code).collect();
    assert_eq!(dead, Vec::<String>::new());
}

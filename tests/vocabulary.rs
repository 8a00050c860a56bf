//! Help, messages and documentation use the terms of `STYLE.md`.

use std::fs;
use std::path::{Path, PathBuf};

/// Retired words as regular expressions, matched as whole words and case-insensitively.
const RETIRED: &[&str] = &[
    "nobody",
    "somebody",
    "everybody",
    "anybody",
    "whoever",
    "wish(es)?",
    "homeward",
    "the way (home|back)",
    "br(ings?|ought) home",
    "go(es)? home",
    "steps? aside",
    "stepped aside",
    "stands? (on|at|aside)",
    "tenures?",
    "proved?",
    "proof",
    "seals?",
    "sealed",
    "unsealed",
    "rings?",
    "rooms?",
    "arrows?",
    "folders?",
    "stranded",
    "misbehaviou?r",
    "in the air",
    "anew",
    "narrowed",
    "truth value",
    "pacers?",
    "as the files say",
    "eaten",
    "excerpts?",
    "findings?",
];

/// Files of readers: documentation, messages and help.
fn texts() -> Vec<PathBuf> {
    let mut texts = vec![PathBuf::from("README.md"), PathBuf::from("CHANGELOG.md"), PathBuf::from("action.yml")];
    let mut dirs: Vec<PathBuf> = ["docs", "examples", "tests/cases", "tests/cli/snapshots"].map(PathBuf::from).into();
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                dirs.push(path);
            } else if ["md", "json", "yaml", "yml", "expected", "snap"].iter().any(|known| has_extension(&path, known))
            {
                texts.push(path);
            }
        }
    }
    texts.sort();
    texts
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

fn retired() -> regex::Regex {
    regex::Regex::new(&format!(r"(?i)\b({})\b", RETIRED.join("|"))).expect("a pattern")
}

fn check(name: &str, text: &str, found: &mut Vec<String>) {
    let retired = retired();
    for (at, line) in text.lines().enumerate() {
        for word in retired.find_iter(line) {
            found.push(format!("{name}:{}: {:?} in {:?}", at + 1, word.as_str(), line.trim()));
        }
    }
}

#[test]
fn readers_meet_no_retired_word() {
    let mut found = Vec::new();
    for path in texts() {
        // Room names of the examples are data.
        let text = fs::read_to_string(&path).unwrap_or_default();
        let text = text.replace("Cold room", "").replace("<ins> room", "").replace("`ring`", "");
        check(&path.display().to_string(), &text, &mut found);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// String literals and doc comments of the sources, where messages come from.
#[test]
fn messages_and_comments_have_no_retired_word() {
    let mut found = Vec::new();
    let mut dirs = vec![PathBuf::from("src")];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                dirs.push(path);
            } else if has_extension(&path, "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                // The name of a cryptography crate, and plain English.
                let text = text
                    .replace("crypto::ring", "")
                    .replace("`ring`", "")
                    .replace("leaves room", "")
                    .replace("Reserve room", "");
                check(&path.display().to_string(), &text.replace("there is room", ""), &mut found);
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn retired_words_are_found() {
    let mut found = Vec::new();
    check("x", "Nobody waits.\nThe plan is sealed.\na string, bring, arrowhead", &mut found);
    assert_eq!(found.len(), 2, "{found:?}");
}

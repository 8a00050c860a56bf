//! Wrong files and wrong answers, each with exactly what is said about it.
//!
//! `tests/cases/wrong` has files that are planned against the built-in organization, `tests/cases/answers` has answers
//! (the status, headers, an empty line, the body). Beside each stands a file `.expected`. `DECTL_UPDATE_CASES=1` writes
//! them anew; look at the difference before you commit it.

use std::fs;
use std::path::{Path, PathBuf};

use dectl::desired::SourceFormat;
use dectl::diagnostic::{Diagnostic, Severity, Sources};
use dectl::model::{CodeText, LiveState, Settings};
use dectl::plan::Scope;
use dectl::reconcile::{CodeResolution, Error, InputOptions, Inputs, plan_from_live};
use dectl::runtime::Instant;
use dectl::webex::ApiError;
use dectl::webex::response::{self, ResponseHead};
use jiff::Timestamp;

fn cases(dir: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(dir);
    let entries = fs::read_dir(dir).expect("a directory of cases").map(|entry| entry.expect("an entry").path());
    let (expected, mut cases): (Vec<PathBuf>, Vec<PathBuf>) =
        entries.partition(|path| path.extension().is_some_and(|ending| ending == "expected"));
    for expected in expected {
        assert!(cases.contains(&expected.with_extension("")), "{} belongs to no case", expected.display());
    }
    cases.sort();
    cases
}

/// Compares, or writes anew; what differs.
fn differs(case: &Path, said: &str) -> Option<String> {
    let expected = case.with_file_name(format!("{}.expected", case.file_name()?.to_str()?));
    if std::env::var_os("DECTL_UPDATE_CASES").is_some() {
        fs::write(expected, said).expect("a file");
        return None;
    }
    let expected_text = fs::read_to_string(&expected).unwrap_or_default();
    (expected_text != said).then(|| format!("{}\n--- expected\n{expected_text}\n--- said\n{said}", case.display()))
}

fn live() -> LiveState {
    let list = include_bytes!("../src/simulator/built_in.json");
    response::list(&ResponseHead { status: 200, ..ResponseHead::default() }, list, Timestamp::UNIX_EPOCH)
        .expect("the list")
}

fn line(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let severity = if diagnostic.severity == Severity::Error { "error" } else { "warning" };
    let place = diagnostic.span.map(|span| sources.resolve(span));
    let place = place.map_or("-".to_owned(), |place| format!("{}:{}", place.line, place.column));
    let help = diagnostic.help.as_deref().map(|help| format!("\n    help: {help}")).unwrap_or_default();
    format!("{place} {severity}[{}] {}{help}\n", diagnostic.code.as_str(), diagnostic.message)
}

/// Everything that is said about a file, be it by itself or in view of the organization.
fn said_of_file(path: &Path, live: &LiveState) -> String {
    let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
    let text = fs::read_to_string(path).expect("a text");
    let options = InputOptions { strict: false, resolve: CodeResolution::SyntaxOnly };
    let (diagnostics, sources) = match Inputs::from_format(name, text, SourceFormat::of(name), options) {
        Err(invalid_input) => (invalid_input.diagnostics, invalid_input.sources),
        Ok(inputs) => match plan_from_live(&inputs, &Scope::default(), live.clone(), Instant::START) {
            Err(Error::InvalidInput(invalid_input)) => (invalid_input.diagnostics, invalid_input.sources),
            Err(error) => return format!("{error}\n"),
            Ok(_) => (inputs.warnings, inputs.sources),
        },
    };
    diagnostics.iter().map(|diagnostic| line(diagnostic, &sources)).collect()
}

fn described(error: &ApiError) -> String {
    format!("{:?}, perhaps applied: {:?}, wait: {:?}\n{error}\n", error.class, error.applied, error.retry_after)
}

/// What an answer is taken for: one with a success as a list, any other as that to an update.
fn said_of_answer(path: &Path) -> String {
    let text = String::from_utf8_lossy(&fs::read(path).expect("an answer")).into_owned();
    let (status, rest) = text.split_once('\n').expect("a status");
    let (headers, body) = match rest.strip_prefix('\n') {
        Some(body) => ("", body),
        None => rest.split_once("\n\n").expect("an empty line"),
    };
    let header = |name: &str| {
        headers.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            (key == name).then(|| value.to_owned())
        })
    };
    let head = ResponseHead {
        status: status.parse().expect("a number"),
        tracking_id: header("trackingid"),
        retry_after: header("retry-after"),
        date: header("date"),
        link: None,
    };
    let sent = Settings {
        name: "Ward".into(),
        display_name: None,
        code_enabled: Some(true),
        code: Some(CodeText::new("4821")),
    };
    let error = if head.status == 200 {
        response::list(&head, body.as_bytes(), Timestamp::UNIX_EPOCH).err()
    } else {
        response::write(&head, body.as_bytes(), Timestamp::UNIX_EPOCH).err().map(|error| error.redact_code_of(&sent))
    };
    error.map_or("it is taken for a success\n".to_owned(), |error| described(&error.truncated()))
}

#[test]
fn every_invalid_file_and_response_gets_its_message() {
    let live = live();
    let (files, answers) = (cases("invalid"), cases("responses"));
    assert!(files.len() + answers.len() >= 150, "{} and {}", files.len(), answers.len());
    let mut wrong = Vec::new();
    for case in &files {
        let said = said_of_file(case, &live);
        assert!(!said.is_empty(), "{} is not wrong", case.display());
        assert!(!said.contains("4821"), "{} shows a code", case.display());
        wrong.extend(differs(case, &said));
    }
    for case in &answers {
        wrong.extend(differs(case, &said_of_answer(case)));
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n\n"));
}

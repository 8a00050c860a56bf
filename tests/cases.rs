//! Invalid files and responses, each with exactly what is said about it.
//!
//! `tests/cases/invalid` has files that are planned against the built-in organization, `tests/cases/responses` has
//! responses (the status, headers, an empty line, the body). What is said is a snapshot beside the others:
//! `INSTA_UPDATE=always cargo test --test cases` writes it; look at the difference before you commit it.

use std::fs;
use std::path::Path;

use dectl::desired::SourceFormat;
use dectl::diagnostic::{Diagnostic, Severity, Sources};
use dectl::model::{CodeText, LiveState, LocationId, NetworkId, Settings};
use dectl::plan::Scope;
use dectl::reconcile::{CodeResolution, Error, InputOptions, Inputs, plan_from_live};
use dectl::resources::calls;
use dectl::runtime::Instant;
use dectl::webex::{ApiError, NetworkPath, ResponseHead};
use jiff::Timestamp;

fn live() -> LiveState {
    let list = include_bytes!("../src/simulator/built_in.json");
    let head = ResponseHead { status: 200, ..ResponseHead::default() };
    calls::list_networks().read_response(&head, list, Timestamp::UNIX_EPOCH).expect("the list")
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
        ..ResponseHead::default()
    };
    let sent = Settings {
        name: "Ward".into(),
        display_name: None,
        code_enabled: Some(true),
        code: Some(CodeText::new("4821")),
    };
    let error = if head.status == 200 {
        calls::list_networks().read_response(&head, body.as_bytes(), Timestamp::UNIX_EPOCH).err()
    } else {
        let (location, network) = (LocationId::new("l"), NetworkId::new("n"));
        let update = calls::update_network(NetworkPath { location: &location, network: &network }, &sent);
        update.read_response(&head, body.as_bytes(), Timestamp::UNIX_EPOCH).err()
    };
    error.map_or("it is taken for a success\n".to_owned(), |error| described(&error.truncated()))
}

/// Compares what is said about each file of a directory with its snapshot.
fn assert_cases(dir: &str, at_least: usize, said: impl Fn(&Path) -> String) {
    let (mut count, mut settings) = (0, insta::Settings::clone_current());
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        insta::glob!("cases", &format!("{dir}/*"), |case| {
            count += 1;
            insta::assert_snapshot!(dir, said(case));
        });
    });
    assert!(count >= at_least, "{count}");
    let snapshots = fs::read_dir("tests/cases/snapshots").expect("snapshots");
    for snapshot in snapshots.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")) {
        let Some(case) = snapshot.strip_prefix(&format!("{dir}@")) else { continue };
        let case = case.trim_end_matches(".new").trim_end_matches(".snap");
        assert!(Path::new("tests/cases").join(dir).join(case).exists(), "{snapshot} belongs to no case");
    }
}

#[test]
fn every_invalid_file_gets_its_message() {
    let live = live();
    assert_cases("invalid", 130, |case| {
        let said = said_of_file(case, &live);
        assert!(!said.is_empty(), "{} is not wrong", case.display());
        assert!(!said.contains("4821"), "{} shows a code", case.display());
        said
    });
}

#[test]
fn every_response_is_understood() {
    assert_cases("responses", 20, said_of_answer);
}

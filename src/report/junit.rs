//! A result as JUnit XML: a location is a test case.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::diagnostics::diagnostic_one_line;
use super::sanitize::sanitize;
use super::view::{NetworkView, ResultView};
use crate::apply::{ChangeStatus, Verification};
use crate::diagnostic::{Diagnostics, Sources};

/// Reports a failure of a location if a change in it failed, is unknown or not as planned; and that it was skipped if
/// nothing worse happened than that changes were not started.
pub fn result(view: &ResultView) -> String {
    let mut suite = TestSuite::new("dectl apply");
    suite.set_time(view.outcome.elapsed);
    if !view.plan.warnings.is_empty() {
        let warnings = view.plan.warnings.iter().map(|warning| format!("warning: {}\n", sanitize(&warning.message)));
        suite.set_system_out(warnings.collect::<String>());
    }
    for location in &view.plan.locations {
        let changes: Vec<&NetworkView> =
            view.networks.iter().filter(|network| network.location == location.id).collect();
        let problems: Vec<&NetworkView> = changes.iter().copied().filter(|network| network.needs_attention()).collect();
        let is_failure =
            |network: &&NetworkView| !matches!(network.result.status, ChangeStatus::NotStarted | ChangeStatus::Skipped);
        let mut case = TestCase::new(&*sanitize(&location.name), status(&problems, problems.iter().any(is_failure)));
        case.set_classname("dectl");
        case.add_property(("changes", &*changes.len().to_string()));
        suite.add_test_case(case);
    }
    if let Verification::Failed(failure) = &view.outcome.verification {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(&*sanitize(&failure.to_string()));
        suite.add_test_case(TestCase::new("verification", status));
    }
    text(suite)
}

/// An error that ended the command, with all diagnostics.
pub fn error(message: &str, diagnostics: Option<(&Diagnostics, &Sources)>) -> String {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(&*sanitize(message));
    if let Some((diagnostics, sources)) = diagnostics {
        let lines = diagnostics.iter().map(|diagnostic| {
            let help = diagnostic.help.as_deref().map(|help| format!(" ({help})")).unwrap_or_default();
            format!("{}{help}", diagnostic_one_line(diagnostic, sources))
        });
        let lines: Vec<String> = lines.map(|line| sanitize(&line).into_owned()).collect();
        status.set_description(lines.join("\n"));
    }
    let mut suite = TestSuite::new("dectl apply");
    suite.add_test_case(TestCase::new("dectl", status));
    text(suite)
}

fn status(problems: &[&NetworkView], is_failure: bool) -> TestCaseStatus {
    if problems.is_empty() {
        return TestCaseStatus::success();
    }
    let lines: Vec<String> = problems
        .iter()
        .map(|network| match network.reason() {
            reason if reason.is_empty() => format!("{}: {}", network.name, network.status_label()),
            reason => format!("{}: {}: {reason}", network.name, network.status_label()),
        })
        .map(|line| sanitize(&line).into_owned())
        .collect();
    let mut status =
        if is_failure { TestCaseStatus::non_success(NonSuccessKind::Failure) } else { TestCaseStatus::skipped() };
    status.set_message(lines[0].as_str());
    status.set_description(lines.join("\n"));
    status
}

fn text(suite: TestSuite) -> String {
    let mut report = Report::new("dectl");
    report.add_test_suite(suite);
    // Only a writer can fail, and a string cannot.
    report.to_string().unwrap_or_default() + "\n"
}

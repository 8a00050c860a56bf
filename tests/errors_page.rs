//! Every kind of finding is explained in `docs/errors.md`, and nothing else is.

use std::collections::BTreeSet;

use dectl::diagnostic::DiagnosticCode;

#[test]
fn every_code_is_documented_and_every_documented_code_exists() {
    let page = std::fs::read_to_string("docs/errors.md").expect("the page");
    let documented: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")).filter_map(|rest| rest.split('`').next()).collect();
    let known: BTreeSet<&str> = DiagnosticCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(documented, known);
}

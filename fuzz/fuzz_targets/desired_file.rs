//! Any text as a desired-state file, YAML or CSV: it is read or refused, every finding can be shown, and what is read is
//! planned against the built-in organization and proved.
#![no_main]

use std::sync::LazyLock;

use dectl::desired::SourceFormat;
use dectl::model::LiveState;
use dectl::plan::Scope;
use dectl::reconcile::{Error, InputOptions, Inputs, Rejected, Resolve, plan_for};
use dectl::report::findings_text;
use dectl::runtime::Instant;
use dectl::webex::response::{self, ResponseHead};
use libfuzzer_sys::fuzz_target;

static LIVE: LazyLock<LiveState> = LazyLock::new(|| {
    let list = include_bytes!("../../src/simulator/built_in.json");
    response::list(&ResponseHead { status: 200, ..ResponseHead::default() }, list, jiff::Timestamp::UNIX_EPOCH).expect("the list")
});

fn shown(rejected: &Rejected) {
    let text = findings_text(&rejected.diagnostics, &rejected.sources, 80);
    assert!(!text.is_empty());
}

fuzz_target!(|data: &[u8]| {
    let Some((first, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let format = if first % 2 == 0 { SourceFormat::Yaml } else { SourceFormat::Csv };
    let options = InputOptions { strict: false, resolve: Resolve::FormOnly };
    match Inputs::from_format("fuzzed", text.to_owned(), format, options) {
        Err(rejected) => shown(&rejected),
        Ok(mut inputs) => match plan_for(&mut inputs, &Scope::default(), LIVE.clone(), Instant::START) {
            Ok(_) => {}
            Err(Error::Rejected(rejected)) => shown(&rejected),
            // A plan that is made can be proved.
            Err(error) => panic!("{error}"),
        },
    }
});

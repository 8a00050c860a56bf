//! Any text as a desired-state file, YAML or CSV: parsed or rejected, every diagnostic can be rendered, and a valid file
//! is planned against the built-in organization and checked.
#![no_main]

use std::sync::LazyLock;

use dectl::desired::SourceFormat;
use dectl::model::LiveState;
use dectl::plan::Scope;
use dectl::reconcile::{Error, InputOptions, Inputs, InvalidInput, CodeResolution, plan_from_live};
use dectl::report::diagnostics_text;
use dectl::runtime::Instant;
use dectl::webex::response::{self, ResponseHead};
use libfuzzer_sys::fuzz_target;

static LIVE: LazyLock<LiveState> = LazyLock::new(|| {
    let list = include_bytes!("../../src/simulator/built_in.json");
    response::list(&ResponseHead { status: 200, ..ResponseHead::default() }, list, jiff::Timestamp::UNIX_EPOCH).expect("the list")
});

fn shown(invalid_input: &InvalidInput) {
    let text = diagnostics_text(&invalid_input.diagnostics, &invalid_input.sources, 80);
    assert!(!text.is_empty());
}

fuzz_target!(|data: &[u8]| {
    let Some((first, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let format = if first % 2 == 0 { SourceFormat::Yaml } else { SourceFormat::Csv };
    let options = InputOptions { strict: false, resolve: CodeResolution::SyntaxOnly };
    match Inputs::from_format("fuzzed", text.to_owned(), format, options) {
        Err(invalid_input) => shown(&invalid_input),
        Ok(mut inputs) => match plan_from_live(&mut inputs, &Scope::default(), LIVE.clone(), Instant::START) {
            Ok(_) => {}
            Err(Error::InvalidInput(invalid_input)) => shown(&invalid_input),
            // Every plan passes its safety check.
            Err(error) => panic!("{error}"),
        },
    }
});

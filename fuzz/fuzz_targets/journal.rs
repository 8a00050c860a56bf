//! Any bytes as a journal: refused, or a history from which a way back can be computed.
#![no_main]

use dectl::model::LiveState;
use dectl::reconcile::way_back;
use dectl::record::{Codes, History};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(history) = History::parse(data, "fuzzed", Codes::OpenedWith(None)) {
        let back = way_back(&history, &LiveState::default());
        assert_eq!(back.networks, 0);
    }
});

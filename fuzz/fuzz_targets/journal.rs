//! Any bytes as a journal: refused, or a history from which a way back can be computed.
#![no_main]

use dectl::model::LiveState;
use dectl::reconcile::build_undo;
use dectl::storage::{CodeAccess, RunHistory};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(history) = RunHistory::parse(data, "fuzzed", CodeAccess::Decrypt(None)) {
        let back = build_undo(&history, &LiveState::default());
        assert_eq!(back.networks, 0);
    }
});

//! Any bytes as a saved plan: refused, or a plan that the checker accepts or rejects. The checksum is not looked at here,
//! so that what is behind it is reached.
#![no_main]

use dectl::plan::{reconstruct_base_state, resume};
use dectl::plan_check::check_plan;
use dectl::storage::SavedPlan;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(saved) = SavedPlan::open(data, None, "fuzzed") {
        let state = reconstruct_base_state(&saved.plan);
        if check_plan(saved.plan.clone(), &state).is_ok() {
            // A plan that passes the safety check can be resumed, and the rest passes it, too.
            let rest = resume(&saved.plan, &state).expect("no drift");
            check_plan(rest, &state).expect("the rest of a checked plan");
        }
    }
});

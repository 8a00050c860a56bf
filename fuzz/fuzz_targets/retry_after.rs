//! Any text as `Retry-After`: a wait, or none that can be read.
#![no_main]

use dectl::webex::RetryAfter;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (&str, u32)| {
    let (text, seconds) = data;
    let now = jiff::Timestamp::constant(i64::from(seconds), 0);
    let _read = RetryAfter::parse(text, now);
});

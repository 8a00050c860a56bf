//! Any status, headers and body as the answer to an update: a verdict whose words are one line without control
//! characters and without the access code that was sent; the same of the tracking id.
#![no_main]

use dectl::model::{CodeText, Settings};
use dectl::webex::response::{self, ResponseHead};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [high, low, rest @ ..] = data else { return };
    let status = 100 + u16::from_be_bytes([*high, *low]) % 500;
    let (header, body) = rest.split_at(rest.len().min(usize::from(*low) % 16));
    let header = std::str::from_utf8(header).ok().map(str::to_owned);
    let head = ResponseHead { status, tracking_id: None, retry_after: header.clone(), date: header };
    let sent = Settings {
        name: "Ward".into(),
        display_name: None,
        code_enabled: Some(true),
        code: Some(CodeText::new("4821")),
    };
    if let Err(error) = response::write(&head, body, jiff::Timestamp::UNIX_EPOCH).map_err(|error| error.redact_code_of(&sent)) {
        assert!(!error.message.contains("4821"), "{}", error.message);
        assert!(!error.message.chars().any(char::is_control), "{:?}", error.message);
        // Digits within a longer word of an id are an id, not the code.
        let id = error.tracking_id.unwrap_or_default();
        assert!(!id.split(|c: char| !c.is_alphanumeric()).any(|word| word == "4821"), "{id}");
        assert!(!id.chars().any(char::is_control), "{id:?}");
    }
});

//! Any bytes as the list response: a state or an error, and a state can be exported.
#![no_main]

use dectl::desired::{Export, CodeExport};
use dectl::webex::response::{self, ResponseHead};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let head = ResponseHead { status: 200, ..ResponseHead::default() };
    if let Ok(live) = response::list(&head, data, jiff::Timestamp::UNIX_EPOCH) {
        let locations: Vec<_> = live.locations().map(|(at, _)| at).collect();
        let export = Export { live: &live, codes: CodeExport::Include, with_remarks: true, is_temporary_name: &dectl::plan::is_temporary };
        let (yaml, csv) = (export.yaml(&locations), export.csv(&locations));
        assert_eq!(yaml.networks, live.len());
        assert_eq!(csv.networks, live.len());
    }
});

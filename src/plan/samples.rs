//! Small organizations and files for tests of the planner.
#![cfg(test)]

use std::path::PathBuf;
use std::sync::Arc;

use crate::desired::model::Desired;
use crate::desired::{Input, SourceFormat, read};
use crate::diagnostic::{Diagnostics, Sources};
use crate::model::{CodeText, LiveState, LocationId, Network, NetworkId, Settings};

/// A file with these entries of the networks of location `L`.
pub(crate) fn file(networks: &str) -> (Desired, Sources) {
    let text = format!("version: 1\nlocations:\n  - name: L\n    networks:\n{networks}");
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let input = Input { name: "t.yaml".to_owned(), text, format: SourceFormat::Yaml, base_dir: PathBuf::new() };
    let desired = read(vec![input], &mut sources, &mut diagnostics);
    assert!(!diagnostics.has_errors(), "{diagnostics:?}");
    (desired, sources)
}

/// Location `L` with networks of these ids and names.
pub(crate) fn live(networks: &[(&str, &str)]) -> LiveState {
    let network = |(number, (id, name)): (usize, &(&str, &str))| {
        let settings = Settings {
            name: (*name).into(),
            display_name: Some("shown".into()),
            code_enabled: Some(true),
            code: Some(CodeText::new((1000 + number).to_string())),
        };
        (Arc::from("L"), Network::new(NetworkId::new(*id), LocationId::new("l"), settings, None))
    };
    LiveState::new(networks.iter().enumerate().map(network))
}

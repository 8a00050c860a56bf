//! Reads the base stations of a network.

use super::entry::BaseStationEntry;
use super::mac::Mac;
use crate::desired::load::SourceFormat;
use crate::desired::mapping::MappingReader;
use crate::desired::model::Spanned;
use crate::desired::parse::FileParser;
use crate::desired::yaml::{Node, Value};
use crate::diagnostic::DiagnosticCode;
use crate::model::NetworkModel;

const FIELDS: &[&str] = &["mac", "replaces", "state"];

impl FileParser<'_> {
    /// A list says what is there, so that it alone may exceed what the model allows.
    pub(crate) fn check_base_station_count(&mut self, model: NetworkModel, stations: &[BaseStationEntry]) {
        let max = model.max_base_stations();
        let mut present = stations.iter().filter(|station| !station.is_absent);
        let Some(excess) = present.nth(max) else { return };
        let count = max + 1 + present.count();
        let message = format!("{count} base stations are listed, a {model} has at most {max}");
        self.diagnostics
            .error(DiagnosticCode::TooManyBaseStations, excess.mac.span, message)
            .help("spread them over several networks; one that is replaced stands after `replaces`");
    }

    pub(crate) fn base_stations(&mut self, fields: &MappingReader<'_>) -> Option<Vec<BaseStationEntry>> {
        let node = fields.get("baseStations")?;
        let help = "write `baseStations:` with one MAC address per line, e.g. `- \"AC7A5611A001\"`";
        let nodes = fields.list("baseStations", help, self.diagnostics);
        if matches!(&node.value, Value::List(items) if items.is_empty()) {
            self.diagnostics
                .warning(DiagnosticCode::EmptyList, node.span, "an empty list of base stations asks for nothing")
                .help("remove it; base stations are removed with `state: absent` or `replaces`");
        }
        Some(nodes.iter().filter_map(|node| self.base_station(node)).collect())
    }

    fn base_station(&mut self, node: &Node<'_>) -> Option<BaseStationEntry> {
        if matches!(node.value, Value::Text(_) | Value::PlainScalar(_)) {
            let mac = self.mac(node, "a base station")?;
            return Some(BaseStationEntry { span: node.span, mac, replaces: None, is_absent: false });
        }
        let fields = MappingReader::of(node, "a base station", FIELDS, self.diagnostics)?;
        let help = "write its MAC address: 12 hexadecimal digits in quotes";
        let mac = fields.required("mac", help, self.diagnostics).and_then(|node| self.mac(node, "`mac`"));
        let replaces = fields.get("replaces").and_then(|node| self.mac(node, "`replaces`"));
        let is_absent = fields.has("state") && self.absent_state(&fields).is_some();
        if let Some(node) = fields.get("replaces").filter(|_| is_absent) {
            self.diagnostics
                .error(DiagnosticCode::InvalidState, node.span, "`replaces` cannot stand beside `state: absent`")
                .help("a base station that is removed replaces nothing; remove one of the two");
        }
        let mac = mac?;
        if let Some(old) = replaces.as_ref().filter(|old| old.value == mac.value) {
            self.diagnostics
                .error(DiagnosticCode::DuplicateBaseStation, old.span, "a base station cannot replace itself")
                .with_related(mac.span, "its address")
                .help("write the address of the old base station after `replaces`");
        }
        Some(BaseStationEntry { span: node.span, mac, replaces, is_absent })
    }

    fn mac(&mut self, node: &Node<'_>, what: &str) -> Option<Spanned<Mac>> {
        let written = match &node.value {
            Value::Text(written) => written,
            Value::PlainScalar(_) => {
                let message = format!("{what} must be a MAC address, but YAML reads this value as another type");
                self.diagnostics.error(DiagnosticCode::UnquotedValue, node.span, message).help("quote the value");
                return None;
            }
            Value::Null | Value::List(_) | Value::Map(_) => {
                let message = format!("{what} must be a MAC address, not {}", node.kind());
                self.diagnostics
                    .error(DiagnosticCode::WrongType, node.span, message)
                    .help("write 12 hexadecimal digits in quotes");
                return None;
            }
        };
        match Mac::new(written) {
            Ok(value) => Some(Spanned { value, span: node.span }),
            Err(error) => {
                let help = match self.source_info.format {
                    SourceFormat::Csv => {
                        "write 12 hexadecimal digits; a spreadsheet may have converted them to a number, format the \
                         column as text"
                    }
                    SourceFormat::Yaml => "write 12 hexadecimal digits in quotes, as on the label of the base station",
                };
                self.diagnostics
                    .error(DiagnosticCode::InvalidMac, node.span, format!("MAC address {error}"))
                    .help(help);
                None
            }
        }
    }
}

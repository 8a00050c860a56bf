//! The sheet for an installer: networks with their access codes, base stations and handsets.

use serde::Serialize;

use super::{CodeVisibility, html};
use crate::desired::table;
use crate::model::{BaseStation, CodeText, Handset, Member, registration_time, to_minute};
use crate::reconcile::PairingNetwork;

/// A network of the sheet. Access codes are there only if they were asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Sheet {
    location: String,
    network: String,
    display_name: Option<String>,
    model: Option<String>,
    /// Whether the access code of the network is in use; otherwise each handset has its own.
    has_common_code: bool,
    code: Option<String>,
    /// `None` if they are not on the sheet.
    base_stations: Option<Vec<String>>,
    handsets: Option<Vec<Row>>,
    never_registered: usize,
}

/// A handset of the sheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Row {
    name: String,
    line1: String,
    line2: String,
    code: Option<String>,
    registered: Option<String>,
}

impl Sheet {
    fn of(one: &PairingNetwork, codes: CodeVisibility) -> Self {
        let show = |code: Option<&CodeText>| {
            code.filter(|_| codes == CodeVisibility::Shown).map(|code| code.expose_secret().to_owned())
        };
        let settings = &one.network.settings;
        let label = |member: &Option<Member>| member.as_ref().map(Member::label).unwrap_or_default();
        let row = |(handset, code): &(Handset, Option<CodeText>)| Row {
            name: handset.display_name().map(ToString::to_string).unwrap_or_default(),
            line1: label(&handset.line1),
            line2: label(&handset.line2),
            code: show(code.as_ref()),
            registered: registration_time(handset).map(to_minute),
        };
        let handsets: Option<Vec<Row>> = one.handsets.as_ref().map(|handsets| handsets.iter().map(row).collect());
        let stations = one.base_stations.as_ref();
        Self {
            location: one.location.name.to_string(),
            network: settings.name.to_string(),
            display_name: settings.display_name.as_deref().map(str::to_owned),
            model: one.network.model.as_deref().map(str::to_owned),
            has_common_code: settings.code_enabled != Some(false),
            code: show(settings.code.as_ref()),
            base_stations: stations.map(|stations| stations.iter().map(BaseStation::label).collect()),
            never_registered: handsets.iter().flatten().filter(|row| row.registered.is_none()).count(),
            handsets,
        }
    }
}

/// A table: a row for each base station and each handset. Columns of access codes say that they are secret.
pub fn csv(networks: &[PairingNetwork], codes: CodeVisibility) -> String {
    let with_codes = codes == CodeVisibility::Shown;
    let columns = ["location", "network"].into_iter().chain(with_codes.then_some("network access code (secret)"));
    let columns = columns.chain(["base station", "handset", "line 1", "line 2"]);
    let columns = columns.chain(with_codes.then_some("handset access code (secret)")).chain(["last registration"]);
    let mut rows: Vec<Vec<Option<String>>> = Vec::new();
    for sheet in networks.iter().map(|one| Sheet::of(one, codes)) {
        let mut add = |station: Option<String>, handset: Option<Row>| {
            let mut row = vec![Some(sheet.location.clone()), Some(sheet.network.clone())];
            row.extend(with_codes.then(|| sheet.code.clone().filter(|_| sheet.has_common_code)));
            row.push(station);
            let of = |value: fn(&Row) -> &String| handset.as_ref().map(|row| value(row).clone());
            row.extend([of(|row| &row.name), of(|row| &row.line1), of(|row| &row.line2)]);
            row.extend(with_codes.then(|| handset.as_ref().and_then(|row| row.code.clone())));
            let never = || "never".to_owned();
            row.push(handset.as_ref().map(|row| row.registered.clone().unwrap_or_else(never)));
            rows.push(row);
        };
        let (stations, handsets) = (sheet.base_stations.iter().flatten(), sheet.handsets.iter().flatten());
        if stations.clone().next().is_none() && handsets.clone().next().is_none() {
            add(None, None);
        }
        stations.for_each(|station| add(Some(station.clone()), None));
        handsets.for_each(|handset| add(None, Some(handset.clone())));
    }
    table(columns, rows)
}

/// Pages to print: one for each network.
pub fn page(networks: &[PairingNetwork], codes: CodeVisibility) -> String {
    let sheets: Vec<Sheet> = networks.iter().map(|one| Sheet::of(one, codes)).collect();
    html::pairing(&sheets, codes == CodeVisibility::Shown)
}

//! Exports the live state as a desired state that results in an empty plan.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::csv;
use super::model::LineNames;
use super::yaml_writer::{NetworkHead, Purpose, WritableSettings, Written, YamlWriter, writable};
use crate::diagnostic::plural;
use crate::model::{
    Devices, LiveState, Location, LocationIndex, Network, NetworkIndex, NetworkName, Setting, Settings,
};

#[derive(Clone, Copy)]
pub struct Export<'a> {
    pub live: &'a LiveState,
    /// The id and the name of its organization, as far as known; written to YAML.
    pub organization: Option<(&'a str, Option<&'a str>)>,
    pub codes: CodeExport,
    /// Whether comments say what no file sets, such as names of persons. It changes without any change of the networks.
    pub with_remarks: bool,
    /// Whether this is a temporary name; it is not exported.
    pub is_temporary_name: &'a dyn Fn(&str) -> bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeExport {
    Include,
    /// Access codes are omitted.
    Omit,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    pub text: String,
    pub locations: usize,
    pub networks: usize,
    pub omitted: Vec<String>,
}

impl Export<'_> {
    pub fn yaml(&self, locations: &[LocationIndex]) -> Exported {
        let networks: usize = locations.iter().map(|at| self.live.networks_of(*at).len()).sum();
        let mut exported = Exported { locations: locations.len(), networks, ..Exported::default() };
        let mut file = YamlWriter::new(
            &format!("Live state of {}.", counted(networks, locations.len())),
            self.organization.map(|(id, name)| (id, name.filter(|_| self.with_remarks))),
        );
        let lines = LineNames::of(self.live);
        let purpose = Purpose::File { with_remarks: self.with_remarks, lines: &lines };
        for at in locations {
            let location = self.live.location(*at);
            file.location(&location.id, &location.name);
            for (network, writable_settings) in self.networks(*at) {
                exported.note(location, network, &writable_settings);
                let remark = describe(network).filter(|_| self.with_remarks);
                file.network(NetworkHead::Id(network.id.as_str()), remark.as_deref());
                file.settings(&network.settings, writable_settings);
                file.devices(&location.id, self.devices(network), purpose);
            }
        }
        exported.text = file.finish();
        exported
    }

    fn devices(&self, network: &Network) -> &Devices {
        self.live.find(&network.id).map_or(&Devices::UNREAD, |at| self.live.devices(at))
    }

    /// A table of networks.
    pub(crate) fn networks_csv(&self, locations: &[LocationIndex]) -> Exported {
        let networks: usize = locations.iter().map(|at| self.live.networks_of(*at).len()).sum();
        let mut exported = Exported { locations: locations.len(), networks, ..Exported::default() };
        let with_codes = self.codes == CodeExport::Include;
        let code = ["defaultAccessCode"].into_iter().filter(|_| with_codes);
        let columns = ["location", "name", "displayName", "defaultAccessCodeEnabled"].into_iter().chain(code);
        let read: HashSet<&str> = self
            .live
            .networks()
            .flat_map(|(at, _)| self.live.devices(at).entry_fields())
            .filter_map(|(name, value)| value.map(|_| name))
            .collect();
        let of_entry = |devices: &Devices| devices.entry_fields().into_iter().filter(|(name, _)| read.contains(name));
        let columns = columns.chain(of_entry(&Devices::UNREAD).map(|(name, _)| name));
        let remarks = self.remarks(["#model", "#baseStations", "#handsets", "#lines"]);
        exported.text = csv::heading(columns.chain(remarks).chain(["locationId", "id"]));
        for at in locations {
            let location = self.live.location(*at);
            for (network, writable_settings) in self.networks(*at) {
                exported.note(location, network, &writable_settings);
                let value = |setting: Setting| {
                    let entry = writable_settings.iter().find(|(known, _)| *known == setting);
                    entry
                        .filter(|(_, written)| *written == Written::Value)
                        .and_then(|_| plain(&network.settings, setting))
                };
                let number = |count: Option<u64>| count.map(|count| count.to_string());
                let cells = [
                    Some(location.name.to_string()),
                    value(Setting::Name),
                    value(Setting::DisplayName),
                    value(Setting::CodeEnabled),
                ];
                let code = with_codes.then(|| value(Setting::Code));
                let devices = of_entry(self.devices(network)).map(|(_, value)| value.map(str::to_owned));
                let remarks = self.remarks([
                    network.model.as_deref().map(str::to_owned),
                    number(network.base_stations),
                    number(network.handsets),
                    number(network.lines),
                ]);
                let ids = [Some(location.id.to_string()), Some(network.id.to_string())];
                let cells = cells.into_iter().chain(code).chain(devices).chain(remarks).chain(ids);
                exported.text.push_str(&csv::row(cells));
            }
        }
        exported
    }

    /// Those columns or cells that say what no file sets.
    pub(crate) fn remarks<T, const N: usize>(&self, remarks: [T; N]) -> impl Iterator<Item = T> {
        remarks.into_iter().filter(|_| self.with_remarks)
    }

    /// A table of things that belong to networks: these columns behind those of the network, and the rows of each network.
    pub(crate) fn device_table<'c>(
        &self,
        locations: &[LocationIndex],
        columns: impl IntoIterator<Item = &'c str>,
        rows: impl Fn(&Location, NetworkIndex) -> Vec<Vec<String>>,
    ) -> Exported {
        let mut exported = Exported { locations: locations.len(), ..Exported::default() };
        exported.text = csv::heading(csv::PLACE_COLUMNS.into_iter().chain(columns));
        for at in locations {
            let location = self.live.location(*at);
            for (index, network) in self.live.networks_of(*at) {
                exported.networks += 1;
                // A name that no file can have is left out: the id tells the network.
                let name = &*network.settings.name;
                let name = NetworkName::new(name).map_or("", |_| name);
                let place = [location.id.as_str(), &location.name, network.id.as_str(), name].map(str::to_owned);
                for row in rows(location, index) {
                    exported.text.push_str(&csv::row(place.iter().cloned().chain(row)));
                }
            }
        }
        exported
    }

    /// Writable settings of each network of a location, and why settings were omitted.
    fn networks(&self, at: LocationIndex) -> Vec<(&Network, WritableSettings)> {
        let names = counts(self.live.networks_of(at).map(|(_, network)| network.settings.name_key()));
        let codes = counts(self.live.networks_of(at).filter_map(|(_, network)| network.settings.code.clone()));
        let writable_settings = |network: &Network| {
            let settings = &network.settings;
            Setting::ALL
                .into_iter()
                .filter(|setting| *setting != Setting::Code || self.codes == CodeExport::Include)
                .map(|setting| {
                    let shared = match setting {
                        Setting::Name => names[&settings.name_key()] > 1,
                        Setting::Code => settings.code.as_ref().is_some_and(|code| codes[code] > 1),
                        Setting::DisplayName | Setting::CodeEnabled => false,
                    };
                    let aside = setting == Setting::Name && (self.is_temporary_name)(&settings.name);
                    let written = if aside {
                        Written::Omitted("the live name is a temporary name of an interrupted run".to_owned())
                    } else if shared {
                        Written::Omitted("another network in the location has the same value".to_owned())
                    } else {
                        writable(settings, setting)
                    };
                    (setting, written)
                })
                .collect()
        };
        self.live.networks_of(at).map(|(_, network)| (network, writable_settings(network))).collect()
    }
}

impl Exported {
    fn note(&mut self, location: &Location, network: &Network, writable_settings: &WritableSettings) {
        for (setting, written) in writable_settings {
            if let Written::Omitted(why) = written {
                let (setting, name) = (setting.api_name(), &network.settings.name);
                self.omitted.push(format!("{setting} of {name:?} in {:?}: {why}", location.name));
            }
        }
    }
}

fn counts<K: Eq + Hash>(values: impl Iterator<Item = K>) -> HashMap<K, usize> {
    let mut counts = HashMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
}

/// Formats a value for a spreadsheet.
fn plain(settings: &Settings, setting: Setting) -> Option<String> {
    match setting {
        Setting::Name => Some(settings.name.to_string()),
        Setting::DisplayName => settings.display_name.as_deref().map(str::to_owned),
        Setting::CodeEnabled => settings.code_enabled.map(|enabled| enabled.to_string()),
        Setting::Code => settings.code.as_ref().map(|code| code.expose_secret().to_owned()),
    }
}

fn counted(networks: usize, locations: usize) -> String {
    format!("{} in {}", plural(networks, "DECT network"), plural(locations, "location"))
}

fn describe(network: &Network) -> Option<String> {
    let count = |count: Option<u64>, noun: &str| count.map(|count| plural(count as usize, noun));
    let parts: Vec<String> = [
        network.model.as_deref().map(str::to_owned),
        count(network.base_stations, "base station"),
        count(network.handsets, "handset"),
        count(network.lines, "line"),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Returns a unique file stem for every location: its name in letters, digits and hyphens, numbered if necessary.
pub fn unique_file_stems<'a>(locations: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken = std::collections::HashSet::new();
    let mut unused = |name: &str| {
        let slug = slug::slugify(name);
        // These are empty or reserved device names on some file systems.
        let slug = match slug.as_str() {
            "" => "location".to_owned(),
            "con" | "prn" | "aux" | "nul" => format!("location-{slug}"),
            _ => slug.chars().take(100).collect(),
        };
        let numbered = (2..).map(|number| format!("{slug}-{number}"));
        std::iter::once(slug.clone()).chain(numbered).find(|name| taken.insert(name.clone())).unwrap_or(slug)
    };
    locations.map(&mut unused).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_safe_and_differ() {
        let names = ["Oslo HQ", "oslo hq", "../../etc/passwd", "", "?!", "Ålesund (Nord)", "CON"];
        assert_eq!(
            unique_file_stems(names.into_iter()),
            ["oslo-hq", "oslo-hq-2", "etc-passwd", "location", "location-2", "alesund-nord", "location-con"]
        );
    }
}

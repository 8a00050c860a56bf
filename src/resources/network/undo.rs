//! Undoes changes of networks: settings become what they were, created networks are deleted, and deleted ones created again.

use super::desired_settings::DesiredSettings;
use super::network_model::NetworkModel;
use super::settings::{Setting, SettingSet, Settings};
use super::state::Network;
use crate::desired::model::{BaseStationEntry, DeviceEntries, NetworkEntry, Spanned};
use crate::diagnostic::DiagnosticCode;
use crate::model::{Handset, LiveState, NetworkId, NetworkName};
use crate::plan::is_temporary;
use crate::plan::model::ChangeAction::Create;
use crate::plan::model::{Operation, ResourceKind as Kind, ResourceState};
use crate::reconcile::undo_builder::{RecreatedNetwork, UndoBuilder, entry};
use crate::resources::base_station::undo::base_station;
use crate::resources::handset::undo::{NOT_ADDED_AGAIN, TWIN, can_be_added, handset_as_it_was, is_twin};
use crate::storage::RunHistory;
use crate::storage::journal::{ModifiedNetwork, RecordedItem};

/// The codes that Webex hides while they are disabled, as the run has left them: an update must send one, and a swap must know
/// who has which.
pub(crate) fn fill_hidden_codes(history: &RunHistory, live: &mut LiveState) {
    for modified in &history.modified {
        let disabled = modified.final_states.iter().filter(|state| state.code_enabled == Some(false));
        let codes: Vec<_> = disabled.filter_map(|state| state.code.as_ref()).collect();
        if let (Some(at), Some(code)) = (live.find(&modified.network), codes.first())
            && codes.iter().all(|other| other == code)
        {
            live.fill_hidden_code(at, (*code).clone());
        }
    }
}

impl<'a> UndoBuilder<'a> {
    pub(crate) fn restore_settings(&mut self, modified: &'a ModifiedNetwork) {
        // It goes with its settings, whatever they were in between.
        if self.has_created(&modified.network) {
            return;
        }
        let before = &modified.before;
        let now = self.live.find(&modified.network).map(|at| &self.live.network(at).settings);
        if now.is_some_and(|now| now.matches(before)) {
            return;
        }
        // What an earlier undo has restored of it is as it was before.
        let is_of_run = |now: &Settings, state: &Settings| {
            let changed: Vec<Setting> = now.mismatched(before).collect();
            now.mismatched(state).all(|setting| !changed.contains(&setting))
        };
        let left_as = now.and_then(|now| modified.final_states.iter().find(|state| is_of_run(now, state)));
        let Some(state) = left_as else {
            let reason = match now {
                Some(now) => format!("its settings changed since the run (current name: {})", now.name),
                None => "it no longer exists".to_owned(),
            };
            return self.warn(DiagnosticCode::ChangedSinceRun, format!("skipped {}: {reason}", before.name));
        };
        if is_temporary(&before.name) {
            let name = format!("the name of {:?}", state.name);
            return self
                .leave_alone(name, "the run found it with a temporary name of an interrupted run; undo that one");
        }
        let name = &before.name;
        if before.display_name.is_none() && now.is_some_and(|now| now.display_name.is_some()) {
            self.leave_alone(format!("displayName of {name:?}"), "it had none, which cannot be asked for");
        }
        if before.code.is_none() && state.code.is_some() {
            self.leave_alone(
                format!("defaultAccessCode of {name:?}"),
                "the former one was hidden, and may be another one",
            );
        }
        let desired = self.former_settings(name, before, before.diff(state));
        if desired != DesiredSettings::default() {
            let span = self.line(&modified.location, "settings of ", name);
            let entry = NetworkEntry { desired, has_own_settings: true, ..entry(Some(modified.network.clone()), span) };
            self.location(&modified.location).modified.push(entry);
        }
    }

    /// The settings to restore. One that Webex would refuse is left alone.
    pub(crate) fn former_settings(&mut self, network: &str, before: &Settings, of: SettingSet) -> DesiredSettings {
        let mut desired = DesiredSettings::default();
        for setting in of.iter() {
            if let Err(error) = desired.set_from(before, setting) {
                let name = format!("{} of {network:?}", setting.api_name());
                self.leave_alone(name, format!("its former value {error}, so it cannot be restored"));
            }
        }
        desired
    }

    /// A network that the run has created is deleted if its id is recorded and all that it holds is the run's.
    pub(crate) fn delete_created(&mut self, item: &'a RecordedItem) {
        let Some(after @ ResourceState::Network { settings, .. }) = &item.after else { return };
        let name = settings.name.to_string();
        let Some(id) = item.id.as_deref().and_then(NetworkId::non_empty) else {
            let is_there = self
                .live
                .networks()
                .any(|(_, network)| network.location == item.location && after.matches_created(network));
            if is_there {
                self.leave_alone(name, "its id was not recorded, so it may not be the run's");
            }
            return;
        };
        // It is gone already.
        let Some(at) = self.live.find(&id) else { return };
        if !after.matches_created(self.live.network(at)) {
            return self.leave_alone(name, "its settings changed since the run");
        }
        let stations = self.live.base_stations(at).unwrap_or_default().iter().map(|station| station.label());
        let foreign = stations
            .filter(|label| !self.recorded.contains(&(Operation::new(Kind::BaseStation, Create), &id, label.clone())))
            .map(|label| format!("base station {label}"));
        let handsets = self.live.handsets(at).unwrap_or_default().iter();
        let is_foreign = |handset: &&Handset| !self.has_added(&id, handset) || !self.is_as_left(handset);
        let foreign: Vec<String> =
            foreign.chain(handsets.filter(is_foreign).map(|handset| format!("handset {}", handset.label()))).collect();
        if foreign.is_empty() {
            let span = self.line(&item.location, "delete ", &name);
            let entry = NetworkEntry { absent: Some(span), name_is_check: true, ..entry(Some(id), span) };
            self.location(&item.location).deleted.push(entry);
        } else {
            self.leave_alone(name, format!("it holds what the run has not added, or not so: {}", foreign.join(", ")));
        }
    }

    /// A deleted network is created again with its devices.
    pub(crate) fn create_deleted(&mut self, item: &'a RecordedItem) {
        let (Some(ResourceState::Network { settings, model }), Some(id)) = (&item.before, &item.network) else {
            return;
        };
        let name = settings.name.to_string();
        if let Some(at) = self.live.find(id) {
            // Otherwise the deletion was not applied.
            let is_made_again = item.key.network != id.as_str();
            if is_made_again {
                self.complete_recreated(item, self.live.network(at));
            }
            return;
        }
        let model = model.as_deref().and_then(NetworkModel::parse);
        let why = match (model, NetworkName::new(&name)) {
            (None, _) => Some("its model is not known".to_owned()),
            _ if settings.code.is_none() => Some("its access code is not known".to_owned()),
            (_, Err(error)) => Some(format!("its name {error}")),
            _ => None,
        };
        if let Some(why) = why {
            for content in &item.contents {
                match content {
                    ResourceState::BaseStation(station) => self.displaced.stations.extend(station.mac()),
                    ResourceState::Handset(handset) => self.displaced.handset(handset),
                    ResourceState::Network { .. } | ResourceState::ServiceabilityPassword(_) => {}
                }
            }
            return self.leave_alone(name, format!("{why}, so it cannot be created again"));
        }
        let desired = self.former_settings(&name, settings, Setting::ALL.into_iter().collect());
        let span = self.line(&item.location, "create ", &name);
        let (mut stations, mut handsets): (Vec<BaseStationEntry>, Vec<&Handset>) = (Vec::new(), Vec::new());
        for content in &item.contents {
            match content {
                ResourceState::BaseStation(station) => {
                    if let Some(mac) = self.mac(&station.label()) {
                        let span = self.line(&item.location, "add base station ", &station.label());
                        stations.push(base_station(mac, span));
                    }
                }
                ResourceState::Handset(handset) => {
                    let label = format!("handset {} of {name:?}", handset.label());
                    if !can_be_added(handset) {
                        self.displaced.handset(handset);
                        self.leave_alone(label, NOT_ADDED_AGAIN);
                    } else if let Some(twin) = handsets.iter().find(|other| is_twin(other, handset)) {
                        self.displaced.handset_beside(handset, twin);
                        self.leave_alone(label, TWIN);
                    } else {
                        handsets.push(handset);
                    }
                }
                ResourceState::Network { .. } | ResourceState::ServiceabilityPassword(_) => {}
            }
        }
        let location = item.location.clone();
        self.recreated.push(RecreatedNetwork { location, name, former_id: id.clone() });
        let handsets = handsets.into_iter().map(|handset| {
            let span = self.line(&item.location, "add handset ", &handset.label());
            handset_as_it_was(handset, span)
        });
        let handsets: Vec<_> = handsets.collect();
        let entry = NetworkEntry {
            desired,
            model: model.map(|value| Spanned { value, span }),
            devices: DeviceEntries {
                base_stations: (!stations.is_empty()).then_some(stations),
                handsets: (!handsets.is_empty()).then_some(handsets),
                serviceability_password: None,
            },
            has_own_settings: true,
            ..entry(None, span)
        };
        self.location(&item.location).created.push(entry);
    }

    /// An earlier undo has created the network again: what it lacks of its devices is added.
    fn complete_recreated(&mut self, item: &'a RecordedItem, network: &Network) {
        for content in &item.contents {
            match content {
                ResourceState::BaseStation(station) => self.add_base_station(item, station),
                ResourceState::Handset(handset) => self.add_handset(item, handset),
                ResourceState::Network { .. } | ResourceState::ServiceabilityPassword(_) => {}
            }
        }
        if item.before.as_ref().is_some_and(|before| !before.matches_created(network)) {
            self.leave_alone(&network.settings.name, "it was created again, and its settings changed since");
        }
    }
}

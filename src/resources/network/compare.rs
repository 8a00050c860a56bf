//! Compares the desired with the current state of each managed network.

use crate::desired::model::NetworkEntry;
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, Severity, plural, quoted_list};
use crate::model::{
    CodeText, DISPLAY_NAME_RECOMMENDED_MAX, LiveState, LocationIndex, NameKey, Network, NetworkIndex, NetworkModel,
    Setting, Settings,
};
use crate::plan::is_temporary;
use crate::plan::matching::Managed;

/// A network that is created, updated or deleted.
///
/// The order of changes is decided by *claims* alone: the name and the code that a network holds before, and those that
/// it takes.
#[derive(Debug)]
pub(crate) struct NetworkChange<'a> {
    pub(crate) entry: &'a NetworkEntry,
    /// The network as it is; `None` if it is created.
    pub(crate) before: Option<(NetworkIndex, &'a Settings)>,
    /// `None` if it is deleted.
    pub(crate) after: Option<Settings>,
    /// The model of a created network.
    pub(crate) model: Option<NetworkModel>,
}

impl NetworkChange<'_> {
    pub(crate) const fn is_deletion(&self) -> bool {
        self.after.is_none()
    }

    pub(crate) fn network(&self) -> Option<NetworkIndex> {
        self.before.map(|(network, _)| network)
    }

    pub(crate) fn settings_before(&self) -> Option<&Settings> {
        self.before.map(|(_, settings)| settings)
    }

    /// The name to show: the current one if there is one.
    pub(crate) fn name(&self) -> &str {
        self.settings_before().or(self.after.as_ref()).map_or("", |settings| &settings.name)
    }

    /// The name that it holds before.
    pub(crate) fn held_name(&self) -> Option<NameKey> {
        self.settings_before().map(Settings::name_key)
    }

    /// The code that it holds before, if the list shows it.
    pub(crate) fn held_code(&self) -> Option<&CodeText> {
        self.settings_before()?.code.as_ref()
    }

    /// The name that it takes and does not hold yet.
    pub(crate) fn taken_name(&self) -> Option<NameKey> {
        let name = self.after.as_ref()?.name_key();
        (self.held_name().as_ref() != Some(&name)).then_some(name)
    }

    /// The code that it takes and is not known to hold yet.
    pub(crate) fn taken_code(&self) -> Option<&CodeText> {
        let after = self.after.as_ref()?;
        let code = after.code.as_ref()?;
        let changes = |(_, before): (_, &Settings)| before.changed_in(after).has(Setting::Code);
        self.before.is_none_or(changes).then_some(code)
    }
}

/// The networks of a location that change: first those that are created or updated, in the order of the list and of the
/// files, then those that are deleted; and the number of unchanged ones.
pub(crate) fn compare<'a>(
    managed: &Managed<'a>,
    live: &'a LiveState,
    diagnostics: &mut Diagnostics,
) -> (Vec<NetworkChange<'a>>, usize) {
    let mut changes = Vec::new();
    let (mut unnamed, mut hidden) = (Vec::new(), Vec::new());
    for (at, group) in &managed.networks {
        let (entry, network) = (group.primary, live.network(*at));
        if let Some(model) = &entry.model
            && network.known_model().is_some_and(|live_model| live_model != model.value)
        {
            diagnostics.push(wrong_model(entry, network.model.as_deref().unwrap_or_default(), model.span));
        }
        let (after, changed) = entry.requested_settings().merge_into(&network.settings);
        if changed.is_empty() {
            continue;
        }
        if changed.has(Setting::Name) {
            refuse_temporary_name(entry, &after.name, diagnostics);
        }
        for setting in missing(&after) {
            diagnostics.push(missing_required_setting(entry, &network.settings.name, network.id.as_str(), setting));
        }
        unnamed.extend(after.display_name.is_none().then_some((entry, network)));
        hidden.extend((network.settings.code.is_none() && after.code.is_some()).then_some((entry, network)));
        changes.push(NetworkChange { entry, before: Some((*at, &network.settings)), after: Some(after), model: None });
    }
    not_restorable(&unnamed, "has no display name, and Webex chooses one with an update that sets none", diagnostics);
    not_restorable(&hidden, "has a hidden access code, and the update may set another one", diagnostics);
    let unchanged = managed.networks.len() - changes.len();
    for (model, group) in &managed.created {
        let entry = group.primary;
        let Some(after) = created_settings(entry, diagnostics) else { continue };
        changes.push(NetworkChange { entry, before: None, after: Some(after), model: Some(*model) });
    }
    changes.extend(managed.deleted.iter().map(|(at, entry)| NetworkChange {
        entry,
        before: Some((*at, &live.network(*at).settings)),
        after: None,
        model: None,
    }));
    warn_of_hidden_codes(managed.location, &changes, live, diagnostics);
    (changes, unchanged)
}

/// A code that is asked for may be one of those that Webex hides.
fn warn_of_hidden_codes(
    location: LocationIndex,
    changes: &[NetworkChange<'_>],
    live: &LiveState,
    diagnostics: &mut Diagnostics,
) {
    let networks = live.networks_of(location).filter(|(_, network)| network.settings.code.is_none());
    let hidden: Vec<(NetworkIndex, &Network)> = networks.collect();
    let has_other = |change: &NetworkChange<'_>| hidden.iter().any(|(at, _)| change.network() != Some(*at));
    let takes_one = |change: &&NetworkChange<'_>| change.taken_code().is_some() && has_other(change);
    let Some(first) = changes.iter().find(takes_one) else { return };
    let names = quoted_list(hidden.iter().map(|(_, network)| &*network.settings.name), 5);
    let message = format!("access codes are hidden, and Webex refuses one that is used: those of {names}");
    diagnostics
        .warning(DiagnosticCode::HiddenCodes, first.entry.span(), message)
        .help("Webex shows the codes of networks whose codes are enabled; or ask for codes that none of these has");
}

/// The settings of a network that is created; reports what is missing.
fn created_settings(entry: &NetworkEntry, diagnostics: &mut Diagnostics) -> Option<Settings> {
    let desired = &entry.desired;
    let known = diagnostics.count(Severity::Error);
    let label = entry.label();
    // A code from a source that could not be read was reported.
    if desired.code.is_none() && entry.code.is_none() {
        diagnostics
            .error(
                DiagnosticCode::MissingSetting,
                entry.span(),
                format!("creating {label:?} requires `defaultAccessCode`"),
            )
            .help("add `defaultAccessCode` to this entry: four digits in quotes, { env: NAME } or { file: PATH }");
    }
    if let Some(name) = &desired.display_name
        && let Some(length) = name.exceeds_recommended()
    {
        let message = format!(
            "creating {label:?} requires a `displayName` of at most {DISPLAY_NAME_RECOMMENDED_MAX} characters, this one \
             has {length}"
        );
        diagnostics
            .error(DiagnosticCode::InvalidDisplayName, entry.span(), message)
            .help("shorten it; Webex refuses longer ones when a network is created");
    }
    if let Some(name) = &desired.name {
        refuse_temporary_name(entry, name.as_str(), diagnostics);
    }
    if diagnostics.count(Severity::Error) > known {
        return None;
    }
    Some(Settings {
        name: desired.name.as_ref()?.shared(),
        display_name: desired.display_name.as_ref().map(crate::model::DisplayName::shared),
        code_enabled: Some(desired.code_enabled.unwrap_or(true)),
        code: Some(desired.code?.to_code_text()),
    })
}

/// A temporary name would be taken for that of an interrupted run by the next one.
fn refuse_temporary_name(entry: &NetworkEntry, name: &str, diagnostics: &mut Diagnostics) {
    // What an undo goes back to was there before.
    if is_temporary(name) && !entry.is_recorded {
        let message = format!("{name:?} is a name that dectl gives for a moment");
        diagnostics
            .error(DiagnosticCode::InvalidName, entry.name_span.unwrap_or(entry.span()), message)
            .help("choose another name");
    }
}

fn wrong_model(entry: &NetworkEntry, live_model: &str, span: crate::diagnostic::Span) -> Diagnostic {
    let message = format!("{:?} is a {live_model}, and the model of a network cannot be changed", entry.label());
    Diagnostic::error(DiagnosticCode::ModelMismatch, message).with_span(span).help(
        "correct `model`; for other hardware, delete the network by its id with `state: absent` and create another one",
    )
}

/// Required settings that are neither requested nor known.
fn missing(after: &Settings) -> impl Iterator<Item = Setting> {
    [
        (Setting::Name, after.name.trim().is_empty()),
        (Setting::CodeEnabled, after.code_enabled.is_none()),
        (Setting::Code, after.code.as_ref().is_none_or(|code| code.expose_secret().is_empty())),
    ]
    .into_iter()
    .filter(|(_, missing)| *missing)
    .map(|(setting, _)| setting)
}

/// Warns of settings that an undo of these updates cannot restore, since Webex does not list them.
fn not_restorable(networks: &[(&NetworkEntry, &Network)], why: &str, diagnostics: &mut Diagnostics) {
    let Some((first, network)) = networks.first() else { return };
    let others = match networks.len() {
        1 => String::new(),
        many => format!("; so with {} more", plural(many - 1, "network")),
    };
    let name = &network.settings.name;
    let message = format!("{name:?} {why}, which an undo cannot restore{others}");
    diagnostics
        .warning(DiagnosticCode::NotRestorable, first.span(), message)
        .help("write the setting down before, if it matters");
}

fn missing_required_setting(entry: &NetworkEntry, name: &str, id: &str, setting: Setting) -> Diagnostic {
    let field = setting.api_name();
    let label = if name.is_empty() { id } else { name };
    Diagnostic::error(
        DiagnosticCode::MissingSetting,
        format!("the update of {label:?} requires `{field}`, and the API does not return the current value"),
    )
    .with_span(entry.span())
    .help(format!("add `{field}` to this entry"))
}

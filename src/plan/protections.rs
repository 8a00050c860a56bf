//! Finds what files protect or freeze.

use super::location_planner::file_source;
use super::matching::{Managed, Matches};
use super::model::{LocationRef, ProtectedNetwork, Protection};
use crate::desired::model::{Guard, GuardedNetwork, NetworkEntry};
use crate::diagnostic::{Diagnostic, DiagnosticCode, Diagnostics, Sources, quoted_list, suggest};
use crate::model::{LiveState, NameKey, NetworkIndex};

/// All protections of the locations and networks of files; reports those that match nothing.
pub fn protections(
    matches: &Matches<'_>,
    live: &LiveState,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Vec<Protection> {
    let mut found = Vec::new();
    for managed in &matches.managed {
        let location = live.location(managed.location);
        let mut add = |guard: &Guard, network: Option<NetworkIndex>| {
            let network = network.map(|at| live.network(at));
            found.push(Protection {
                location: LocationRef { id: location.id.clone(), name: location.name.clone() },
                network: network.map(|one| ProtectedNetwork { id: one.id.clone(), name: one.settings.name.clone() }),
                until: guard.until,
                reason: guard.reason.clone(),
                source: file_source(guard.span, sources),
            });
        };
        managed.guards.iter().for_each(|guard| add(guard, None));
        for (at, group) in &managed.networks {
            group.entries().flat_map(|entry| &entry.guards).for_each(|guard| add(guard, Some(*at)));
        }
        for guarded in &managed.guarded {
            match find(guarded, managed, live) {
                Ok(network) => guarded.guards.iter().for_each(|guard| add(guard, Some(network))),
                Err(unknown) => {
                    let diagnostic = already_deleted(guarded, managed).unwrap_or(unknown);
                    diagnostics.push(diagnostic.with_span(guarded.span));
                }
            }
        }
    }
    found
}

/// The network that an entry protects which says nothing else of it: by its id, by its live name, or by a name that an
/// entry of the files gives it or takes from it.
fn find(guarded: &GuardedNetwork, managed: &Managed<'_>, live: &LiveState) -> Result<NetworkIndex, Diagnostic> {
    let key = guarded.name.as_ref().map(|name| NameKey::of(&name.value));
    let named: Vec<NetworkIndex> = live
        .networks_of(managed.location)
        .filter(|(_, network)| key == Some(NameKey::of(&network.settings.name)))
        .map(|(at, _)| at)
        .collect();
    let is_renamed = |entry: &NetworkEntry| {
        let former = entry.renamed_from.iter().map(|name| NameKey::of(&name.value));
        key.is_some() && former.map(Some).chain([entry.name_key()]).any(|name| name == key)
    };
    let renamed = || managed.networks.iter().filter(|(_, group)| is_renamed(group.primary));
    if let Some(id) = &guarded.id {
        let network = live.find(&id.value).filter(|at| live.location_of(*at) == managed.location);
        let network = network.ok_or_else(|| {
            Diagnostic::error(
                DiagnosticCode::UnknownNetwork,
                format!("no network of this location has the id {}", id.value),
            )
            .help("a network that is deleted needs no protection; remove the entry, or correct its id")
        })?;
        let is_its_name = key.is_none() || named.contains(&network) || renamed().any(|(at, _)| *at == network);
        return match is_its_name {
            true => Ok(network),
            false => {
                let (now, written) = (&live.network(network).settings.name, guarded.name.as_ref());
                let written = written.map_or("", |name| &*name.value);
                let message = format!("the network with this id is named {now:?}, not {written:?}");
                Err(Diagnostic::error(DiagnosticCode::NetworkMismatch, message)
                    .help("correct the name or the id, or remove one of them"))
            }
        };
    }
    let label = guarded.name.as_ref().map_or("", |name| &*name.value);
    match &named[..] {
        [network] => Ok(*network),
        [] => renamed().map(|(at, _)| *at).next().ok_or_else(|| {
            let names = || live.networks_of(managed.location).map(|(_, network)| &*network.settings.name);
            let near = suggest(label, names());
            let help = match near.is_empty() {
                true => format!("networks of the location: {}", quoted_list(names(), 8)),
                false => format!("did you mean {}?", quoted_list(near, 3)),
            };
            let location = &live.location(managed.location).name;
            let message = format!("{location:?} has no network named {label:?}, which an entry protects");
            Diagnostic::error(DiagnosticCode::UnknownNetwork, message).help(help)
        }),
        several => {
            let ids: Vec<&str> = several.iter().map(|at| live.network(*at).id.as_str()).collect();
            let message = format!("{} networks are named {label:?}", several.len());
            Err(Diagnostic::error(DiagnosticCode::AmbiguousNetwork, message)
                .help(format!("specify the id: {}", ids.join(" or "))))
        }
    }
}

/// A warning, if the network was deleted since, as another entry asks for: it has the same id, or the same name beside its id.
fn already_deleted(guarded: &GuardedNetwork, managed: &Managed<'_>) -> Option<Diagnostic> {
    let is_it = |gone: &&&NetworkEntry| match (&guarded.id, &guarded.name) {
        (Some(id), _) => gone.id.as_ref().is_some_and(|other| other.value == id.value),
        (None, Some(name)) => gone.name_key() == Some(NameKey::of(&name.value)),
        (None, None) => false,
    };
    let gone = managed.gone.iter().find(is_it)?;
    let message = "the network that this entry protects is already deleted";
    let warning = Diagnostic::warning(DiagnosticCode::AlreadyAbsent, message);
    Some(warning.with_related(gone.span(), "as this entry asks for").help("remove both entries"))
}

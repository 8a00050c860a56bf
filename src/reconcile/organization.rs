//! Which organization a token is of, and whether files and plans are meant for it.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;

use super::error::Error;
use super::inputs::{Inputs, InvalidInput};
use crate::client::{ApiClient, Priority};
use crate::desired::model::{Desired, Spanned};
use crate::diagnostic::{DiagnosticCode, Diagnostics, Sources, Span, quoted_list};
use crate::model::{LiveState, same_text};
use crate::plan::model::{OrganizationRef, Plan};
use crate::webex::{Organization, calls};

/// The organization of a connection, and the others that its token reaches, as far as it may read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    pub organization: OrganizationRef,
    others: Vec<Organization>,
}

impl Reached {
    /// Asks for the organization `org` of the options or, without it, for that of the token.
    ///
    /// # Errors
    /// If neither the organizations nor the owner of the token can be read.
    pub async fn read(org: Option<&str>, client: &ApiClient) -> Result<Self, Error> {
        let listed = client.read(&calls::list_organizations(), Priority::Normal).await;
        let id = match (org, &listed) {
            (Some(org), Ok(organizations)) if !organizations.iter().any(|one| is_id(&one.id, org)) => {
                return Err(Error::UnreachedOrganization(org.to_owned()));
            }
            (Some(org), _) => org.to_owned(),
            (None, Ok(organizations)) if organizations.len() == 1 => organizations[0].id.clone(),
            (None, _) => {
                let owner = client.read(&calls::get_token_owner(), Priority::Normal).await.map_err(Error::reading)?;
                owner.org.ok_or(Error::UnknownOrganization)?
            }
        };
        let (of_token, others) =
            listed.unwrap_or_default().into_iter().partition(|one: &Organization| is_id(&one.id, &id));
        let of_token: Vec<Organization> = of_token;
        let name = of_token.into_iter().next().map(|one| one.name.into());
        Ok(Self { organization: OrganizationRef { id: id.into(), name }, others })
    }

    /// Whether this is the organization with an id or name; `None` if it is not an id and no name can be read.
    fn is(&self, wanted: &str) -> Option<bool> {
        let OrganizationRef { id, name } = &self.organization;
        if is_id(id, wanted) {
            return Some(true);
        }
        match name {
            Some(name) => Some(same_text(name, wanted)),
            None => is_encoded(wanted).then_some(false),
        }
    }

    /// What to do where another organization is meant.
    fn help(&self, wanted: &str) -> String {
        let other = self.others.iter().find(|one| is_id(&one.id, wanted) || same_text(&one.name, wanted));
        match other {
            Some(other) => format!("the token reaches it: pass `--org {}`", other.id),
            None if self.others.is_empty() => "use a token of that organization, or correct the file".to_owned(),
            None => {
                let names = quoted_list(self.others.iter().map(|one| one.name.as_str()), 5);
                format!("use a token of that organization, or correct the file; this one also reaches {names}")
            }
        }
    }
}

/// Whether two texts are the same id of an organization: as it is listed, or the UUID that it encodes.
fn is_id(id: &str, text: &str) -> bool {
    let plain = |id: &str| id.trim_end_matches('=').to_owned();
    plain(id) == plain(text) || uuid_of(id).is_some_and(|uuid| uuid_of(text) == Some(uuid))
}

/// The UUID of an organization: `ciscospark://us/ORGANIZATION/UUID`, encoded, or by itself.
fn uuid_of(id: &str) -> Option<String> {
    let standard = id.trim_end_matches('=').replace('-', "+").replace('_', "/");
    let decoded = BASE64_STANDARD_NO_PAD.decode(standard).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let of_uri = decoded.as_deref().and_then(|uri| uri.split_once("/ORGANIZATION/")).map(|(_, uuid)| uuid);
    of_uri.or_else(|| uuid_like(id).then_some(id)).map(str::to_ascii_lowercase)
}

/// Whether a text can only be an id.
fn is_encoded(text: &str) -> bool {
    text.starts_with("Y2lzY29zcGFyazov") || uuid_like(text)
}

fn uuid_like(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// Refuses files that name another organization than the one that is reached; the inputs then name theirs.
///
/// # Errors
/// If it is another one, or if that cannot be found out.
pub fn check_organization(inputs: Inputs, reached: &Reached) -> Result<Inputs, Error> {
    let Some(Spanned { value: wanted, span }) = &inputs.desired.organization else { return Ok(inputs) };
    let reached_now = &reached.organization;
    let (message, help) = match reached.is(wanted) {
        Some(true) => return Ok(Inputs { organization: Some(reached_now.clone()), ..inputs }),
        Some(false) => {
            (format!("this file is for {wanted:?}, but the organization is {reached_now}"), reached.help(wanted))
        }
        None => (
            format!("this file is for {wanted:?}, but the token may not read the name of its organization"),
            format!("write its id, `organization: {}`, if it is the right one", reached_now.id),
        ),
    };
    Err(other_organization(*span, message, help, &inputs.sources))
}

fn other_organization(span: Span, message: String, help: String, sources: &Arc<Sources>) -> Error {
    let mut diagnostics = Diagnostics::new();
    diagnostics.error(DiagnosticCode::OtherOrganization, span, message).help(help);
    Error::InvalidInput(Box::new(InvalidInput { diagnostics, sources: Arc::clone(sources) }))
}

/// Refuses a saved plan for another organization.
///
/// # Errors
/// If it is for another one.
pub fn check_plan_organization(plan: &Plan, reached: &Reached) -> Result<(), Error> {
    match &plan.organization {
        Some(wanted) if !is_id(&wanted.id, &reached.organization.id) => {
            let (plan, reached) = (wanted.to_string(), reached.organization.to_string());
            Err(Error::OtherOrganization { plan, reached })
        }
        _ => Ok(()),
    }
}

/// Why files know nothing of this organization: of several ids not one exists here, nor any name of a location.
pub(super) fn foreign_ids(desired: &Desired, live: &LiveState, sources: &Arc<Sources>) -> Option<Error> {
    if live.is_limited() {
        return None;
    }
    let locations = || desired.locations.iter();
    let of_locations = locations().filter_map(|location| location.id.as_ref());
    let of_networks = desired.entries().filter_map(|entry| entry.id.as_ref());
    let is_known = of_locations.clone().any(|id| live.find_location(&id.value).is_some())
        || of_networks.clone().any(|id| live.find(&id.value).is_some())
        || locations()
            .filter_map(|location| location.name.as_ref())
            .any(|name| live.locations().any(|(_, known)| same_text(&known.name, &name.value)));
    let spans: Vec<Span> = of_locations.map(|id| id.span).chain(of_networks.map(|id| id.span)).collect();
    let first = spans.first().filter(|_| spans.len() > 1 && !is_known)?;
    let message = "none of the ids in the files is known here: they are probably of another organization";
    let help = "check --org and the token; `dectl orgs` lists the organizations that the token reaches";
    Some(other_organization(*first, message.to_owned(), help.to_owned(), sources))
}

/// Whether a saved plan knows nothing of this organization: of several networks not one exists here.
pub(super) fn is_foreign(plan: &Plan, live: &LiveState) -> bool {
    let networks = plan.known_networks();
    networks.len() > 1 && networks.into_iter().all(|network| live.find(network).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_compared_as_they_are_listed_and_as_the_uuid_that_they_encode() {
        let id = "Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi85NmFiYzJhYS0zZGNjLTExZTUtYTE1Mi1mZTM0ODE5Y2RjOWE";
        let uuid = "96abc2aa-3dcc-11e5-a152-fe34819cdc9a";
        for (one, other, expected) in [
            (id, uuid, true),
            (id, &format!("{id}=")[..], true),
            (uuid, &uuid.to_uppercase()[..], true),
            (id, "96abc2aa-3dcc-11e5-a152-fe34819cdc9b", false),
            (id, "Acme", false),
        ] {
            assert_eq!(is_id(one, other), expected, "{other}");
        }
    }
}

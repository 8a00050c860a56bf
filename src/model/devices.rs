//! What a network consists of: base stations and handsets as Webex lists them.

use std::sync::Arc;

use super::id::{BaseStationId, HandsetId};
use super::mac::Mac;

/// A base station of a network.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BaseStation {
    /// Its id; `None` if the list has none, or before it was added.
    pub id: Option<BaseStationId>,
    /// Its address as listed, which need not be valid.
    pub address: Arc<str>,
}

impl BaseStation {
    /// A base station that is to be added.
    pub fn new(mac: Mac) -> Self {
        Self { id: None, address: mac.to_string().into() }
    }

    /// Its address, if it is a valid one.
    pub fn mac(&self) -> Option<Mac> {
        Mac::new(&self.address).ok()
    }

    /// Its address for display and comparison.
    pub fn label(&self) -> String {
        self.mac().map_or_else(|| self.address.to_string(), |mac| mac.to_string())
    }
}

/// A handset of a network.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Handset {
    pub id: Option<HandsetId>,
    /// `customDisplayName`, or else `defaultDisplayName`.
    pub display_name: Option<Arc<str>>,
    /// The extension of line 1, or else its number.
    pub line: Option<Arc<str>>,
}

impl Handset {
    /// Its name and line for display.
    pub fn label(&self) -> String {
        let name = self.display_name.as_deref().unwrap_or("(unnamed)");
        match &self.line {
            Some(line) => format!("{name} ({line})"),
            None => name.to_owned(),
        }
    }
}

/// Everything that belongs to a network and goes with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// Its base stations; `None` if they were not read.
    pub base_stations: Option<Vec<BaseStation>>,
    /// Its handsets; `None` if they were not read.
    pub handsets: Option<Vec<Handset>>,
}

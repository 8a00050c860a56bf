//! A base station as Webex lists it.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::mac::Mac;
use crate::model::BaseStationId;

/// A base station of a network.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct BaseStation {
    /// Its id; none if the list has none, or before it was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<BaseStationId>,
    /// Its address as listed, which need not be valid.
    #[serde(rename = "mac")]
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

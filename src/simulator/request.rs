//! What can be asked of the simulated organization.

/// An operation of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `GET /telephony/config/dectNetworks`
    List {
        /// Only this location.
        location: Option<String>,
        /// Only names that contain this.
        name: Option<String>,
    },
    /// `GET /telephony/config/locations/{location}/dectNetworks/{network}`
    Get {
        /// The location in the path.
        location: String,
        /// The network in the path.
        network: String,
    },
    /// `PUT` on the same path.
    Update {
        /// The location in the path.
        location: String,
        /// The network in the path.
        network: String,
        /// The body.
        body: Vec<u8>,
    },
    /// `POST /telephony/config/locations/{location}/dectNetworks`
    Create {
        /// The location in the path.
        location: String,
        /// The body.
        body: Vec<u8>,
    },
    /// `DELETE` on a network.
    Delete {
        /// The location in the path.
        location: String,
        /// The network in the path.
        network: String,
    },
    /// `GET /locations`
    Locations {
        /// Only names that contain this.
        name: Option<String>,
        /// At most so many a page.
        max: usize,
        /// Where the page begins.
        start: usize,
    },
    /// `GET /people/me`
    Me,
    /// `POST /access_token`
    AccessToken {
        /// The form in the body.
        form: Vec<u8>,
    },
    /// Anything else.
    Unknown,
}

impl Operation {
    /// Whether it changes something.
    pub const fn is_write(&self) -> bool {
        matches!(self, Self::Update { .. } | Self::Create { .. } | Self::Delete { .. })
    }

    /// Its method and path, as a log shows them.
    pub(super) fn spelt(&self) -> (&'static str, String) {
        let networks = |location: &str| format!("/telephony/config/locations/{location}/dectNetworks");
        match self {
            Self::List { .. } => ("GET", "/telephony/config/dectNetworks".to_owned()),
            Self::Get { location, network } => ("GET", format!("{}/{network}", networks(location))),
            Self::Update { location, network, .. } => ("PUT", format!("{}/{network}", networks(location))),
            Self::Create { location, .. } => ("POST", networks(location)),
            Self::Delete { location, network } => ("DELETE", format!("{}/{network}", networks(location))),
            Self::Locations { .. } => ("GET", "/locations".to_owned()),
            Self::Me => ("GET", "/people/me".to_owned()),
            Self::AccessToken { .. } => ("POST", "/access_token".to_owned()),
            Self::Unknown => ("?", "?".to_owned()),
        }
    }

    /// The location that it writes to.
    pub(super) fn written_location(&self) -> Option<&str> {
        match self {
            Self::Update { location, .. } | Self::Create { location, .. } | Self::Delete { location, .. } => {
                Some(location)
            }
            _ => None,
        }
    }
}

/// A request as it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is asked.
    pub operation: Operation,
    /// The bearer token.
    pub token: Option<String>,
    /// The client's own tracking id.
    pub tracking_id: Option<String>,
}

//! The domain model: live values as Webex has them, and desired values as files have them.
//!
//! | file | what it is |
//! |---|---|
//! | `id` | [`NetworkId`], [`LocationId`], [`BaseStationId`], [`HandsetId`], [`MemberId`]: opaque, compared without padding |
//! | `name` | [`NetworkName`], [`DisplayName`], [`HandsetName`]: valid names |
//! | `name_key` | [`NameKey`]: the only way to compare names; [`NaturalName`]: the order that they are shown in |
//! | `name_pattern` | [`NamePattern`]: globs for names |
//! | `code` | [`AccessCode`]: a valid code; [`CodeText`]: a code as it was read; neither prints itself |
//! | `live_state` | [`LiveState`]: locations and networks as Webex lists them |
//! | `time` | [`to_minute()`]: how times are shown |
//! | `shape` | [`Shape`]: what an API answers without any value |
//!
//! The states of the kinds of things are in their directories in `resources`.
//!
//! Live and desired values are two families of types. Reading never fails on a value; desired values are validated.

mod code;
mod id;
mod live_state;
mod name;
mod name_key;
mod name_pattern;
mod plain_text;
mod shape;
mod time;

pub use code::{AccessCode, CodeError, CodeText};
pub use id::{BaseStationId, HandsetId, LocationId, MemberId, NetworkId};
pub use live_state::{LiveState, Location, LocationIndex, NetworkIndex};
pub use name::{
    DISPLAY_NAME_RECOMMENDED_MAX, DisplayName, HANDSET_NAME_MAX, HandsetName, NAME_MAX, NameError, NetworkName,
};
pub use name_key::{NameKey, NaturalName, nfc, same_text};
pub use name_pattern::NamePattern;
pub use plain_text::{PlainTextError, is_journal, is_utf16, quotes_hint, secret_text, utf8_text};
pub use shape::{ApiShapes, FieldShape, OperationShape, SHAPES_VERSION, Shape, ShapesKind, kind_of_id};
pub use time::to_minute;

pub use crate::resources::base_station::mac::{Mac, MacError};
pub use crate::resources::base_station::state::BaseStation;
pub use crate::resources::devices::{DeviceList, Devices};
pub use crate::resources::handset::member::{Member, MemberKind, same_member};
pub use crate::resources::handset::state::{HANDSET_INTERVAL, Handset, registration_time};
pub use crate::resources::kind::{PerKind, ResourceKind};
pub use crate::resources::network::desired_settings::{DesiredSettings, SettingError};
pub use crate::resources::network::network_model::NetworkModel;
pub use crate::resources::network::settings::{Setting, SettingSet, Settings};
pub use crate::resources::network::state::Network;
pub use crate::resources::serviceability_password::state::{PasswordStatus, ServiceabilityPassword};

//! The domain model: live values as Webex has them, and desired values as files have them.
//!
//! | file | what it is |
//! |---|---|
//! | `id` | [`NetworkId`], [`LocationId`], [`BaseStationId`], [`HandsetId`], [`MemberId`]: opaque, compared without padding |
//! | `name` | [`NetworkName`], [`DisplayName`], [`HandsetName`]: valid names |
//! | `name_key` | [`NameKey`]: the only way to compare names; [`NaturalName`]: the order that they are shown in |
//! | `name_pattern` | [`NamePattern`]: globs for names |
//! | `code` | [`AccessCode`]: a valid code; [`CodeText`]: a code as it was read; neither prints itself |
//! | `mac` | [`Mac`]: the address of a base station |
//! | `network_model` | [`NetworkModel`]: the hardware of a network |
//! | `password` | [`PasswordStatus`]; [`ServiceabilityPassword`]: does not print itself |
//! | `kind` | [`ResourceKind`]: the kinds of things; [`PerKind`]: something for each |
//! | `devices` | [`BaseStation`], [`Handset`]: what a network consists of |
//! | `member` | [`Member`]: whose line a handset has |
//! | `settings` | the four [`Setting`]s; [`Settings`] as read or sent |
//! | `desired_settings` | [`DesiredSettings`]: the same four, each optional and valid |
//! | `live_state` | [`LiveState`]: locations and networks as Webex lists them |
//! | `time` | [`to_minute()`]: how times are shown |
//! | `shape` | [`Shape`]: what an API answers without any value |
//!
//! Live and desired values are two families of types. Reading never fails on a value; desired values are validated.

mod code;
mod desired_settings;
mod devices;
mod id;
mod kind;
mod live_state;
mod mac;
mod member;
mod name;
mod name_key;
mod name_pattern;
mod network_model;
mod password;
mod plain_text;
mod settings;
mod shape;
mod time;

pub use code::{AccessCode, CodeError, CodeText};
pub use desired_settings::{DesiredSettings, SettingError};
pub use devices::{BaseStation, DeviceList, Devices, HANDSET_INTERVAL, Handset, registration_time, same_member};
pub use id::{BaseStationId, HandsetId, LocationId, MemberId, NetworkId};
pub use kind::{PerKind, ResourceKind};
pub use live_state::{LiveState, Location, LocationIndex, Network, NetworkIndex};
pub use mac::{Mac, MacError};
pub use member::{Member, MemberKind};
pub use name::{
    DISPLAY_NAME_RECOMMENDED_MAX, DisplayName, HANDSET_NAME_MAX, HandsetName, NAME_MAX, NameError, NetworkName,
};
pub use name_key::{NameKey, NaturalName, nfc, same_text};
pub use name_pattern::NamePattern;
pub use network_model::NetworkModel;
pub use password::{PasswordStatus, ServiceabilityPassword};
pub use plain_text::{PlainTextError, is_journal, is_utf16, quotes_hint, secret_text, utf8_text};
pub use settings::{Setting, SettingSet, Settings};
pub use shape::{ApiShapes, FieldShape, OperationShape, SHAPES_VERSION, Shape, ShapesKind, kind_of_id};
pub use time::to_minute;

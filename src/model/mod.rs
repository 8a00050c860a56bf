//! The nouns of the field: what Webex holds, and what a file may ask for.
//!
//! | file | what it is |
//! |---|---|
//! | `id` | [`NetworkId`], [`LocationId`]: opaque, compared without padding |
//! | `name` | [`NetworkName`], [`DisplayName`] as they may be asked for |
//! | `name_key` | [`NameKey`]: the only way to compare names |
//! | `name_pattern` | [`NamePattern`]: what a run is narrowed by |
//! | `code` | [`AccessCode`] as it may be asked for, [`CodeText`] as it was read; both hide themselves |
//! | `settings` | the four [`Setting`]s, listed once; [`Settings`] as read or sent |
//! | `desired` | [`DesiredSettings`]: the same four, each optional and checked |
//! | `organization` | [`LiveState`]: locations and networks as Webex lists them |
//!
//! Values as read and values as wanted are two families of types. Reading never fails on a value;
//! asking for one is held to the rules.

mod code;
mod desired_settings;
mod id;
mod live_state;
mod name;
mod name_key;
mod name_pattern;
mod settings;

pub use code::{AccessCode, CodeError, CodeText};
pub use desired_settings::DesiredSettings;
pub use id::{LocationId, NetworkId};
pub use live_state::{LiveState, Location, LocationIndex, Network, NetworkIndex};
pub use name::{DISPLAY_NAME_RECOMMENDED_MAX, DisplayName, NAME_MAX, NameError, NetworkName};
pub use name_key::{NameKey, nfc};
pub use name_pattern::NamePattern;
pub use settings::{Setting, SettingSet, Settings};

//! Identifiers. Webex issues them as base64 text; they are opaque here and only compared and sent back.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The text of an id. Two texts that differ only in padding or in the base64 alphabet are the same id: some published
/// examples have `=` at the end, most responses do not.
#[derive(Clone)]
struct Id(Arc<str>);

impl Id {
    fn key(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.trim_end_matches('=').bytes().map(|byte| match byte {
            b'+' => b'-',
            b'/' => b'_',
            other => other,
        })
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0 || self.key().eq(other.key())
    }
}

impl Eq for Id {}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Id {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        if Arc::ptr_eq(&self.0, &other.0) { std::cmp::Ordering::Equal } else { self.key().cmp(other.key()) }
    }
}

impl Hash for Id {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // In chunks of a fixed length, so that both spellings hash alike; byte by byte takes several times as long.
        let mut piece = [0; 64];
        let mut filled = 0;
        for byte in self.key() {
            piece[filled] = byte;
            filled += 1;
            if filled == piece.len() {
                state.write(&piece);
                filled = 0;
            }
        }
        state.write(&piece[..filled]);
    }
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Id);

        impl $name {
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(Id(text.into()))
            }

            /// The id with this text, unless it is blank: an empty segment would turn the path of one thing into that of
            /// the collection.
            pub fn non_empty(text: impl Into<Arc<str>>) -> Option<Self> {
                let text = text.into();
                (!text.trim().is_empty()).then(|| Self::new(text))
            }

            /// The text as it was read, for the path of a request.
            pub fn as_str(&self) -> &str {
                &self.0.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Arc::<str>::deserialize(deserializer)?;
                Self::non_empty(text).ok_or_else(|| D::Error::custom("a blank id"))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                String::json_schema(generator)
            }
        }
    };
}

id_type! {
    NetworkId
}

id_type! {
    LocationId
}

id_type! {
    BaseStationId
}

id_type! {
    HandsetId
}

id_type! {
    MemberId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_and_alphabet_do_not_tell_ids_apart() {
        let bare = NetworkId::new("Y2lz_Y28-");
        for same in ["Y2lz_Y28-", "Y2lz_Y28-=", "Y2lz/Y28+=="] {
            assert_eq!(bare, NetworkId::new(same));
        }
        assert_ne!(bare, NetworkId::new("Y2lz_Y28"));
    }
}

//! Kinds of things as values of options.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use dectl::plan::model::ResourceKind;

/// Parses one of these kinds.
pub(crate) fn one_of(kinds: &'static [ResourceKind]) -> impl TypedValueParser<Value = ResourceKind> {
    PossibleValuesParser::new(kinds.iter().map(|kind| kind.option_value()))
        .try_map(|value| kinds.iter().copied().find(|kind| kind.option_value() == value).ok_or("no such kind"))
}

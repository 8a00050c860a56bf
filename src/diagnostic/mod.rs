//! What is wrong, where, and what to do about it.
//!
//! | file | what it is |
//! |---|---|
//! | `code` | [`DiagnosticCode`]: every kind of diagnostic, each documented in `docs/errors.md` |
//! | `diagnostics` | [`Diagnostic`] and [`Diagnostics`]: one, and all of a command |
//! | `sources` | [`Sources`]: the texts that were read; returns snippets in which secrets are redacted |
//! | `csv_layout` | [`CsvLayout`]: where the cells of a CSV file are |
//! | `secrets` | where in a desired-state file a secret may be |
//! | `redact` | words that name a secret, scalars of digits, and numbers in messages |
//! | `suggest` | known words that are close to a misspelled one |
//! | `plural` | [`plural()`]: numbers with their nouns |

mod code;
mod csv_layout;
mod diagnostics;
mod plural;
mod redact;
mod secrets;
mod sources;
mod suggest;

pub use code::DiagnosticCode;
pub use csv_layout::{Cell, CsvLayout};
pub use diagnostics::{Added, Diagnostic, Diagnostics, Related, Severity};
pub use plural::plural;
pub use redact::{mask_message, names_code};
pub use sources::{Snippet, SourceId, SourceLines, SourceLocation, Sources, Span};
pub use suggest::{quoted_list, suggest};

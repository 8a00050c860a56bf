//! What is wrong, where, and what to do about it.
//!
//! | file | what it is |
//! |---|---|
//! | `code` | [`DiagnosticCode`]: every kind of finding, each documented in `docs/errors.md` |
//! | `diagnostic` | [`Diagnostic`]: one finding; [`Diagnostics`]: all of them, in one run |
//! | `sources` | [`Sources`]: the texts that were read; hands out excerpts in which secrets are already masked |
//! | `layout` | [`CsvLayout`]: where the cells of a table stand |
//! | `masking` | where in a text an access code may stand |
//! | `suggest` | did you mean |

mod code;
mod csv_layout;
mod diagnostics;
mod plural;
mod redact;
mod sources;
mod suggest;

pub use code::DiagnosticCode;
pub use csv_layout::{Cell, CsvLayout};
pub use diagnostics::{Diagnostic, Diagnostics, Related, Severity};
pub use plural::plural;
pub use redact::mask_message;
pub use sources::{Snippet, SourceId, SourceLocation, Sources, Span};
pub use suggest::{quoted_list, suggest};

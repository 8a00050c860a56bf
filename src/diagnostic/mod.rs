//! What is wrong, where, and what to do about it.
//!
//! | file | what it is |
//! |---|---|
//! | `code` | [`Code`]: every kind of finding, each documented in `docs/errors.md` |
//! | `finding` | [`Diagnostic`]: one finding; [`Diagnostics`]: all of them, in one run |
//! | `sources` | [`Sources`]: the texts that were read; hands out excerpts in which secrets are already masked |
//! | `grid` | [`Grid`]: where the cells of a table stand |
//! | `masking` | where in a text an access code may stand |
//! | `nearest` | did you mean |

mod code;
mod finding;
mod grid;
mod masking;
mod nearest;
mod sources;

pub use code::Code;
pub use finding::{Diagnostic, Diagnostics, Related, Severity};
pub use grid::{Cell, Grid};
pub use masking::mask_message;
pub use nearest::{nearest, quoted_list};
pub use sources::{Excerpt, Place, SourceId, Sources, Spot};

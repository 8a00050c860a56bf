//! What people and programs get to see. Nothing here decides anything.
//!
//! | file | what it is |
//! |---|---|
//! | `view` | [`PlanView`], [`ResultView`]: grouped, sorted and masked; the only file that sees an access code |
//! | `sanitize` | other people's texts without what could deceive a reader |
//! | `text` | a plan and a result on a terminal |
//! | `json` | the documents |
//! | `markdown` | a comment on a pull request |
//! | `html` | one file that opens from a mail |
//! | `diff` | a unified diff of desired-state files |
//! | `rehearsal` | [`RehearsalView`]: a rehearsal as it is shown |
//! | `auth` | [`AuthView`]: what credentials are good for |
//! | `excerpts` | findings with the lines they are about |
//! | `progress` | a bar on a terminal, plain lines in a pipeline |

mod auth;
mod diagnostics;
pub mod diff;
pub mod html;
pub mod json;
pub mod markdown;
pub mod progress;
mod rehearsal;
mod sanitize;
pub mod text;
mod view;

pub use crate::diagnostic::plural;
pub use auth::AuthView;
pub use diagnostics::{diagnostic_one_line, diagnostics_text};
pub use rehearsal::RehearsalView;
pub use sanitize::sanitize;
pub use view::{
    ChangeView, CodeVisibility, DiffLine, FieldView, InterimView, LocationView, NetworkView, PlanView, ResultView,
    StepView,
};

//! What people and programs get to see. Nothing here decides anything.
//!
//! | file | what it is |
//! |---|---|
//! | `view` | [`PlanView`], [`ResultView`]: grouped, sorted and masked; the only file that sees an access code |
//! | `visible` | other people's texts without what could deceive a reader |
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
pub mod diff;
mod excerpts;
pub mod html;
pub mod json;
pub mod markdown;
pub mod progress;
mod rehearsal;
pub mod text;
mod view;
mod visible;

pub use auth::AuthView;
pub use excerpts::{findings_text, one_finding_line};
pub use rehearsal::RehearsalView;
pub use text::waves as waves_text;
pub use view::{
    AsideView, ChangeView, Codes, FieldView, LineView, LocationView, NetworkView, PlanView, ResultView, StepView,
};
pub use visible::visible;

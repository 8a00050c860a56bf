//! What people and programs get to see. Nothing here decides anything.
//!
//! | file | what it is |
//! |---|---|
//! | `view` | [`PlanView`], [`ResultView`]: grouped, sorted and masked; the only file that sees an access code |
//! | `visible` | other people's texts without what could deceive a reader |
//! | `text` | a plan and a result on a terminal |
//! | `json` | the documents |
//! | `excerpts` | findings with the lines they are about |
//! | `progress` | a bar on a terminal, plain lines in a pipeline |

mod excerpts;
pub mod json;
pub mod progress;
pub mod text;
mod view;
mod visible;

pub use excerpts::{findings_text, one_finding_line};
pub use view::{ChangeView, Codes, FieldView, LocationView, PlanView, ResultView, StepView};
pub use visible::visible;

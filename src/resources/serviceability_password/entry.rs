//! What files ask for: a [`PasswordStatus`], which the entries of a network must agree on.

use super::state::PasswordStatus;
use crate::desired::spanned::Spanned;
use crate::diagnostic::{DiagnosticCode, Diagnostics};

/// Reports two entries of a network that contradict each other.
pub(crate) fn contradicting_passwords(
    network: &str,
    one: &Spanned<PasswordStatus>,
    other: &Spanned<PasswordStatus>,
    diagnostics: &mut Diagnostics,
) {
    let message = format!("two entries of {network:?} ask for different serviceability passwords");
    diagnostics
        .error(DiagnosticCode::DuplicateNetwork, one.span, message)
        .with_related(other.span, "the other one")
        .help("remove one of them");
}

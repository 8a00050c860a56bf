//! Access codes. A code opens a network to any handset, so none of these types prints itself.

use std::fmt;
use std::sync::Arc;

/// Why a text is not an access code. The text itself is never part of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Only digits, but not four of them.
    #[error("has {length} digits (must be exactly 4)")]
    WrongLength { length: usize },
    /// A character other than the digits 0 to 9.
    #[error("must consist of digits 0 to 9")]
    NotDigits,
}

/// A valid access code: exactly four digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessCode(u16);

impl AccessCode {
    pub const COUNT: u16 = 10_000;

    /// Validates the text.
    ///
    /// # Errors
    /// If it is not exactly four digits from 0 to 9.
    pub fn new(text: &str) -> Result<Self, CodeError> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CodeError::NotDigits);
        }
        if text.len() != 4 {
            return Err(CodeError::WrongLength { length: text.len() });
        }
        text.parse().map(Self).map_err(|_| CodeError::NotDigits)
    }

    /// The code with this number, `0042` for 42; `None` from 10,000 on.
    pub const fn from_number(number: u16) -> Option<Self> {
        if number < Self::COUNT { Some(Self(number)) } else { None }
    }

    /// The code as requests carry it.
    pub fn to_code_text(self) -> CodeText {
        CodeText(format!("{:04}", self.0).into())
    }
}

impl fmt::Debug for AccessCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("••••")
    }
}

/// An access code as it was read or will be sent: any text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeText(Arc<str>);

impl CodeText {
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The code in the clear. For requests, for files of mode 0600, and for `--show-codes`.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }

    /// The same code as a valid one, if it is.
    pub fn checked(&self) -> Option<AccessCode> {
        AccessCode::new(&self.0).ok()
    }
}

impl fmt::Debug for CodeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("••••")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_four_ascii_digits() {
        assert_eq!(AccessCode::new("0042").map(AccessCode::to_code_text), Ok(CodeText::new("0042")));
        assert_eq!(AccessCode::new("12345"), Err(CodeError::WrongLength { length: 5 }));
        assert_eq!(AccessCode::new("１２３４"), Err(CodeError::NotDigits));
        assert_eq!(AccessCode::new("+123"), Err(CodeError::NotDigits));
        assert_eq!(AccessCode::new(""), Err(CodeError::NotDigits));
    }

    #[test]
    fn a_code_does_not_print_itself() {
        let code = AccessCode::new("4821").expect("four digits");
        assert_eq!(format!("{code:?} {:?}", code.to_code_text()), "•••• ••••");
    }
}

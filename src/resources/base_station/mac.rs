//! MAC addresses of base stations.

use std::fmt;

/// Why a text is not a MAC address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MacError {
    #[error("has {length} hexadecimal digits (must be exactly 12)")]
    WrongLength { length: usize },
    /// A character that is neither a hexadecimal digit nor a separator.
    #[error("contains {character:?}; a MAC address consists of hexadecimal digits")]
    NotHexadecimal { character: char },
    /// Separators at unequal distances, or different ones.
    #[error("has separators in unusual places")]
    Separators,
    /// All zeros or all ones.
    #[error("is not the address of a device")]
    NotADevice,
}

/// The MAC address of a base station: 48 bits, compared without regard to case and separators.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(u64);

impl Mac {
    /// Validates the text: 12 hexadecimal digits, with `:`, `-` or `.` between groups of two, three, four or six.
    ///
    /// # Errors
    /// If it is not the MAC address of a device.
    pub fn new(text: &str) -> Result<Self, MacError> {
        let text = text.trim();
        let is_separator = |c: char| matches!(c, ':' | '-' | '.');
        if let Some(character) = text.chars().find(|c| !c.is_ascii_hexdigit() && !is_separator(*c)) {
            return Err(MacError::NotHexadecimal { character });
        }
        let digits: String = text.chars().filter(|c| !is_separator(*c)).collect();
        if digits.len() != 12 {
            return Err(MacError::WrongLength { length: digits.len() });
        }
        let groups: Vec<&str> = text.split(is_separator).collect();
        let separators: Vec<char> = text.chars().filter(|c| is_separator(*c)).collect();
        let is_even = groups.iter().all(|group| group.len() == groups[0].len());
        if !is_even || separators.windows(2).any(|pair| pair[0] != pair[1]) {
            return Err(MacError::Separators);
        }
        // Twelve hexadecimal digits always fit.
        let value = u64::from_str_radix(&digits, 16).unwrap_or_default();
        if value == 0 || value == (1 << 48) - 1 { Err(MacError::NotADevice) } else { Ok(Self(value)) }
    }
}

/// Twelve digits in capitals, as Webex shows it and requests carry it.
impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012X}", self.0)
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_usual_spellings_are_one_address() {
        for text in [
            "AC7A5611A001",
            "ac:7a:56:11:a0:01",
            "AC-7A-56-11-A0-01",
            "ac7a.5611.a001",
            " AC7A56-11A001 ",
            "ac7:a56:11a:001",
        ] {
            assert_eq!(Mac::new(text).map(|mac| mac.to_string()).as_deref(), Ok("AC7A5611A001"), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_device_is_rejected() {
        assert_eq!(Mac::new("AC7A5611A00"), Err(MacError::WrongLength { length: 11 }));
        assert_eq!(Mac::new("AC7A5611A00G"), Err(MacError::NotHexadecimal { character: 'G' }));
        assert_eq!(Mac::new("1E+12"), Err(MacError::NotHexadecimal { character: '+' }));
        assert_eq!(Mac::new("AC7A:5611A001"), Err(MacError::Separators));
        assert_eq!(Mac::new("AC:7A-56:11-A0:01"), Err(MacError::Separators));
        for text in ["000000000000", "FFFFFFFFFFFF", ""] {
            assert!(Mac::new(text).is_err(), "{text}");
        }
    }
}

//! The hardware of a network: which base stations it consists of, and how many of them.

use std::fmt;

/// The model of a network's base stations. It is chosen when the network is created and never changes.
///
/// Limits as documented by Cisco for the DBS110 and the DBS210.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NetworkModel {
    Dbs110,
    Dbs210,
}

impl NetworkModel {
    pub const ALL: [Self; 2] = [Self::Dbs110, Self::Dbs210];

    /// Recognizes every spelling that the API documents, and the short ones.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| {
            let spellings = match model {
                Self::Dbs110 => ["DBS110", "DMS Cisco DBS110", "Cisco DECT 110 Base"],
                Self::Dbs210 => ["DBS210", "DMS Cisco DBS210", "Cisco DECT 210 Base"],
            };
            spellings.iter().any(|spelling| spelling.eq_ignore_ascii_case(text.trim()))
        })
    }

    /// The spelling of requests and responses.
    pub const fn api_name(self) -> &'static str {
        match self {
            Self::Dbs110 => "DMS Cisco DBS110",
            Self::Dbs210 => "DMS Cisco DBS210",
        }
    }

    /// The spelling of files.
    pub const fn short_name(self) -> &'static str {
        match self {
            Self::Dbs110 => "DBS110",
            Self::Dbs210 => "DBS210",
        }
    }

    /// The largest number of base stations.
    pub const fn max_base_stations(self) -> usize {
        match self {
            Self::Dbs110 => 1,
            Self::Dbs210 => 254,
        }
    }

    /// The largest number of lines of all handsets together.
    pub const fn max_lines(self) -> usize {
        match self {
            Self::Dbs110 => 30,
            Self::Dbs210 => 1_000,
        }
    }

    /// From so many base stations on, another page of Cisco's documentation states a lower limit.
    pub const fn doubtful_base_stations(self) -> usize {
        match self {
            Self::Dbs110 => 1,
            Self::Dbs210 => 250,
        }
    }
}

impl fmt::Display for NetworkModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_spelling_is_recognized() {
        for model in NetworkModel::ALL {
            assert_eq!(NetworkModel::parse(model.api_name()), Some(model));
            assert_eq!(NetworkModel::parse(&model.short_name().to_lowercase()), Some(model));
        }
        assert_eq!(NetworkModel::parse("Cisco DECT 210 Base"), Some(NetworkModel::Dbs210));
        assert_eq!(NetworkModel::parse("DBS310"), None);
    }
}

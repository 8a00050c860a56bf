//! Which locations come first. Pure: a plan is partitioned into groups of locations.

use crate::model::{LocationId, NamePattern};
use crate::plan::model::Plan;

/// How a run is split into waves: the next one starts only when the previous one succeeded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waves {
    pub canary: Option<Canary>,
    /// Number of locations per wave after the canary.
    pub batch: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Canary {
    /// The first N, in the order of the plan.
    Number(usize),
    Matching(NamePattern),
}

impl Canary {
    /// Parses a number or a glob for names of locations.
    ///
    /// # Errors
    /// If it is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(0) => Err("the canary needs at least one location".to_owned()),
            Ok(number) => Ok(Self::Number(number)),
            Err(_) => NamePattern::new(text)
                .map(Self::Matching)
                .map_err(|reason| format!("neither a number nor a valid glob: {reason}")),
        }
    }
}

impl Waves {
    /// Whether the canary is a glob that matches none of these locations.
    pub fn canary_misses<'n>(&self, locations: impl IntoIterator<Item = &'n str>) -> bool {
        match &self.canary {
            Some(Canary::Matching(pattern)) => !locations.into_iter().any(|location| pattern.matches(location)),
            Some(Canary::Number(_)) | None => false,
        }
    }

    /// The locations of a plan, wave by wave.
    pub fn partition(&self, plan: &Plan) -> Vec<Vec<LocationId>> {
        let mut locations: Vec<_> = plan.changes.iter().map(|change| &change.location).collect();
        locations.dedup();
        let (first, others): (Vec<_>, Vec<_>) = match &self.canary {
            None => (Vec::new(), locations),
            Some(Canary::Number(number)) => {
                let others = locations.split_off((*number).min(locations.len()));
                (locations, others)
            }
            Some(Canary::Matching(pattern)) => {
                locations.into_iter().partition(|location| pattern.matches(&location.name))
            }
        };
        let batch = self.batch.unwrap_or(usize::MAX).max(1);
        std::iter::once(&first[..])
            .chain(others.chunks(batch))
            .filter(|wave| !wave.is_empty())
            .map(|wave| wave.iter().map(|location| location.id.clone()).collect())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NetworkId, Settings};
    use crate::plan::model::{Change, ChangeSource, LocationRef};

    fn plan(locations: &[&str]) -> Plan {
        let settings = Settings { name: "x".into(), display_name: None, code_enabled: None, code: None };
        let changes = locations.iter().map(|location| {
            let location = LocationRef { id: LocationId::new(*location), name: (*location).into() };
            let source = ChangeSource::File { file: "f".into(), line: 1 };
            let settings = settings.clone();
            Change::update(location, NetworkId::new("n"), settings.clone(), settings, source)
        });
        Plan { changes: changes.collect(), ..Plan::default() }
    }

    fn waves(canary: Option<&str>, batch: Option<usize>) -> Vec<String> {
        let canary = canary.map(|text| Canary::parse(text).expect("a canary"));
        let waves = Waves { canary, batch }.partition(&plan(&["Bergen", "Bergen", "Oslo", "Stavanger", "Trondheim"]));
        waves.iter().map(|wave| wave.iter().map(|id| &id.as_str()[..1]).collect()).collect()
    }

    #[test]
    fn the_canary_comes_first_and_the_others_in_batches() {
        assert_eq!(waves(None, None), ["BOST"]);
        assert_eq!(waves(Some("1"), None), ["B", "OST"]);
        assert_eq!(waves(Some("*o*"), Some(1)), ["OT", "B", "S"]);
        assert_eq!(waves(Some("9"), Some(2)), ["BOST"]);
        assert_eq!(waves(Some("nowhere"), Some(3)), ["BOS", "T"]);
        assert!(Canary::parse("0").is_err() && Canary::parse("[").is_err());
    }
}

//! Metrics in Prometheus' terms.

use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// All samples of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// A counter's ends in `_total`, a duration's in `_seconds`.
    pub name: String,
    pub help: String,
    pub kind: Kind,
    pub samples: Vec<Sample>,
}

/// One value with its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// What follows the family's name: `_bucket`, `_sum` or `_count` in a histogram, else empty.
    pub suffix: String,
    pub labels: Vec<(String, String)>,
    pub value: f64,
}

impl Family {
    pub fn new(name: &str, help: &str, kind: Kind) -> Self {
        Self { name: name.into(), help: help.into(), kind, samples: Vec::new() }
    }

    /// Adds a plain sample.
    pub fn with(mut self, labels: &[(&str, &str)], value: f64) -> Self {
        self.push("", labels, value);
        self
    }

    pub fn push(&mut self, suffix: &str, labels: &[(&str, &str)], value: f64) {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.samples.push(Sample { suffix: suffix.into(), labels, value });
    }
}

/// Families of the same name become one; of samples with the same labels counters and histograms are added up, of gauges
/// the largest stays.
pub fn merge(families: impl IntoIterator<Item = Family>) -> Vec<Family> {
    let mut by_name: BTreeMap<String, Family> = BTreeMap::new();
    for family in families {
        match by_name.get_mut(&family.name) {
            None => {
                by_name.insert(family.name.clone(), family);
            }
            Some(known) => absorb(known, family.samples),
        }
    }
    by_name.into_values().collect()
}

fn absorb(family: &mut Family, samples: Vec<Sample>) {
    let place_of: BTreeMap<(String, Vec<(String, String)>), usize> =
        family.samples.iter().enumerate().map(|(at, sample)| ((sample.suffix.clone(), sample.labels.clone()), at)).collect();
    for sample in samples {
        match place_of.get(&(sample.suffix.clone(), sample.labels.clone())) {
            None => family.samples.push(sample),
            Some(&at) if family.kind == Kind::Gauge => family.samples[at].value = family.samples[at].value.max(sample.value),
            Some(&at) => family.samples[at].value += sample.value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_add_up() {
        let copy = |count: f64, lag: f64| {
            [
                Family::new("runs_total", "Runs.", Kind::Counter).with(&[("job", "ingest")], count),
                Family::new("lag_seconds", "Lag.", Kind::Gauge).with(&[], lag),
            ]
        };
        let only_here = Family::new("runs_total", "Runs.", Kind::Counter).with(&[("job", "reset")], 1.0);
        let merged = merge(copy(2.0, 5.0).into_iter().chain(copy(3.0, 4.0)).chain([only_here]));
        assert_eq!(
            merged,
            [
                Family::new("lag_seconds", "Lag.", Kind::Gauge).with(&[], 5.0),
                Family::new("runs_total", "Runs.", Kind::Counter).with(&[("job", "ingest")], 5.0).with(&[("job", "reset")], 1.0),
            ]
        );
    }
}

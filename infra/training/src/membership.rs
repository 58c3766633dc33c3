//! Who belonged to the index when, and in which sector it was counted then.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, ensure};
use domain::{Date, Sector};
use serde::Deserialize;

/// A stock's stay in the index under one sector, `until` excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    pub sector: Option<Sector>,
    pub from: Option<Date>,
    pub until: Option<Date>,
}

impl Stay {
    pub fn covers(&self, date: Date) -> bool {
        self.from.is_none_or(|from| from <= date) && self.until.is_none_or(|until| date < until)
    }
}

/// Membership by lists that each hold until the next one.
#[derive(Debug, Default)]
pub struct Membership {
    first_list: Date,
    stays: BTreeMap<String, Vec<Stay>>,
}

#[derive(Deserialize)]
struct Row {
    asof: Date,
    symbol: String,
    sector: String,
}

impl Membership {
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let mut lists: BTreeMap<Date, Vec<(String, Option<Sector>)>> = BTreeMap::new();
        for row in csv::Reader::from_reader(super::bars::open(path)?).deserialize::<Row>() {
            let row = row?;
            let sector = sector(&row.sector).with_context(|| format!("{} in the list of {}", row.symbol, row.asof))?;
            lists.entry(row.asof).or_default().push((row.symbol, sector));
        }
        Self::from_lists(lists)
    }

    /// Before the first list stands the first list: whoever asks for those days asks for survivors, and [`Self::is_point_in_time`] says so.
    fn from_lists(lists: BTreeMap<Date, Vec<(String, Option<Sector>)>>) -> anyhow::Result<Self> {
        ensure!(!lists.is_empty(), "there is no membership list");
        let dates: Vec<Date> = lists.keys().copied().collect();
        let mut stays: BTreeMap<String, Vec<Stay>> = BTreeMap::new();
        for (position, members) in lists.into_values().enumerate() {
            let from = (position > 0).then(|| dates[position]);
            let until = dates.get(position + 1).copied();
            for (symbol, sector) in members {
                let stock = stays.entry(symbol).or_default();
                match stock.last_mut() {
                    Some(last) if last.until == from && last.sector == sector && from.is_some() => last.until = until,
                    _ => stock.push(Stay { sector, from, until }),
                }
            }
        }
        Ok(Self { first_list: dates[0], stays })
    }

    pub fn stays(&self, symbol: &str) -> &[Stay] {
        self.stays.get(symbol).map_or(&[], Vec::as_slice)
    }

    /// Whether a list of that time, and not a later one, says who belonged.
    pub fn is_point_in_time(&self, date: Date) -> bool {
        date >= self.first_list
    }
}

/// A few early rows name no sector, and GICS before September 2018 called today's communication services by their older, narrower name.
fn sector(name: &str) -> anyhow::Result<Option<Sector>> {
    match name {
        "" => Ok(None),
        "Telecommunication Services" => Ok(Some(Sector::CommunicationServices)),
        _ => Ok(Some(name.parse()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_list_holds_until_the_next_and_a_change_of_sector_is_another_stay() {
        let (energy, utilities) = (Some(Sector::Energy), Some(Sector::Utilities));
        let days = [date(2014, 1, 1), date(2014, 7, 1), date(2015, 1, 1), date(2015, 7, 1)];
        let list = |members: &[(&str, Option<Sector>)]| members.iter().map(|(symbol, sector)| ((*symbol).to_owned(), *sector)).collect();
        let membership = Membership::from_lists(BTreeMap::from([
            (days[0], list(&[("A", energy)])),
            (days[1], list(&[("A", energy), ("B", energy)])),
            (days[2], list(&[("A", utilities)])),
            (days[3], list(&[("A", utilities), ("B", energy)])),
        ]))
        .unwrap();
        assert_eq!(
            membership.stays("A"),
            [Stay { sector: energy, from: None, until: Some(days[2]) }, Stay { sector: utilities, from: Some(days[2]), until: None }]
        );
        assert_eq!(
            membership.stays("B"),
            [Stay { sector: energy, from: Some(days[1]), until: Some(days[2]) }, Stay { sector: energy, from: Some(days[3]), until: None }]
        );
        assert!(membership.stays("C").is_empty());
        assert!(!membership.is_point_in_time(date(2013, 12, 31)) && membership.is_point_in_time(days[0]));
        assert!(membership.stays("B")[0].covers(days[1]) && !membership.stays("B")[0].covers(days[2]));
    }
}

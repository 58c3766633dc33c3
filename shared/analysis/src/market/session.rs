//! One session's cross-section: mean returns over the stocks that traded.

use std::collections::BTreeMap;

use domain::{Date, Sector, TradingDate};
use serde::{Deserialize, Serialize};

use crate::Series;

const SECTORS: usize = Sector::ALL.len();

/// A stock that counts in the market, and when.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    pub series: &'a Series,
    pub sector: Option<Sector>,
    /// First day on which it counts; `None` from the beginning.
    pub from: Option<Date>,
    /// First day on which it no longer counts; `None` without end.
    pub until: Option<Date>,
}

impl<'a> Member<'a> {
    /// A stock that counts whenever it trades.
    pub fn always(series: &'a Series, sector: Option<Sector>) -> Self {
        Self { series, sector, from: None, until: None }
    }

    fn counts_on(&self, date: Date) -> bool {
        self.from.is_none_or(|from| from <= date) && self.until.is_none_or(|until| date < until)
    }
}

/// Means over the stocks with a close on this session and on the one before it; returns are simple total returns, 0.01 for one percent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub date: TradingDate,
    /// Number of stocks in the mean; at least 1.
    pub stocks: u32,
    pub mean_return: f64,
    /// By [`Sector::ALL`]; `None` where no stock of the sector traded.
    pub sectors: [Option<f64>; SECTORS],
}

/// Where `sector` stands in [`Sector::ALL`].
pub(crate) fn position(sector: Sector) -> usize {
    Sector::ALL.iter().position(|known| *known == sector).expect("ALL lists every sector")
}

#[derive(Default)]
struct Sum {
    total: f64,
    stocks: u32,
}

impl Sum {
    fn add(&mut self, value: f64) {
        self.total += value;
        self.stocks += 1;
    }

    fn mean(&self) -> Option<f64> {
        (self.stocks > 0).then(|| self.total / f64::from(self.stocks))
    }
}

#[derive(Default)]
struct Sums {
    all: Sum,
    sectors: [Sum; SECTORS],
}

/// The sums of which the means are made, taking one stock after the other: none needs to stay in memory.
#[derive(Default)]
pub struct MarketSums {
    sessions: BTreeMap<TradingDate, Sums>,
}

impl MarketSums {
    /// Adds a stock's returns. Sums of floats depend on the order of their stocks.
    pub fn add(&mut self, member: &Member<'_>) {
        self.add_after(member, None);
    }

    /// A return across a gap in a stock's bars is more than one session's and is left out.
    fn add_after(&mut self, member: &Member<'_>, after: Option<TradingDate>) {
        let (dates, closes) = (member.series.dates(), member.series.total_return());
        let sector = member.sector.map(position);
        let start = after.map_or(0, |after| dates.partition_point(|date| *date <= after)).max(1);
        for bar in start..dates.len() {
            if !member.counts_on(dates[bar].date()) || dates[bar].previous() != dates[bar - 1] {
                continue;
            }
            let change = closes[bar] / closes[bar - 1] - 1.0;
            let sums = self.sessions.entry(dates[bar]).or_default();
            sums.all.add(change);
            if let Some(sector) = sector {
                sums.sectors[sector].add(change);
            }
        }
    }

    pub(crate) fn sessions(self) -> Vec<Session> {
        self.sessions.into_iter().map(|(date, sums)| session(date, &sums)).collect()
    }
}

/// The sessions after `after`, or all.
pub(crate) fn collect(members: &[Member<'_>], after: Option<TradingDate>) -> Vec<Session> {
    let mut sums = MarketSums::default();
    for member in members {
        sums.add_after(member, after);
    }
    sums.sessions()
}

fn session(date: TradingDate, sums: &Sums) -> Session {
    let sectors = std::array::from_fn(|sector| sums.sectors[sector].mean());
    let mean_return = sums.all.mean().expect("a session is made by its first stock");
    Session { date, stocks: sums.all.stocks, mean_return, sectors }
}

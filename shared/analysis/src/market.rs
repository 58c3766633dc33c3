//! The market as the product's own universe shows it: the equal-weight mean return of all stocks and of each sector, session
//! by session, and what follows from it.
//!
//! Means, shares and ratios only: nothing here depends on how many stocks there are, so that a model trained on 400 members
//! of an index can serve 60 stocks. There is no index product in the data (and an index fund would bring its own costs
//! and weights), hence the equal weights.

mod regime;
mod session;
mod trend;

use domain::{Date, Sector, TradingDate};
use serde::{Deserialize, Serialize};

pub use regime::MarketRegime;
pub use session::{MarketSums, Member, Session};
pub(crate) use trend::MOMENTUM_SESSIONS;
pub use trend::MarketTrend;

use session::collect;

/// The market's sessions in order, each with its means, and the derived columns all stocks' features share.
///
/// Serialised as the list of sessions; the derived columns are computed again on reading.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Session>", into = "Vec<Session>")]
pub struct MarketContext {
    sessions: Vec<Session>,
    trends: Vec<MarketTrend>,
}

impl MarketContext {
    /// From all members' whole series. A session exists where at least one member has a close both there and the session before.
    pub fn new(members: &[Member<'_>]) -> Self {
        Self::from(collect(members, None))
    }

    /// Adds the sessions after the last one, from series that reach further than before. What is there already is not computed again:
    /// the result equals [`Self::new`] over the longer series unless their past was restated.
    pub fn extend(&mut self, members: &[Member<'_>]) {
        let added = collect(members, self.last_date());
        self.sessions.extend(added);
        self.trends = trend::trends(&self.sessions);
    }

    pub fn sessions(&self) -> &[Session] {
        &self.sessions
    }

    pub fn last_date(&self) -> Option<TradingDate> {
        self.sessions.last().map(|session| session.date)
    }

    /// The session of `date`.
    pub fn on(&self, date: Date) -> Option<(&Session, &MarketTrend)> {
        let index = self.sessions.binary_search_by_key(&date, |session| session.date.date()).ok()?;
        Some((&self.sessions[index], &self.trends[index]))
    }

    /// For each of ascending `dates` the session of the same day, in one pass.
    pub(crate) fn along<'a>(&'a self, dates: &'a [TradingDate]) -> impl Iterator<Item = Option<(&'a Session, &'a MarketTrend)>> {
        let mut at = dates.first().map_or(0, |first| self.sessions.partition_point(|session| session.date < *first));
        dates.iter().map(move |date| {
            while self.sessions.get(at).is_some_and(|session| session.date < *date) {
                at += 1;
            }
            self.sessions.get(at).filter(|session| session.date == *date).map(|session| (session, &self.trends[at]))
        })
    }

    /// The regime of `date`; `None` while the averages warm up or off the context's sessions.
    pub fn regime_on(&self, date: Date) -> Option<MarketRegime> {
        self.on(date).and_then(|(_, trend)| trend.regime())
    }

    /// Mean return of a sector's stocks over the last 20 sessions, compounded, in percent.
    pub fn sector_momentum(trend: &MarketTrend, sector: Option<Sector>) -> f64 {
        sector.map_or(f64::NAN, |sector| trend.sector_momentum[session::position(sector)])
    }
}

impl From<MarketSums> for MarketContext {
    fn from(sums: MarketSums) -> Self {
        Self::from(sums.sessions())
    }
}

impl From<Vec<Session>> for MarketContext {
    fn from(sessions: Vec<Session>) -> Self {
        let trends = trend::trends(&sessions);
        Self { sessions, trends }
    }
}

impl From<MarketContext> for Vec<Session> {
    fn from(context: MarketContext) -> Self {
        context.sessions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Series, series::SeriesRow};

    fn series(returns: &[f64]) -> Series {
        let mut date = TradingDate::on_or_after(jiff::civil::date(2019, 1, 2));
        let mut close = 100.0;
        let rows: Vec<_> = std::iter::once(&0.0)
            .chain(returns)
            .map(|change| {
                close *= 1.0 + change;
                date = date.next();
                SeriesRow { date, open: close, high: close, low: close, close, volume: 1.0, total_return: close }
            })
            .collect();
        Series::from_rows(rows).unwrap()
    }

    fn wave(seed: usize, sessions: usize) -> Series {
        let returns: Vec<f64> = (0..sessions).map(|day| ((day * 7919 + seed * 104_729) % 1000) as f64 / 25_000.0 - 0.0195).collect();
        series(&returns)
    }

    #[test]
    fn means_are_of_those_that_traded_and_sectors_of_their_own() {
        let (a, b, c) = (series(&[0.10, 0.0]), series(&[-0.02, 0.02]), series(&[0.01]));
        let members = [Member::always(&a, Some(Sector::Energy)), Member::always(&b, Some(Sector::Energy)), Member::always(&c, None)];
        let context = MarketContext::new(&members);
        let [first, second] = context.sessions() else { panic!("two sessions have a close before them") };
        assert!((first.mean_return - 0.03).abs() < 1e-12 && (second.mean_return - 0.01).abs() < 1e-12);
        assert_eq!(first.stocks, 3);
        assert_eq!(second.stocks, 2);
        assert!((first.sectors[session::position(Sector::Energy)].unwrap() - 0.04).abs() < 1e-12);
        assert_eq!(first.sectors[session::position(Sector::Utilities)], None);
    }

    #[test]
    fn extending_by_a_few_sessions_equals_computing_everything_again() {
        let whole: Vec<Series> = (0..5).map(|seed| wave(seed, 400)).collect();
        let mut part = whole.clone();
        for series in &mut part {
            series.truncate(290);
        }
        let members = |all: &[Series]| -> MarketContext {
            MarketContext::new(&all.iter().map(|s| Member::always(s, Some(Sector::Energy))).collect::<Vec<_>>())
        };
        let mut context = members(&part);
        context.extend(&whole.iter().map(|series| Member::always(series, Some(Sector::Energy))).collect::<Vec<_>>());
        let again = members(&whole);
        assert_eq!(context.sessions(), again.sessions());
        assert_eq!(format!("{:?}", context.trends), format!("{:?}", again.trends));
        // Earlier derived values did not move when later sessions came.
        assert_eq!(format!("{:?}", members(&part).trends), format!("{:?}", &again.trends[..members(&part).trends.len()]));
    }

    #[test]
    fn survives_being_stored() {
        let stocks = [wave(1, 260), wave(2, 260)];
        let context = MarketContext::new(&stocks.each_ref().map(|series| Member::always(series, Some(Sector::Materials))));
        let stored = serde_json::to_vec(&context).unwrap();
        let read: MarketContext = serde_json::from_slice(&stored).unwrap();
        assert_eq!(read.sessions(), context.sessions());
        assert_eq!(format!("{:?}", read.trends), format!("{:?}", context.trends));
    }

    #[test]
    fn a_membership_counts_from_its_first_day_to_the_day_before_its_end() {
        let (a, b) = (series(&[0.01, 0.01, 0.01]), series(&[0.03, 0.03, 0.03]));
        let dates = b.dates();
        let member = Member { series: &b, sector: None, from: Some(dates[2].date()), until: Some(dates[3].date()) };
        let context = MarketContext::new(&[Member::always(&a, None), member]);
        assert_eq!(context.sessions().iter().map(|session| session.stocks).collect::<Vec<_>>(), [1, 2, 1]);
    }
}

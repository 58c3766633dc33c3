//! One example a member stock and session: the features of the day and what became of the trade it would have proposed.

use std::collections::BTreeMap;

use analysis::{FeatureTable, Label, MODEL_FEATURE_COUNT, MarketContext, Member, Series, labels};
use domain::TradingDate;

use crate::membership::Membership;

/// Sessions of a stock's past that an example needs: enough for Wilder's averages to forget how they were started.
pub const LEAST_HISTORY: usize = 100;

/// An example whose trades have ended.
pub struct Example<'a> {
    pub symbol: &'a str,
    pub date: TradingDate,
    /// Whether membership of that day is known from a list of that time.
    pub point_in_time: bool,
    pub features: [f32; MODEL_FEATURE_COUNT],
    /// Average true range of 14 sessions over the close: what one R is of the price.
    pub risk: f64,
    pub label: Label,
}

/// The equal-weight market of the index's members of each day.
pub fn market(stocks: &BTreeMap<String, Series>, membership: &Membership) -> MarketContext {
    let members: Vec<_> = stocks
        .iter()
        .flat_map(|(symbol, series)| {
            let stays = membership.stays(symbol).iter();
            stays.map(move |stay| Member { series, sector: stay.sector, from: stay.from, until: stay.until })
        })
        .collect();
    MarketContext::new(&members)
}

/// The examples of the sessions on which the stock belonged to the index, in order.
pub fn of_stock<'a>(symbol: &'a str, series: &Series, market: &MarketContext, membership: &Membership) -> Vec<Example<'a>> {
    let mut examples = Vec::new();
    for stay in membership.stays(symbol) {
        // The sector of the stay is the one known then: the same bars read differently in another stay.
        let features = FeatureTable::compute(series, market, stay.sector);
        for (session, date) in series.dates().iter().enumerate().skip(LEAST_HISTORY) {
            if !stay.covers(date.date()) {
                continue;
            }
            let atr = features.levels().atr_14[session];
            let Some(label) = labels::label(series, session, atr) else { continue };
            examples.push(Example {
                symbol,
                date: *date,
                point_in_time: membership.is_point_in_time(date.date()),
                features: features.model_row(session),
                risk: atr / series.close()[session],
                label,
            });
        }
    }
    examples
}

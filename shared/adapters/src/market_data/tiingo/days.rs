//! Rows of daily prices, which hold a bar and the actions of its day together.

use std::{collections::HashSet, ops::RangeInclusive};

use app::ports::{RejectedRow, RowFault};
use domain::{BarRecord, CorporateAction, Date, Symbol, Timestamp, calendar};
use serde_json::value::RawValue;

use super::{
    convert,
    wire::{Day, Owner},
};
use crate::market_data::{
    notation::tiingo as notation,
    rows::{self, Bars, Rejection},
};

/// Bars, actions and what was neither, of the days that were asked for.
#[derive(Debug)]
pub(super) struct Days {
    range: RangeInclusive<Date>,
    now: Timestamp,
    bars: Bars,
    actions: Vec<(Symbol, CorporateAction)>,
}

pub(super) type Found = (Vec<(Symbol, BarRecord)>, Vec<(Symbol, CorporateAction)>, Vec<RejectedRow>);

impl Days {
    pub(super) fn new(range: RangeInclusive<Date>, now: Timestamp) -> Self {
        Self { range, now, bars: Bars::default(), actions: Vec::new() }
    }

    pub(super) fn add(&mut self, symbol: &Symbol, row: &RawValue) {
        match rows::read::<Day>(row) {
            Ok(day) => self.add_day(symbol, &day, row),
            Err(rejection) => self.bars.add(symbol, &self.range, Err(rejection), row.get()),
        }
    }

    /// A row of the list of all tickers. Stocks that trade no longer stand there with their last day.
    pub(super) fn add_of_all(&mut self, row: &RawValue) {
        let Ok(owner) = rows::read::<Owner>(row) else {
            let rejection = Rejection { day: None, fault: RowFault::Unreadable("it names no ticker".into()) };
            return self.bars.reject(rejection.named(None, row.get()));
        };
        let Some(symbol) = notation::symbol(&owner.ticker) else { return };
        match rows::read::<Day>(row) {
            Ok(day) if convert::date(&day).is_ok_and(|day| !self.range.contains(&day)) => {}
            Ok(day) => self.add_day(&symbol, &day, row),
            Err(rejection) => self.bars.reject(rejection.named(Some(&symbol), row.get())),
        }
    }

    fn add_day(&mut self, symbol: &Symbol, day: &Day, row: &RawValue) {
        self.bars.add(symbol, &self.range, convert::bar(day, self.now), row.get());
        // A row that is no session's row was rejected for its bar already.
        if !convert::date(day).is_ok_and(|day| self.range.contains(&day) && calendar::is_session(day)) {
            return;
        }
        match convert::actions(day) {
            Ok(actions) => self.actions.extend(actions.into_iter().map(|action| (symbol.clone(), action))),
            Err(rejection) => self.bars.reject(rejection.named(Some(symbol), row.get())),
        }
    }

    /// Bars sorted by symbol and date, actions by date; where rows of a day contradicted each other, nothing of that day.
    pub(super) fn finish(self) -> Found {
        let (bars, rejected) = self.bars.finish();
        let doubtful: HashSet<(&Symbol, Date)> = rejected
            .iter()
            .filter_map(|row| match row.fault {
                RowFault::Contradiction(day) => Some((row.symbol.as_ref()?, day)),
                _ => None,
            })
            .collect();
        let mut actions = self.actions;
        actions.retain(|(symbol, action)| !doubtful.contains(&(symbol, action.ex_date)));
        actions.sort_by_key(|(_, action)| action.ex_date);
        // The same row twice is one event.
        actions.dedup();
        (bars, actions, rejected)
    }
}

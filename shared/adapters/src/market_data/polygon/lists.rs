//! Lists: page after page, row after row.

use std::collections::HashSet;

use app::ports::{RejectedRow, RowFault, VendorActions, VendorError};
use domain::{CorporateAction, Date, Symbol, Timestamp, calendar};
use reqwest::Url;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{
    NAME, Polygon, convert,
    wire::{self, Dividend, Owner, Split, Ticker, malformed},
};
use crate::market_data::{
    client::{Answer, excerpt},
    notation::polygon as notation,
    rows::{self, Rejection},
};

/// More pages than the longest list has: a list that does not end is a fault.
const MOST_PAGES: usize = 500;

impl Polygon {
    /// Shows every row of the list of which `answer` is the first page.
    pub(super) async fn each_row(
        &self,
        mut answer: Answer,
        symbol: Option<&Symbol>,
        mut show: impl FnMut(&RawValue) + Send,
    ) -> Result<(), VendorError> {
        let mut seen = HashSet::new();
        loop {
            let next = {
                let page = wire::page(&answer, symbol)?;
                page.rows.into_iter().for_each(&mut show);
                page.next_url
            };
            match self.next_page(next, &mut seen).await? {
                Some(next) => answer = next,
                None => return Ok(()),
            }
        }
    }

    /// The rows of a list about many stocks. One that cannot be read is passed over: it belongs to nobody.
    pub(super) async fn list<T: DeserializeOwned + Send>(&self, answer: Answer) -> Result<Vec<T>, VendorError> {
        let mut all = Vec::new();
        self.each_row(answer, None, |row| all.extend(readable::<T>(row))).await?;
        Ok(all)
    }

    /// From a list that is sorted by the day of delisting, the newest first, as much as is not before `since`.
    pub(super) async fn delisted_rows(&self, path: &str, since: Date) -> Result<Vec<Ticker>, VendorError> {
        let (mut all, mut seen) = (Vec::new(), HashSet::new());
        let mut answer = self.client.get(path).await?;
        loop {
            let next = {
                let page = wire::page(&answer, None)?;
                all.extend(page.rows.into_iter().filter_map(readable::<Ticker>));
                page.next_url
            };
            let is_past = all.last().and_then(convert::delisted_on).is_some_and(|day| day < since);
            match self.next_page(next.filter(|_| !is_past), &mut seen).await? {
                Some(next) => answer = next,
                None => return Ok(all),
            }
        }
    }

    async fn next_page(&self, next_url: Option<String>, seen: &mut HashSet<String>) -> Result<Option<Answer>, VendorError> {
        let Some(next_url) = next_url else { return Ok(None) };
        let path = path_of(&next_url).ok_or_else(|| malformed("the next page has no address"))?;
        if seen.len() >= MOST_PAGES || !seen.insert(path.clone()) {
            return Err(malformed("a list without end"));
        }
        self.client.get(&path).await.map(Some)
    }

    /// Splits and dividends of one stock, or with `None` of the whole market.
    pub(super) async fn actions_of(
        &self,
        symbol: Option<&Symbol>,
        first: Date,
        last: Date,
        now: Timestamp,
    ) -> Result<VendorActions, VendorError> {
        let last = last.min(calendar::new_york_date(now));
        let mut found = VendorActions::default();
        if last < first {
            return Ok(found);
        }
        let query = |date: &str| {
            let ticker = symbol.map(|symbol| format!("ticker={}&", notation::ticker(symbol))).unwrap_or_default();
            format!("{ticker}{date}.gte={first}&{date}.lte={last}&limit=1000")
        };
        let splits = self.events("splits", &query("execution_date")).await?;
        self.each_row(splits, symbol, |row| {
            collect(&mut found, symbol, row, rows::read::<Split>(row).and_then(|row| convert::split(&row)), first, last);
        })
        .await?;
        let dividends = self.events("dividends", &query("ex_dividend_date")).await?;
        self.each_row(dividends, symbol, |row| {
            collect(&mut found, symbol, row, rows::read::<Dividend>(row).and_then(|row| convert::dividend(&row)), first, last);
        })
        .await?;
        found.actions.sort_by_key(|(_, action)| action.ex_date);
        // The same row twice is one event.
        found.actions.dedup();
        Ok(found)
    }

    /// The first page of `kind`, from the endpoint of today or, where it is missing or not in the plan, from the older one.
    async fn events(&self, kind: &str, query: &str) -> Result<Answer, VendorError> {
        let answer = self.client.get(&format!("/stocks/v1/{kind}?{query}")).await?;
        if matches!(answer.status, 403 | 404) { self.client.get(&format!("/v3/reference/{kind}?{query}")).await } else { Ok(answer) }
    }
}

/// Whose row it is: `None` for shares of a kind that we do not have.
pub(super) fn owner(row: &RawValue) -> Result<Option<Symbol>, RejectedRow> {
    let owner: Option<Owner> = serde_json::from_str(row.get()).ok();
    let unowned = || Rejection { day: None, fault: RowFault::Unreadable("it names no ticker".into()) }.named(None, row.get());
    owner.map(|owner| notation::symbol(&owner.ticker)).ok_or_else(unowned)
}

fn readable<T: DeserializeOwned>(row: &RawValue) -> Option<T> {
    let read = serde_json::from_str(row.get());
    read.inspect_err(|error| tracing::warn!(vendor = NAME, %error, row = excerpt(row.get().as_bytes()), "a row was passed over")).ok()
}

fn collect(
    found: &mut VendorActions,
    asked: Option<&Symbol>,
    row: &RawValue,
    action: Result<CorporateAction, Rejection>,
    first: Date,
    last: Date,
) {
    let symbol = match owner(row) {
        Ok(Some(symbol)) if asked.is_none_or(|asked| *asked == symbol) => symbol,
        Ok(_) => return,
        Err(unowned) => return found.rejected.push(unowned),
    };
    let in_range = action.and_then(|action| {
        let day = action.ex_date;
        if (first..=last).contains(&day) { Ok(action) } else { Err(Rejection::of(day, RowFault::OutOfRange(day))) }
    });
    match in_range {
        Ok(action) => found.actions.push((symbol, action)),
        Err(rejection) => found.rejected.push(rejection.named(Some(&symbol), row.get())),
    }
}

/// The path and query of the next page's address. Its host is left out: the key goes to our base address only.
fn path_of(next_url: &str) -> Option<String> {
    let url = Url::parse(next_url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    Some(format!("{}?{}", url.path(), url.query()?))
}

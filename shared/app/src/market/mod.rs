//! The market as it is known at an instant: histories, the snapshot of all stocks, and what the current session has shown.

mod liquidity;
mod parsed;
mod snapshot;
mod tapes;

use std::sync::Arc;

use analysis::MarketContext;
use domain::{
    ActionKind, CorporateAction, Date, Decimal, Price, PriceHistory, Symbol, Timestamp, TradingDate, calendar,
    trading::{MarketView, StockView},
};
use futures::{StreamExt, TryStreamExt, stream};

use parsed::Parsed;

pub use liquidity::{background, liquidity_after};
pub use snapshot::{LateStatement, MarketSnapshot, StockSnapshot};
pub use tapes::{TapeReader, effective_on};

use crate::{
    UseCaseError, objects,
    ports::{HistoryError, HistoryStore, MarketData, MarketStore, Quote, Version},
};

const SNAPSHOT: &str = "snapshots/latest.json";
const CONTEXT: &str = "snapshots/market.json";

/// How many histories are read side by side: enough to hide the latency of a bucket, few enough for a small function's memory.
const READS_AT_ONCE: usize = 16;

/// Reads of market data, each limited to what was known at an instant that the caller names.
#[derive(Clone)]
pub struct Market {
    histories: Arc<dyn HistoryStore>,
    companies: Arc<dyn MarketStore>,
    /// Where prices of the current session come from; without one, prices are those of the last close.
    quotes: Option<Arc<dyn MarketData>>,
    snapshot: Arc<Parsed<MarketSnapshot>>,
    context: Arc<Parsed<MarketContext>>,
}

impl Market {
    pub fn new(histories: Arc<dyn HistoryStore>, companies: Arc<dyn MarketStore>, quotes: Option<Arc<dyn MarketData>>) -> Self {
        Self { histories, companies, quotes, snapshot: Arc::default(), context: Arc::default() }
    }

    pub fn companies(&self) -> &Arc<dyn MarketStore> {
        &self.companies
    }

    /// The stock's history as known at `now`. Nothing later can be seen through this, which is what keeps a replay honest.
    pub async fn history(&self, symbol: &Symbol, now: Timestamp) -> Result<PriceHistory, UseCaseError> {
        let stored = self.histories.read(symbol).await?;
        Ok(stored.map_or_else(|| PriceHistory::new(symbol.clone()), |(history, _)| history.known_at(now)))
    }

    /// As [`Self::history`] with no bar but the newest.
    pub async fn newest(&self, symbol: &Symbol, now: Timestamp) -> Result<PriceHistory, UseCaseError> {
        let stored = self.histories.read(symbol).await?;
        Ok(stored.map_or_else(|| PriceHistory::new(symbol.clone()), |(history, _)| history.newest_known_at(now)))
    }

    /// The first instant after `now` at which what is stored of the stock becomes known.
    pub async fn next_known(&self, symbol: &Symbol, now: Timestamp) -> Result<Option<Timestamp>, UseCaseError> {
        let Some((history, _)) = self.histories.read(symbol).await? else { return Ok(None) };
        let known = history.bars.iter().map(|record| record.known_at).chain(history.actions.iter().map(|action| action.known_at));
        Ok(known.filter(|known| *known > now).min())
    }

    /// Histories of several stocks as known at `now`, in the order of `symbols`.
    pub async fn histories(&self, symbols: &[Symbol], now: Timestamp) -> Result<Vec<PriceHistory>, UseCaseError> {
        let reads = symbols.iter().cloned().map(|symbol| async move { self.history(&symbol, now).await });
        stream::iter(reads.collect::<Vec<_>>()).buffered(READS_AT_ONCE).try_collect().await
    }

    /// Hands over the histories of `symbols` as known at `now`, one after the other in their order, so that no more than a few are in
    /// memory at once. A damaged one is left out and named in the log: the others serve.
    pub async fn for_each_history(
        &self,
        symbols: &[Symbol],
        now: Timestamp,
        mut take: impl FnMut(PriceHistory) + Send,
    ) -> Result<(), UseCaseError> {
        let reads: Vec<_> = symbols.iter().map(|symbol| self.histories.read(symbol)).collect();
        let mut reads = stream::iter(reads).buffered(READS_AT_ONCE);
        while let Some(read) = reads.next().await {
            match read {
                Ok(Some((history, _))) => take(history.known_at(now)),
                Ok(None) => {}
                Err(error @ HistoryError::Damaged { .. }) => tracing::error!(%error, "left out"),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The market's means as last computed; sessions after `now` are not in any feature of a date before.
    pub async fn context(&self) -> Result<Arc<MarketContext>, UseCaseError> {
        Ok(self.context.read(self.histories.as_ref(), CONTEXT).await?.map(|(context, _)| context).unwrap_or_default())
    }

    /// What the stock's features by `now` are made of, as a text that changes whenever that does.
    pub async fn state(&self, symbol: &Symbol) -> Result<String, UseCaseError> {
        let (history, context) = futures::try_join!(self.histories.version(symbol), self.histories.object_version(CONTEXT))?;
        let text = |version: Option<Version>| version.map(|version| version.0).unwrap_or_default();
        Ok(format!("{} {}", text(history), text(context)))
    }

    pub async fn snapshot(&self) -> Result<Arc<MarketSnapshot>, UseCaseError> {
        Ok(self.versioned_snapshot().await?.0)
    }

    /// The snapshot, and what names its state; `None` while there is none.
    pub async fn versioned_snapshot(&self) -> Result<(Arc<MarketSnapshot>, Option<String>), UseCaseError> {
        let stored = self.snapshot.read(self.histories.as_ref(), SNAPSHOT).await?;
        Ok(stored.map_or_else(Default::default, |(snapshot, version)| (snapshot, Some(version.0))))
    }

    /// Replaces both objects that are computed from all histories.
    pub async fn publish(&self, snapshot: &MarketSnapshot, context: &MarketContext) -> Result<(), UseCaseError> {
        self.histories.replace_object(CONTEXT, &objects::to_bytes(context)).await?;
        self.histories.replace_object(SNAPSHOT, &snapshot.to_bytes()).await?;
        Ok(())
    }

    /// What the session that is on (or was last on) has shown of `symbols`, where there is a feed.
    pub async fn quotes(&self, symbols: &[Symbol], now: Timestamp) -> Result<Vec<Quote>, UseCaseError> {
        match &self.quotes {
            Some(feed) if !symbols.is_empty() => Ok(feed.quotes(symbols, now).await?),
            _ => Ok(vec![]),
        }
    }

    /// The newest price of each of `symbols`, with what order entry needs to know besides. Stocks without any price are left out.
    pub async fn view(&self, symbols: &[Symbol], now: Timestamp) -> Result<MarketView, UseCaseError> {
        let (snapshot, companies, quotes) = futures::try_join!(
            self.snapshot(),
            async { self.companies.companies().await.map_err(UseCaseError::from) },
            self.quotes(symbols, now)
        )?;
        let newest = self.quotes.as_ref().map(|_| current_session(now)).or(snapshot.latest_date());
        let mut view = MarketView::default();
        for symbol in symbols {
            let company = companies.binary_search_by(|company| company.symbol.cmp(symbol)).ok().map(|at| &companies[at]);
            let quote = quotes.iter().find(|quote| quote.symbol == *symbol);
            let stored = snapshot.stocks.get(symbol);
            let price = match (quote, stored) {
                (Some(quote), _) => Some((quote.last, quote.last_at)),
                (None, Some(stock)) => Some((self.close_carried_over(symbol, stock, newest, now).await?, stock.date.close())),
                (None, None) => None,
            };
            if let Some((last_price, priced_at)) = price {
                let stock = StockView {
                    sector: company.and_then(|company| company.sector),
                    is_active: company.is_some_and(|company| company.is_active) && !has_ended(stored, now),
                    last_price,
                    priced_at,
                    liquidity: stored.map_or(liquidity::UNKNOWN, StockSnapshot::liquidity),
                };
                view.stocks.insert(symbol.clone(), stock);
            }
        }
        Ok(view)
    }

    /// The last close of a stock without a newer price. Where the stock has split since without trading, as other stocks did until
    /// `newest`, on the share basis of that session.
    async fn close_carried_over(
        &self,
        symbol: &Symbol,
        last: &StockSnapshot,
        newest: Option<TradingDate>,
        now: Timestamp,
    ) -> Result<Price, UseCaseError> {
        let Some(newest) = newest.filter(|newest| last.date < *newest) else { return Ok(last.close) };
        let mut actions = self.history(symbol, now).await?.actions;
        if let Some(feed) = &self.quotes {
            let fresh = feed.actions(std::slice::from_ref(symbol), newest.date(), newest.date(), now).await?;
            actions.extend(fresh.actions.into_iter().map(|(_, action)| action));
        }
        let since = |action: &&CorporateAction| action.ex_date > last.date.date() && action.ex_date <= newest.date();
        let mut kinds: Vec<(Date, ActionKind)> = actions.iter().filter(since).map(|action| (action.ex_date, action.kind.clone())).collect();
        kinds.sort_by_key(|(ex_date, _)| *ex_date);
        kinds.dedup();
        let ratio: Decimal = kinds.iter().map(|(_, kind)| kind.price_ratio()).product();
        Ok(Price::round(last.close.decimal() / ratio).unwrap_or(last.close))
    }
}

fn has_ended(stock: Option<&StockSnapshot>, now: Timestamp) -> bool {
    stock.and_then(|stock| stock.ended_on).is_some_and(|ended_on| ended_on <= calendar::new_york_date(now))
}

/// The session that prices at `now` belong to: today's once it has opened.
pub fn current_session(now: Timestamp) -> domain::TradingDate {
    calendar::current_or_last_session(now)
}

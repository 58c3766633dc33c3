//! A source of market data: a vendor, or the real data that ships with the program.

use async_trait::async_trait;
use domain::{Bar, BarRecord, Company, CorporateAction, Date, Price, Source, Symbol, Timestamp, TradingDate};

/// Bars as traded and corporate actions of one stock, each sorted by date, one bar a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VendorHistory {
    pub bars: Vec<BarRecord>,
    pub actions: Vec<CorporateAction>,
    pub rejected: Vec<RejectedRow>,
}

/// The bars of one session, sorted by symbol, one a stock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VendorSession {
    pub bars: Vec<(Symbol, BarRecord)>,
    pub rejected: Vec<RejectedRow>,
}

/// Corporate actions of several stocks, sorted by ex-date.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VendorActions {
    pub actions: Vec<(Symbol, CorporateAction)>,
    pub rejected: Vec<RejectedRow>,
}

/// A row of an answer that cannot be a bar or an action of ours. It is told of, so that somebody can look at it, and never stops
/// the rows beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRow {
    /// `None` where the row names no stock that could be told.
    pub symbol: Option<Symbol>,
    /// The New York day that the row is about, as far as it says one.
    pub day: Option<Date>,
    pub fault: RowFault,
    /// The beginning of the row as the vendor wrote it.
    pub row: String,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    #[error("the row cannot be read: {0}")]
    Unreadable(String),
    #[error("{0} is no session")]
    NotASession(Date),
    /// A bar of some other window than a whole session's, or in another time zone than the vendor's.
    #[error("the row is stamped {0}, where no session begins or ends")]
    OffWindow(Timestamp),
    #[error("the {field} is {value}")]
    BadNumber { field: &'static str, value: String },
    #[error("{0} was not asked for")]
    OutOfRange(Date),
    /// Two rows of one day that differ: neither is taken.
    #[error("there are two different rows of {0}")]
    Contradiction(Date),
    #[error("the dividend is paid in {0}, not in dollars")]
    Currency(String),
}

/// What the market has shown of one stock in one session, up to an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    pub symbol: Symbol,
    pub date: TradingDate,
    /// The opening price, once there was one.
    pub open: Option<Price>,
    pub last: Price,
    /// When `last` traded.
    pub last_at: Timestamp,
    /// The whole session's bar, only after the close.
    pub bar: Option<Bar>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VendorError {
    #[error("{0} does not know the symbol {1}")]
    UnknownSymbol(&'static str, Symbol),
    #[error("{0} refused the key: {1}")]
    Unauthorized(&'static str, String),
    #[error("the plan at {0} does not include this: {1}")]
    NotInPlan(&'static str, String),
    #[error("the quota at {vendor} is used up: {detail}")]
    QuotaExhausted { vendor: &'static str, detail: String, retry_after_seconds: Option<u64> },
    /// The request itself is at fault: asking again in the same way cannot help.
    #[error("{0} refused the request: {1}")]
    Refused(&'static str, String),
    #[error("{0} answered what could not be understood: {1}")]
    Malformed(&'static str, String),
    #[error("{0} is unreachable: {1}")]
    Unavailable(&'static str, String),
}

/// Answers are limited to what was public at `now`: the vendor of a replay must not tell the future.
#[async_trait]
pub trait MarketData: Send + Sync {
    fn source(&self) -> Source;

    /// Every listed company the vendor knows, sorted by symbol.
    async fn companies(&self, now: Timestamp) -> Result<Vec<Company>, VendorError>;

    /// One company with all that the vendor tells of it, which a list may not.
    async fn company(&self, symbol: &Symbol, now: Timestamp) -> Result<Company, VendorError>;

    /// Companies whose listing ended on `since` or later, with the day and, where the vendor tells it, the FIGI: one that is
    /// listed under another symbol was renamed. Sorted by symbol; a symbol may have been given to another company since.
    async fn delisted(&self, since: Date, now: Timestamp) -> Result<Vec<Company>, VendorError>;

    /// Bars of sessions closed by `now` and actions effective by then, with dates from `first` to `last` inclusive.
    async fn history(&self, symbol: &Symbol, first: Date, last: Date, now: Timestamp) -> Result<VendorHistory, VendorError>;

    /// The bars of one closed session of every stock there is, in one request.
    ///
    /// [`VendorError::NotInPlan`] where the vendor or the plan has no such answer: then each stock is asked for with
    /// [`Self::history`].
    async fn session(&self, date: TradingDate, now: Timestamp) -> Result<VendorSession, VendorError>;

    /// How many requests have gone out so far, all of them counted; it only grows.
    fn calls(&self) -> u64;

    /// The current session as far as it has come, for those of `symbols` that have traded in it.
    async fn quotes(&self, symbols: &[Symbol], now: Timestamp) -> Result<Vec<Quote>, VendorError>;

    /// Actions with an ex-date from `first` to `last` inclusive, effective by `now`, for those of `symbols` that have any.
    async fn actions(&self, symbols: &[Symbol], first: Date, last: Date, now: Timestamp) -> Result<VendorActions, VendorError>;
}

//! What Polygon writes, and what its refusals mean. Pure: bytes in, rows or a named error out.

use app::ports::VendorError;
use domain::Symbol;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::NAME;
use crate::market_data::{
    client::{Answer, excerpt, passes},
    number::Exact,
};

/// The limit of plans that have one is so many requests a minute.
const THROTTLE_SECONDS: u64 = 60;

/// The envelope of every answer. `results` is absent (formerly null) when there is nothing.
#[derive(Deserialize)]
struct Envelope<'a> {
    status: Option<String>,
    #[serde(borrow)]
    results: Option<&'a RawValue>,
    /// The snapshot's name for `results`.
    #[serde(borrow)]
    tickers: Option<&'a RawValue>,
    next_url: Option<String>,
}

/// The text is in `error` when `status` is `ERROR`, else in `message`.
#[derive(Debug, Default, Deserialize)]
struct Refusal {
    status: Option<String>,
    error: Option<String>,
    message: Option<String>,
}

impl Refusal {
    fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    fn text(self, body: &[u8]) -> String {
        self.error.or(self.message).map_or_else(|| excerpt(body), |text| excerpt(text.as_bytes()))
    }
}

/// One page of a list. Its rows are read one by one, so that a bad one does not spoil the others.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) rows: Vec<&'a RawValue>,
    pub(super) next_url: Option<String>,
}

/// Whose row it is, of a row that may be unreadable otherwise.
#[derive(Deserialize)]
pub(super) struct Owner {
    #[serde(alias = "T")]
    pub(super) ticker: String,
}

/// One trading day: `t` is in milliseconds, in a range the start of the window (midnight in New York), for the whole market its
/// end (the close).
#[derive(Debug, Deserialize)]
pub(super) struct Aggregate {
    pub(super) o: Exact,
    pub(super) h: Exact,
    pub(super) l: Exact,
    pub(super) c: Exact,
    pub(super) v: Exact,
    pub(super) t: i64,
}

/// Read alike from the endpoint `/stocks/v1/splits` and the older `/v3/reference/splits`.
#[expect(clippy::struct_field_names, reason = "the names are the vendor's")]
#[derive(Debug, Deserialize)]
pub(super) struct Split {
    pub(super) execution_date: domain::Date,
    pub(super) split_from: Exact,
    pub(super) split_to: Exact,
}

/// Read alike from the endpoint `/stocks/v1/dividends` and the older `/v3/reference/dividends`.
#[derive(Debug, Deserialize)]
pub(super) struct Dividend {
    pub(super) ex_dividend_date: domain::Date,
    pub(super) cash_amount: Exact,
    pub(super) currency: Option<String>,
    pub(super) pay_date: Option<domain::Date>,
}

#[expect(clippy::struct_field_names, reason = "the names are the vendor\'s")]
#[derive(Debug, Deserialize)]
pub(super) struct Ticker {
    pub(super) ticker: String,
    pub(super) name: Option<String>,
    pub(super) primary_exchange: Option<String>,
    pub(super) currency_name: Option<String>,
    pub(super) active: Option<bool>,
    pub(super) market_cap: Option<Exact>,
    pub(super) sic_description: Option<String>,
    pub(super) list_date: Option<domain::Date>,
    pub(super) share_class_figi: Option<String>,
    pub(super) delisted_utc: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Snapshot {
    pub(super) ticker: String,
    pub(super) day: Option<SnapshotDay>,
    #[serde(rename = "lastTrade")]
    pub(super) last_trade: Option<SnapshotTrade>,
    /// Nanoseconds since 1970.
    pub(super) updated: Option<i64>,
}

/// All zero from 03:30 New York until the day's first trade.
#[derive(Debug, Deserialize)]
pub(super) struct SnapshotDay {
    pub(super) o: Exact,
    pub(super) h: Exact,
    pub(super) l: Exact,
    pub(super) c: Exact,
    pub(super) v: Exact,
}

#[derive(Debug, Deserialize)]
pub(super) struct SnapshotTrade {
    pub(super) p: Exact,
    /// Nanoseconds since 1970.
    pub(super) t: i64,
}

/// The rows of a list, or what the refusal means. `symbol` is the stock that was asked about, if it was one.
pub(super) fn page<'a>(answer: &'a Answer, symbol: Option<&Symbol>) -> Result<Page<'a>, VendorError> {
    let envelope = envelope(answer, symbol)?;
    let rows = envelope.results.or(envelope.tickers).map_or(Ok(Vec::new()), |rows| parse(rows.get().as_bytes()))?;
    Ok(Page { rows, next_url: envelope.next_url })
}

/// The one thing asked about.
pub(super) fn one<T: DeserializeOwned>(answer: &Answer, symbol: &Symbol) -> Result<T, VendorError> {
    let results = envelope(answer, Some(symbol))?.results.ok_or_else(|| malformed("an answer without results"))?;
    parse(results.get().as_bytes())
}

fn envelope<'a>(answer: &'a Answer, symbol: Option<&Symbol>) -> Result<Envelope<'a>, VendorError> {
    if answer.status != 200 {
        return Err(refusal(answer, symbol));
    }
    let envelope: Envelope<'_> = parse(&answer.body)?;
    match envelope.status.as_deref() {
        // Plans without real-time data get DELAYED: as good as OK for what has passed.
        None | Some("OK" | "DELAYED") => Ok(envelope),
        Some(_) => Err(refusal(answer, symbol)),
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, VendorError> {
    serde_json::from_slice(body).map_err(|error| malformed(&format!("{error} in: {}", excerpt(body))))
}

fn refusal(answer: &Answer, symbol: Option<&Symbol>) -> VendorError {
    let refusal = Refusal::read(&answer.body);
    let named = refusal.status.clone().unwrap_or_default();
    let text = refusal.text(&answer.body);
    match (answer.status, named.as_str(), symbol) {
        (401, ..) => VendorError::Unauthorized(NAME, text),
        (403, ..) | (200, "NOT_AUTHORIZED", _) => VendorError::NotInPlan(NAME, text),
        // A path that does not exist answers 404 as well, but with plain text.
        (404 | 200, "NOT_FOUND", Some(symbol)) => VendorError::UnknownSymbol(NAME, symbol.clone()),
        (429, ..) => VendorError::QuotaExhausted {
            vendor: NAME,
            detail: text,
            retry_after_seconds: Some(answer.retry_after_seconds.unwrap_or(THROTTLE_SECONDS)),
        },
        (status, ..) if passes(status) => VendorError::Unavailable(NAME, format!("status {status}: {text}")),
        // A bad parameter, an unknown path, a redirection: the same request gets the same answer.
        (status, ..) => VendorError::Refused(NAME, format!("status {status}: {text}")),
    }
}

pub(super) fn malformed(detail: &str) -> VendorError {
    VendorError::Malformed(NAME, detail.to_owned())
}

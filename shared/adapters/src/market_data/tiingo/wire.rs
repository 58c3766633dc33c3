//! What Tiingo writes, and what its refusals mean. Pure: bytes in, rows or a named error out.

use app::ports::VendorError;
use domain::Symbol;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::NAME;
use crate::market_data::{
    client::{Answer, excerpt, passes},
    number::Exact,
};

/// One trading day, as traded; `divCash` and `splitFactor` stand on the ex-date.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Day {
    /// `2015-01-02T00:00:00.000Z` or `…+00:00`: the first ten characters are the date, whatever the zone says.
    pub(super) date: String,
    pub(super) open: Exact,
    pub(super) high: Exact,
    pub(super) low: Exact,
    pub(super) close: Exact,
    pub(super) volume: Exact,
    pub(super) div_cash: Exact,
    pub(super) split_factor: Exact,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
    pub(super) ticker: String,
    pub(super) name: Option<String>,
    pub(super) exchange_code: Option<String>,
    pub(super) start_date: Option<domain::Date>,
    pub(super) end_date: Option<domain::Date>,
}

/// The last trade on the exchange IEX; the volume is that exchange's alone and therefore not read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IexQuote {
    pub(super) ticker: String,
    pub(super) open: Option<Exact>,
    pub(super) last: Option<Exact>,
    pub(super) tngo_last: Option<Exact>,
    /// RFC 3339.
    pub(super) last_sale_timestamp: Option<domain::Timestamp>,
    pub(super) timestamp: Option<domain::Timestamp>,
}

/// Whose row it is, in the list of all.
#[derive(Deserialize)]
pub(super) struct Owner {
    pub(super) ticker: String,
}

#[derive(Deserialize)]
struct Refusal {
    detail: String,
}

/// What was asked for, or what the refusal means. `symbol` is the stock that was asked about, if it was one.
///
/// A status of 200 promises nothing: at the monthly cap of symbols a plain sentence comes with it.
pub(super) fn read<'a, T: Deserialize<'a>>(answer: &'a Answer, symbol: Option<&Symbol>) -> Result<T, VendorError> {
    if answer.status == 200 {
        return serde_json::from_slice(&answer.body).map_err(|error| {
            let text = text_of(&answer.body);
            if is_quota(&text) { quota(answer, text) } else { malformed(&format!("{error} in: {text}")) }
        });
    }
    Err(refusal(answer, symbol))
}

/// The rows of a list, each to be read by itself, so that a bad one does not spoil the others.
pub(super) fn rows<'a>(answer: &'a Answer, symbol: Option<&Symbol>) -> Result<Vec<&'a RawValue>, VendorError> {
    read(answer, symbol)
}

pub(super) fn refusal(answer: &Answer, symbol: Option<&Symbol>) -> VendorError {
    let text = text_of(&answer.body);
    match (answer.status, symbol) {
        (429, _) => quota(answer, text),
        // A key that is missing or wrong and an add-on that was not bought answer alike: the text tells which.
        (403, _) if text.to_ascii_lowercase().contains("permission") => VendorError::NotInPlan(NAME, text),
        (403, _) if is_quota(&text) => quota(answer, text),
        (401 | 403, _) => VendorError::Unauthorized(NAME, text),
        (404, Some(symbol)) if is_not_found(&answer.body) => VendorError::UnknownSymbol(NAME, symbol.clone()),
        (status, _) if passes(status) => VendorError::Unavailable(NAME, format!("status {status}: {text}")),
        (status, _) => VendorError::Refused(NAME, format!("status {status}: {text}")),
    }
}

fn quota(answer: &Answer, detail: String) -> VendorError {
    VendorError::QuotaExhausted { vendor: NAME, detail, retry_after_seconds: answer.retry_after_seconds }
}

fn is_quota(text: &str) -> bool {
    text.contains("run over your")
}

/// `Not found.` or `Error: Ticker '…' not found`, as JSON; a wrong address answers 404 with a page.
fn is_not_found(body: &[u8]) -> bool {
    serde_json::from_slice::<Refusal>(body).is_ok_and(|refusal| refusal.detail.to_ascii_lowercase().contains("not found"))
}

fn text_of(body: &[u8]) -> String {
    serde_json::from_slice::<Refusal>(body).map_or_else(|_| excerpt(body), |refusal| excerpt(refusal.detail.as_bytes()))
}

pub(super) fn malformed(detail: &str) -> VendorError {
    VendorError::Malformed(NAME, detail.to_owned())
}

//! The ledger and the trades in it.

use std::sync::Arc;

use app::portfolio::{TradeFilter, Verification};
use axum::extract::State;
use domain::{
    Symbol, Timestamp,
    execution::Side,
    trading::{Entry, Trade},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{PortfolioState, TAG, node::Node, order_dto::FillBody};
use crate::{
    clock::Now,
    extract::{AuthUser, Day, Json, Limit, Query},
    number::Dollars,
    problem::Problem,
    routes::vocabulary::{SideName, SymbolName},
};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LedgerQuery {
    /// `next_cursor` of the page before.
    #[param(nullable = false)]
    cursor: Option<String>,
    #[serde(default)]
    #[param(inline, required = false, value_type = Limit<100, 1000>)]
    limit: Limit<100, 1000>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TradeQuery {
    #[param(inline, value_type = Option<SymbolName>, nullable = false)]
    symbol: Option<Symbol>,
    /// First New York date.
    #[param(inline, nullable = false)]
    start_date: Option<Day>,
    /// Last New York date.
    #[param(inline, nullable = false)]
    end_date: Option<Day>,
    #[serde(default)]
    #[param(inline, required = false, value_type = Limit<100, 1000>)]
    limit: Limit<100, 1000>,
    /// `next_cursor` of the page before.
    #[param(nullable = false)]
    cursor: Option<String>,
}

/// A page of executed trades.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TradeList {
    trades: Vec<TradeBody>,
    /// Where the next page begins; null on the last.
    next_cursor: Option<String>,
}

/// An executed trade.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Trade)]
pub(in crate::routes) struct TradeBody {
    id: String,
    #[schema(example = "AAPL")]
    symbol: String,
    #[schema(value_type = SideName)]
    side: Side,
    #[serde(flatten)]
    fill: FillBody,
    /// What a sale realised, all costs included; null for a purchase.
    realized_pnl: Option<Dollars>,
    order_id: String,
    position_id: String,
    signal_id: Option<String>,
}

impl From<Trade> for TradeBody {
    fn from(trade: Trade) -> Self {
        Self {
            id: format!("trade-{:06}", trade.sequence),
            symbol: trade.fill.symbol.to_string(),
            side: trade.fill.side,
            realized_pnl: trade.realized_pnl.map(Dollars),
            order_id: trade.fill.order_id.0.clone(),
            position_id: trade.position_id,
            signal_id: trade.signal_id,
            fill: trade.fill.into(),
        }
    }
}

/// A page of the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EntryList {
    /// Oldest first, by sequence number.
    entries: Vec<EntryBody>,
    /// How many entries the ledger has, on whatever page.
    total: u64,
    /// Where the next page begins; null on the last.
    next_cursor: Option<String>,
}

/// One entry of the append-only ledger, bound to the one before by its hash.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerEntry)]
pub(in crate::routes) struct EntryBody {
    /// 1 for the first entry, then without gaps.
    sequence: u64,
    /// Market time at which it was recorded.
    at: Timestamp,
    #[schema(value_type = String, example = "filled")]
    r#type: &'static str,
    /// The request or the job that made it.
    #[schema(example = "request:5f1d0a3c9b7e4d2f8a6c1e0b3d5f7a9c")]
    cause: String,
    /// What happened; its fields depend on the type.
    #[schema(value_type = Object)]
    event: Node,
    previous_hash: String,
    /// SHA-256 over this entry and the hash before it, hexadecimal.
    hash: String,
}

impl TryFrom<Entry> for EntryBody {
    type Error = serde_json::Error;

    fn try_from(entry: Entry) -> Result<Self, serde_json::Error> {
        Ok(Self {
            sequence: entry.sequence,
            at: entry.at,
            r#type: entry.event.name(),
            cause: entry.cause.as_str().to_owned(),
            event: Node::of(&entry.event)?,
            previous_hash: entry.previous.as_str().to_owned(),
            hash: entry.hash.as_str().to_owned(),
        })
    }
}

/// Whether the stored state is what the ledger says.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LedgerVerification {
    valid: bool,
    /// How many entries the ledger has.
    entries: u64,
    head_hash: String,
    /// What differs, in words; empty when all agrees.
    differences: Vec<String>,
}

impl From<Verification> for LedgerVerification {
    fn from(verification: Verification) -> Self {
        let Verification { valid, entries, head_hash, differences } = verification;
        Self { valid, entries, head_hash, differences }
    }
}

/// The sequence number in a cursor of the user's list.
fn position(state: &PortfolioState, scope: &str, cursor: Option<&str>) -> Result<Option<u64>, Problem> {
    let opened = cursor.map(|cursor| state.cursors.open(scope, cursor)).transpose()?;
    opened.map(|sequence| sequence.parse().map_err(|error| Problem::internal(&error))).transpose()
}

/// Executed trades
///
/// Newest first, with what sales realised.
#[utoipa::path(
    get,
    path = "/portfolio/trades",
    tag = TAG,
    params(TradeQuery),
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "A page of the matching trades.", body = TradeList))
)]
pub(super) async fn list_trades(
    user: AuthUser,
    State(state): State<Arc<PortfolioState>>,
    Query(query): Query<TradeQuery>,
) -> Result<Json<TradeList>, Problem> {
    if let (Some(start), Some(end)) = (query.start_date, query.end_date)
        && start > end
    {
        return Err(Problem::unusable("start_date", "is after end_date"));
    }
    let scope = format!("trades:{}", user.user_id);
    let before = position(&state, &scope, query.cursor.as_deref())?;
    let filter = TradeFilter { symbol: query.symbol, start: query.start_date.map(|day| day.0), end: query.end_date.map(|day| day.0) };
    // One more than asked for tells whether there is another page.
    let mut trades = state.desk.trades(&user.user_id, &filter, before, query.limit.get() + 1).await?;
    let has_more = trades.len() > query.limit.get();
    trades.truncate(query.limit.get());
    let next_cursor = trades.last().filter(|_| has_more).map(|trade| state.cursors.seal(&scope, &trade.sequence.to_string()));
    Ok(Json(TradeList { trades: trades.into_iter().map(Into::into).collect(), next_cursor }))
}

/// The ledger
///
/// Oldest first, as the chain of hashes runs. A cursor is a place in that order: entries that are added meanwhile come after the
/// last page, and none is told twice or left out.
#[utoipa::path(
    get,
    path = "/portfolio/ledger",
    tag = TAG,
    params(LedgerQuery),
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "A page of entries.", body = EntryList))
)]
pub(super) async fn list_entries(
    user: AuthUser,
    State(state): State<Arc<PortfolioState>>,
    Now(now): Now,
    Query(query): Query<LedgerQuery>,
) -> Result<Json<EntryList>, Problem> {
    let scope = format!("ledger:{}", user.user_id);
    let after = position(&state, &scope, query.cursor.as_deref())?.unwrap_or(0);
    let (mut entries, total) = state.desk.ledger(&user.user_id, after, query.limit.get() + 1, now).await?;
    let has_more = entries.len() > query.limit.get();
    entries.truncate(query.limit.get());
    let next_cursor = entries.last().filter(|_| has_more).map(|entry| state.cursors.seal(&scope, &entry.sequence.to_string()));
    let entries = entries
        .into_iter()
        .map(TryInto::try_into)
        .collect::<Result<_, _>>()
        .map_err(|error: serde_json::Error| Problem::internal(&error))?;
    Ok(Json(EntryList { entries, total, next_cursor }))
}

/// Verify the ledger
///
/// Rebuilds the portfolio from its first entry and compares it with the stored one.
#[utoipa::path(
    get,
    path = "/portfolio/ledger/verify",
    tag = TAG,
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "Whether all agrees, and what does not.", body = LedgerVerification))
)]
pub(super) async fn verify_ledger(
    user: AuthUser,
    State(state): State<Arc<PortfolioState>>,
    Now(now): Now,
) -> Result<Json<LedgerVerification>, Problem> {
    Ok(Json(state.desk.verify(&user.user_id, now).await?.into()))
}

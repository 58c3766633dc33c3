//! The portfolio as it was: the ledger told up to an entry or an instant.

use std::sync::Arc;

use app::portfolio::Until;
use axum::extract::State;
use domain::{
    Date, Timestamp,
    money::round_half_up,
    trading::{Portfolio, Position},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{PortfolioState, TAG, order_dto::OrderBody};
use crate::{
    clock::Now,
    extract::{AuthUser, Instant, Json, Query},
    number::{Dollars, Number, SharePrice, Shares},
    problem::Problem,
};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StateQuery {
    /// Everything recorded by this instant of the market's time; without it and `sequence`, by now.
    #[param(inline, nullable = false, example = "2022-01-03T21:00:00Z")]
    at: Option<Instant>,
    /// Everything up to the entry of this number; 0 is before the first. Instead of `at`.
    #[param(nullable = false)]
    sequence: Option<u64>,
}

/// A portfolio as its ledger says that it was.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::routes) struct LedgerState {
    /// The newest entry in it; 0 before the first.
    sequence: u64,
    /// The hash of that entry, hexadecimal: zeros before the first.
    hash: String,
    cash: Dollars,
    /// All paper cash that came in.
    deposits: Dollars,
    /// Dividends earned and not yet paid.
    receivable: Dollars,
    /// By symbol.
    positions: Vec<HoldingBody>,
    /// Open orders, in the order of their placement.
    orders: Vec<OrderBody>,
    totals: TotalsBody,
}

/// What was held of one stock.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Holding)]
pub(in crate::routes) struct HoldingBody {
    id: String,
    #[schema(example = "AAPL")]
    symbol: String,
    quantity: Shares,
    /// What the shares cost, buying costs included.
    cost: Dollars,
    /// A share, to four places.
    avg_cost: Option<Number>,
    realized_pnl: Dollars,
    dividends: Dollars,
    target_price: Option<SharePrice>,
    stop_loss: Option<SharePrice>,
    opened_at: Timestamp,
    /// The position is closed on this session's close.
    exit_on: Option<Date>,
}

/// Sums since the first entry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerTotals)]
struct TotalsBody {
    /// Of everything sold, all costs included.
    realized_pnl: Dollars,
    /// Earned, paid or not.
    dividends: Dollars,
    fees: Dollars,
    slippage: Dollars,
    /// Value of everything bought and sold.
    turnover: Dollars,
    /// Executed trades.
    trades: u64,
    closed_positions: u64,
}

impl From<&Position> for HoldingBody {
    fn from(position: &Position) -> Self {
        Self {
            id: position.id.clone(),
            symbol: position.symbol.to_string(),
            quantity: Shares(position.quantity()),
            cost: Dollars(position.cost()),
            avg_cost: position.average_cost().map(|cost| Number(round_half_up(cost, 4))),
            realized_pnl: Dollars(position.realized_pnl),
            dividends: Dollars(position.dividends),
            target_price: position.exits.target_price.map(SharePrice),
            stop_loss: position.exits.stop_loss.map(SharePrice),
            opened_at: position.opened_at,
            exit_on: position.exits.on_date,
        }
    }
}

impl From<Portfolio> for LedgerState {
    fn from(portfolio: Portfolio) -> Self {
        let totals = &portfolio.totals;
        Self {
            sequence: portfolio.entries,
            hash: portfolio.head.as_str().to_owned(),
            cash: Dollars(portfolio.cash),
            deposits: Dollars(portfolio.deposits),
            receivable: Dollars(portfolio.receivable()),
            positions: portfolio.positions.values().map(Into::into).collect(),
            totals: TotalsBody {
                realized_pnl: Dollars(totals.realized_pnl),
                dividends: Dollars(totals.dividends),
                fees: Dollars(totals.fees),
                slippage: Dollars(totals.slippage),
                turnover: Dollars(totals.turnover),
                trades: totals.trades,
                closed_positions: totals.closed_positions,
            },
            orders: portfolio.orders.into_iter().map(Into::into).collect(),
        }
    }
}

/// The state at a past instant
///
/// Rebuilt from the first entry, every hash checked on the way.
#[utoipa::path(
    get,
    path = "/portfolio/ledger/state",
    tag = TAG,
    params(StateQuery),
    security(("bearer" = ["viewer"])),
    responses(
        (status = 200, description = "The portfolio as it was then.", body = LedgerState),
        (status = 404, response = crate::docs::NotFound)
    )
)]
pub(super) async fn ledger_state(
    user: AuthUser,
    State(state): State<Arc<PortfolioState>>,
    Now(now): Now,
    Query(query): Query<StateQuery>,
) -> Result<Json<LedgerState>, Problem> {
    let until = match (query.at, query.sequence) {
        (Some(Instant(instant)), None) => Until::Instant(instant),
        (None, Some(sequence)) => Until::Sequence(sequence),
        (None, None) => Until::Instant(now),
        (Some(_), Some(_)) => return Err(Problem::unusable("at", "say either at or sequence, not both")),
    };
    Ok(Json(state.desk.state_at(&user.user_id, until, now).await?.into()))
}

//! The portfolio in one screen.

use analysis::metrics;
use domain::{Decimal, Money, Timestamp, UserId};

use super::{Desk, performance};
use crate::{UseCaseError, market};

/// Money to the cent; percentages in percent; `None` where nothing can be said yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    pub total_value: Money,
    pub cash_balance: Money,
    /// Market value of all positions and dividends to come.
    pub invested_value: Money,
    /// Realised, unrealised and dividends together, which is the total value less what was paid in. Fees are not taken off once more:
    /// selling fees are part of the realised P&L, buying fees part of the cost of the shares and so of the unrealised P&L until
    /// these are sold.
    pub total_pnl: Money,
    pub total_pnl_percent: Option<Decimal>,
    /// Since the close of the session before.
    pub day_pnl: Money,
    pub day_pnl_percent: Option<Decimal>,
    pub realized_pnl: Money,
    pub unrealized_pnl: Money,
    pub dividends: Money,
    /// All fees so far; they are in `realized_pnl` and `unrealized_pnl` already.
    pub fees_paid: Money,
    /// Executed fills.
    pub total_trades: u64,
    /// Positions closed with a profit.
    pub winning_trades: u64,
    pub losing_trades: u64,
    /// Winning positions among closed ones, percent.
    pub win_rate: Option<Decimal>,
    pub sharpe_ratio: Option<f64>,
    /// Percent of the peak, zero or more.
    pub max_drawdown: Option<f64>,
    /// Annualised, percent.
    pub volatility: Option<f64>,
    pub as_of: Timestamp,
    /// The oldest of the prices that the positions are valued at.
    pub prices_as_of: Option<Timestamp>,
}

impl Desk {
    pub async fn summary(&self, user: &UserId, now: Timestamp) -> Result<Summary, UseCaseError> {
        let (portfolio, view) = self.valued(user, now).await?;
        let history = self.store.valuations(user, None).await?;

        let total_value = view.equity(&portfolio);
        let unrealized_pnl: Money = portfolio
            .positions
            .values()
            .map(|position| view.price(&position.symbol).map_or(Money::ZERO, |price| position.unrealized_pnl(price)))
            .sum();
        let total_pnl = total_value - portfolio.deposits;
        let (day_pnl, day_start) = portfolio.day_pnl(total_value, market::current_session(now).date());
        let curve = performance::curve(&history, &portfolio, total_value, now);
        let returns = performance::returns(&curve);
        let totals = &portfolio.totals;
        Ok(Summary {
            total_value,
            cash_balance: portfolio.cash,
            invested_value: total_value - portfolio.cash,
            total_pnl,
            total_pnl_percent: percent(total_pnl, portfolio.deposits),
            day_pnl,
            day_pnl_percent: percent(day_pnl, day_start),
            realized_pnl: totals.realized_pnl,
            unrealized_pnl,
            dividends: totals.dividends,
            fees_paid: totals.fees,
            total_trades: totals.trades,
            winning_trades: totals.winning_positions,
            losing_trades: totals.losing_positions,
            win_rate: share(totals.winning_positions, totals.closed_positions),
            sharpe_ratio: metrics::sharpe_ratio(&returns, self.risk_free_rate()),
            max_drawdown: performance::drawdown(&curve).map(|drawdown| drawdown.depth * 100.0),
            volatility: metrics::annualized_volatility(&returns).map(|volatility| volatility * 100.0),
            as_of: now,
            prices_as_of: portfolio.positions.keys().filter_map(|symbol| view.stocks.get(symbol)).map(|stock| stock.priced_at).min(),
        })
    }
}

/// `part` of `whole` in percent.
pub(super) fn percent(part: Money, whole: Money) -> Option<Decimal> {
    part.fraction_of(whole).map(|fraction| (fraction * Decimal::ONE_HUNDRED).round_dp(4))
}

fn share(part: u64, whole: u64) -> Option<Decimal> {
    (whole > 0).then(|| (Decimal::from(part) / Decimal::from(whole) * Decimal::ONE_HUNDRED).round_dp(4))
}

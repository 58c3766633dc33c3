//! Returns over time: the valuations at each close, the present one last, against the market.

use std::collections::BTreeMap;

use analysis::{
    MarketContext,
    metrics::{self, Drawdown},
};
use domain::{
    Date, Money, Timestamp, ToSpan, TradingDate, UserId, calendar,
    trading::{Portfolio, Valuation},
};
use rust_decimal::prelude::ToPrimitive;

use super::Desk;
use crate::UseCaseError;

/// How far back to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    Day,
    Week,
    Month,
    ThreeMonths,
    SixMonths,
    Year,
    All,
}

/// One session's close, or the present moment at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerformancePoint {
    pub date: Date,
    pub value: Money,
    /// Gain or loss since the point before, deposits apart.
    pub pnl: Money,
}

/// Returns are time-weighted: deposits are not return. All rates are fractions.
#[derive(Debug, Clone, PartialEq)]
pub struct Performance {
    pub period: Period,
    pub points: Vec<PerformancePoint>,
    pub total_return: Option<f64>,
    pub annualized_return: Option<f64>,
    pub volatility: Option<f64>,
    /// The deepest fall of the compounded returns, with its dates.
    pub max_drawdown: Option<Drawdown>,
    pub sharpe_ratio: Option<f64>,
    pub sortino_ratio: Option<f64>,
    pub calmar_ratio: Option<f64>,
    /// Over closed positions, for the whole life of the portfolio.
    pub win_rate: Option<f64>,
    pub profit_factor: Option<f64>,
    /// Mean share of the value that was invested.
    pub exposure: Option<f64>,
    /// Half of what was bought and sold over the mean value.
    pub turnover: Option<f64>,
    /// All stocks of the data in equal weights over the same sessions.
    pub benchmark_return: Option<f64>,
    /// Total return less the benchmark's.
    pub excess_return: Option<f64>,
    /// Against the benchmark, over the sessions that both have.
    pub beta: Option<f64>,
    /// What the Sharpe and Sortino ratios count from, a year.
    pub risk_free_rate: f64,
}

impl Period {
    pub const ALL: [Self; 7] = [Self::Day, Self::Week, Self::Month, Self::ThreeMonths, Self::SixMonths, Self::Year, Self::All];

    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "1D",
            Self::Week => "1W",
            Self::Month => "1M",
            Self::ThreeMonths => "3M",
            Self::SixMonths => "6M",
            Self::Year => "1Y",
            Self::All => "ALL",
        }
    }

    /// The first date that belongs to the period; one session before it is the base that returns count from.
    fn first_date(self, today: Date) -> Option<Date> {
        let span = match self {
            Self::Day => 1.day(),
            Self::Week => 1.week(),
            Self::Month => 1.month(),
            Self::ThreeMonths => 3.months(),
            Self::SixMonths => 6.months(),
            Self::Year => 1.year(),
            Self::All => return None,
        };
        today.checked_sub(span).ok()
    }
}

impl Desk {
    pub async fn performance(&self, user: &UserId, period: Period, now: Timestamp) -> Result<Performance, UseCaseError> {
        let (portfolio, view) = self.valued(user, now).await?;
        let (history, context) =
            futures::try_join!(async { self.store.valuations(user, None).await.map_err(UseCaseError::from) }, self.market.context())?;
        let whole = curve(&history, &portfolio, view.equity(&portfolio), now);
        let first = period.first_date(calendar::new_york_date(now));
        let base = first.map_or(0, |first| whole.partition_point(|point| point.date < first).saturating_sub(1));
        let curve = &whole[base..];

        let returns = returns(curve);
        let max_drawdown = drawdown(curve);
        let total_return = metrics::total_return(&returns);
        let market = market_returns(&context, curve);
        let benchmark_return = metrics::total_return(&market.values().copied().collect::<Vec<_>>());
        let totals = &portfolio.totals;
        let (profit, loss) = (float(totals.gross_profit), float(totals.gross_loss));
        Ok(Performance {
            period,
            points: points(&whole).split_off(base),
            total_return,
            annualized_return: metrics::annualized_return(&returns),
            volatility: metrics::annualized_volatility(&returns),
            max_drawdown,
            sharpe_ratio: metrics::sharpe_ratio(&returns, self.risk_free_rate()),
            sortino_ratio: metrics::sortino_ratio(&returns, self.risk_free_rate()),
            calmar_ratio: max_drawdown.and_then(|drawdown| metrics::calmar_ratio(&returns, drawdown.depth)),
            win_rate: (totals.closed_positions > 0).then(|| totals.winning_positions as f64 / totals.closed_positions as f64),
            profit_factor: (loss > 0.0).then(|| profit / loss),
            exposure: exposure(curve),
            turnover: turnover(curve),
            benchmark_return,
            excess_return: total_return.zip(benchmark_return).map(|(own, market)| own - market),
            beta: beta(curve, &returns, &market),
            risk_free_rate: self.risk_free_rate(),
        })
    }

    /// The value at each close, the present one last.
    pub(crate) async fn curve(&self, user: &UserId, now: Timestamp) -> Result<Vec<Valuation>, UseCaseError> {
        let (portfolio, view) = self.valued(user, now).await?;
        let history = self.store.valuations(user, None).await?;
        Ok(curve(&history, &portfolio, view.equity(&portfolio), now))
    }

    pub(super) fn risk_free_rate(&self) -> f64 {
        self.rules.risk_free_rate.to_f64().expect("every decimal is near a float")
    }
}

/// The market's mean return of each session after the curve's first point.
fn market_returns(context: &MarketContext, curve: &[Valuation]) -> BTreeMap<Date, f64> {
    let (Some(first), Some(last)) = (curve.first(), curve.last()) else { return BTreeMap::new() };
    let sessions = context.sessions().iter().map(|session| (session.date.date(), session.mean_return));
    sessions.filter(|(date, _)| *date > first.date && *date <= last.date).collect()
}

fn beta(curve: &[Valuation], returns: &[f64], market: &BTreeMap<Date, f64>) -> Option<f64> {
    let own = curve.iter().skip(1).map(|point| point.date).zip(returns.iter().copied());
    metrics::beta(&own.filter_map(|(date, value)| Some((value, *market.get(&date)?))).collect::<Vec<_>>())
}

/// Over the closes of the period; the point that returns count from is not one of them.
fn exposure(curve: &[Valuation]) -> Option<f64> {
    let invested = |point: &Valuation| (float(point.equity - point.cash), float(point.equity));
    metrics::exposure(&curve.iter().skip(1).map(invested).collect::<Vec<_>>())
}

fn turnover(curve: &[Valuation]) -> Option<f64> {
    let (base, later) = curve.split_first()?;
    let traded = later.last()?.turnover - base.turnover;
    metrics::turnover(float(traded), &later.iter().map(|point| float(point.equity)).collect::<Vec<_>>())
}

/// What was paid in, as of the session before anything happened; then the valuations at each close, gaps (no positions, no orders)
/// filled with the value before; and the present value last. A portfolio that never traded has only that.
pub(super) fn curve(history: &[Valuation], portfolio: &Portfolio, equity: Money, now: Timestamp) -> Vec<Valuation> {
    let turnover = portfolio.totals.turnover;
    let present = Valuation {
        date: crate::market::current_session(now).date(),
        equity,
        cash: portfolio.cash,
        deposits: portfolio.deposits,
        turnover,
    };
    let closes = || history.iter().filter(|valuation| valuation.date < present.date);
    let mut curve: Vec<Valuation> = Vec::with_capacity(history.len() + 2);
    if !history.is_empty() || portfolio.totals.trades > 0 {
        curve.push(before(closes().next().unwrap_or(&present)));
    }
    for valuation in closes() {
        fill(&mut curve, valuation.date);
        curve.push(*valuation);
    }
    fill(&mut curve, present.date);
    curve.push(present);
    curve
}

/// The session before the first one that is known: nothing but what was paid in.
fn before(first: &Valuation) -> Valuation {
    let date = TradingDate::on_or_before(first.date).previous().date();
    Valuation { date, equity: first.deposits, cash: first.deposits, deposits: first.deposits, turnover: Money::ZERO }
}

/// Repeats the last value for each session that lies between it and `until`.
fn fill(curve: &mut Vec<Valuation>, until: Date) {
    let Some(last) = curve.last().copied() else { return };
    let between = calendar::sessions(last.date, until).map(TradingDate::date).filter(|date| *date > last.date && *date < until);
    curve.extend(between.map(|date| Valuation { date, ..last }));
}

/// Simple time-weighted returns from point to point.
pub(crate) fn returns(curve: &[Valuation]) -> Vec<f64> {
    let valuations: Vec<metrics::Valuation> = curve
        .iter()
        .enumerate()
        .map(|(index, point)| {
            let before = if index == 0 { point.deposits } else { curve[index - 1].deposits };
            metrics::Valuation { value: float(point.equity), flow: float(point.deposits - before) }
        })
        .collect();
    metrics::time_weighted_returns(&valuations).unwrap_or_default()
}

/// The deepest fall of the compounded returns from a peak; `None` before there is any return.
pub(super) fn drawdown(curve: &[Valuation]) -> Option<Drawdown> {
    if curve.len() < 2 {
        return None;
    }
    let returns = returns(curve);
    let compounded = returns.iter().scan(1.0, |value, change| {
        *value *= 1.0 + change;
        Some(*value)
    });
    let values: Vec<(Date, f64)> = curve.iter().map(|point| point.date).zip(std::iter::once(1.0).chain(compounded)).collect();
    metrics::max_drawdown(&values)
}

fn points(curve: &[Valuation]) -> Vec<PerformancePoint> {
    let mut before = None;
    curve
        .iter()
        .map(|point| {
            let (value, deposits) = before.replace((point.equity, point.deposits)).unwrap_or((point.deposits, point.deposits));
            PerformancePoint { date: point.date, value: point.equity, pnl: point.equity - value - (point.deposits - deposits) }
        })
        .collect()
}

fn float(money: Money) -> f64 {
    money.decimal().to_f64().expect("every decimal is near a float")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(date: &str, equity: i64, cash: i64, deposits: i64, turnover: i64) -> Valuation {
        let [equity, cash, deposits, turnover] = [equity, cash, deposits, turnover].map(Money::dollars);
        Valuation { date: date.parse().unwrap(), equity, cash, deposits, turnover }
    }

    /// What is shown on Friday 2022-01-07 in the evening of a portfolio that is worth `equity` and has received `deposits`.
    fn shown(history: &[Valuation], equity: i64, deposits: i64) -> Vec<Valuation> {
        let mut portfolio = Portfolio::empty(UserId("u1".into()));
        portfolio.deposits = Money::dollars(deposits);
        curve(history, &portfolio, Money::dollars(equity), "2022-01-07T22:00:00Z".parse().unwrap())
    }

    #[test]
    fn what_never_traded_has_no_returns() {
        let curve = shown(&[], 1_000, 1_000);
        assert_eq!((curve.len(), returns(&curve), drawdown(&curve)), (1, vec![], None));
        assert_eq!((exposure(&curve), turnover(&curve)), (None, None));
    }

    #[test]
    fn the_first_days_result_counts_and_a_deposit_does_not() {
        // 1,000 dollars lose a tenth on Tuesday; nothing is valued on Wednesday; 600 more come in and all gains a tenth by Thursday.
        let history = [closed("2022-01-04", 900, 450, 1_000, 550), closed("2022-01-06", 1_650, 825, 1_600, 1_100)];
        let curve = shown(&history, 1_650, 1_600);
        let dates: Vec<String> = curve.iter().map(|point| point.date.to_string()).collect();
        assert_eq!(dates, ["2022-01-03", "2022-01-04", "2022-01-05", "2022-01-06", "2022-01-07"]);
        let returns = returns(&curve);
        assert!(returns.iter().zip([-0.1, 0.0, 0.1, 0.0]).all(|(ours, expected)| (ours - expected).abs() < 1e-12), "{returns:?}");
        let pnl: Vec<i64> = points(&curve).iter().map(|point| point.pnl.decimal().to_i64().unwrap()).collect();
        assert_eq!(pnl, [0, -100, 0, 150, 0], "the sum is what it is worth less what was paid in");
        let fall = drawdown(&curve).unwrap();
        assert_eq!((fall.peak.to_string(), fall.trough.to_string(), fall.recovered), ("2022-01-03".into(), "2022-01-04".into(), None));
        assert!((fall.depth - 0.1).abs() < 1e-12);
    }

    #[test]
    fn beta_is_taken_over_the_sessions_that_both_have() {
        let history =
            [closed("2022-01-04", 980, 0, 1_000, 0), closed("2022-01-05", 1_029, 0, 1_000, 0), closed("2022-01-06", 1_029, 0, 1_000, 0)];
        let curve = shown(&history, 1_029, 1_000);
        // Returns of −2 % and 5 % where the market had −1 % and 2.5 %; of the other sessions it knows nothing.
        let market = [("2022-01-04", -0.01), ("2022-01-05", 0.025)].map(|(date, value)| (date.parse().unwrap(), value)).into();
        assert!((beta(&curve, &returns(&curve), &market).unwrap() - 2.0).abs() < 1e-9);
    }
}

//! What charts show: the columns of one stock with what was proposed and done in it, and those of one portfolio beside the market.

use analysis::{FeatureTable, Series};
use domain::{
    Company, Date, Money, Symbol, Timestamp, UserId, calendar::new_york_date, execution::Side, signal::SignalAction, trading::Valuation,
};
use rust_decimal::prelude::ToPrimitive;

use crate::{
    UseCaseError,
    portfolio::{Desk, TradeFilter, performance},
    signals::Signals,
    stocks::{SessionRange, Stocks},
};

/// Signals lie together by day, so that the marks of one stock cost reading those of all: at most about as many signals are read for
/// a chart. The newest sessions get their marks.
const SIGNALS_READ: usize = 10_000;
/// So many sessions get their marks whatever it costs.
const LEAST_MARKED: usize = 30;
/// A chart marks no more trades than this, the newest ones.
const TRADES_MARKED: usize = 1_000;

/// The use cases of charts.
#[derive(Clone)]
pub struct Charts {
    stocks: Stocks,
    signals: Signals,
    desk: Desk,
}

/// One stock: its whole history, and which part of it is wanted.
#[derive(Debug, Clone)]
pub struct StockStudy {
    pub company: Company,
    /// On the share basis of the day that asks; indicators are computed from all of it.
    pub series: Series,
    pub features: FeatureTable,
    /// The wanted positions of both.
    pub range: std::ops::Range<usize>,
    pub proposals: Vec<Proposal>,
    pub trades: Vec<TradeMark>,
}

/// A signal to buy or to sell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proposal {
    /// Position in the series.
    pub session: usize,
    pub action: SignalAction,
    pub confidence: f64,
}

/// A trade of the user's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TradeMark {
    /// Position in the series.
    pub session: usize,
    pub side: Side,
    /// Dollars on the series' share basis.
    pub price: f64,
}

/// One portfolio, a value a session, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PortfolioStudy {
    pub dates: Vec<Date>,
    /// Dollars.
    pub equity: Vec<f64>,
    /// Dollars that the same deposits would be worth in all stocks in equal weights.
    pub benchmark: Vec<f64>,
    /// Fractions below the highest compounded return so far, zero or less.
    pub drawdown: Vec<f64>,
    pub benchmark_drawdown: Vec<f64>,
    /// Fraction of the value that was not cash.
    pub invested: Vec<f64>,
    pub total_return: Option<f64>,
    pub benchmark_return: Option<f64>,
}

impl Charts {
    pub fn new(stocks: Stocks, signals: Signals, desk: Desk) -> Self {
        Self { stocks, signals, desk }
    }

    /// The wanted sessions of a stock, with the signals of the newest of them and the user's trades.
    pub async fn stock(&self, user: &UserId, symbol: &Symbol, range: SessionRange, now: Timestamp) -> Result<StockStudy, UseCaseError> {
        let market = self.stocks.market();
        let (company, history, context, companies) =
            futures::try_join!(self.stocks.company(symbol), market.history(symbol, now), market.context(), self.stocks.all())?;
        let series = Series::new(&history, new_york_date(now));
        let features = FeatureTable::compute(&series, &context, company.sector);
        let dates: Vec<Date> = series.dates().iter().map(|date| date.date()).collect();
        let range = range.select(&dates);
        let shown = &dates[range.clone()];

        let most = (SIGNALS_READ / companies.len().max(1)).max(LEAST_MARKED);
        let with_marks = &shown[shown.len().saturating_sub(most)..];
        let filter = TradeFilter { symbol: Some(symbol.clone()), start: shown.first().copied(), end: shown.last().copied() };
        let (signals, trades) = futures::try_join!(
            self.signals.of_stock(symbol, with_marks, now),
            self.desk.trades(user, &filter, None, if shown.is_empty() { 0 } else { TRADES_MARKED })
        )?;

        let proposals = signals.iter().filter(|signal| signal.action != SignalAction::Hold).filter_map(|signal| {
            let session = series.index_of(signal.date.date())?;
            Some(Proposal { session, action: signal.action, confidence: signal.confidence })
        });
        let adjustments = history.adjustments(new_york_date(now));
        let trades = trades.iter().filter_map(|trade| {
            let date = new_york_date(trade.fill.executed_at);
            let session = series.index_of(date)?;
            let at = history.bars.iter().position(|record| record.bar.date.date() == date)?;
            let factor = adjustments.get(at)?.price;
            Some(TradeMark { session, side: trade.fill.side, price: (trade.fill.price.decimal() * factor).to_f64()? })
        });
        let (proposals, trades) = (proposals.collect(), trades.collect());
        Ok(StockStudy { company, series, features, range, proposals, trades })
    }

    /// The sessions of a portfolio from `start` to `end`; the present value is the last.
    pub async fn portfolio(
        &self,
        user: &UserId,
        start: Option<Date>,
        end: Option<Date>,
        now: Timestamp,
    ) -> Result<PortfolioStudy, UseCaseError> {
        let (curve, context) = futures::try_join!(self.desk.curve(user, now), self.stocks.market().context())?;
        let first = start.map_or(0, |start| curve.partition_point(|point| point.date < start));
        let last = end.map_or(curve.len(), |end| curve.partition_point(|point| point.date <= end));
        let curve = &curve[first.min(last)..last];
        let mean = |date: Date| context.on(date).map_or(0.0, |(session, _)| session.mean_return);
        Ok(study(curve, mean))
    }
}

fn study(curve: &[Valuation], market_return: impl Fn(Date) -> f64) -> PortfolioStudy {
    if curve.is_empty() {
        return PortfolioStudy::default();
    }
    let own: Vec<f64> = performance::returns(curve);
    let market: Vec<f64> = curve.iter().skip(1).map(|point| market_return(point.date)).collect();
    let mut benchmark = vec![float(curve[0].equity)];
    for (index, change) in market.iter().enumerate() {
        let paid_in = float(curve[index + 1].deposits - curve[index].deposits);
        benchmark.push(benchmark[index] * (1.0 + change) + paid_in);
    }
    let total = |returns: &[f64]| (!returns.is_empty()).then(|| returns.iter().map(|change| 1.0 + change).product::<f64>() - 1.0);
    PortfolioStudy {
        dates: curve.iter().map(|point| point.date).collect(),
        equity: curve.iter().map(|point| float(point.equity)).collect(),
        benchmark,
        drawdown: below_peak(&own),
        benchmark_drawdown: below_peak(&market),
        invested: curve.iter().map(|point| 1.0 - float(point.cash) / float(point.equity)).map(|part| part.clamp(0.0, 1.0)).collect(),
        total_return: total(&own),
        benchmark_return: total(&market),
    }
}

/// How far the compounded returns are below their highest value, at the beginning and after each of them.
fn below_peak(returns: &[f64]) -> Vec<f64> {
    let (mut value, mut peak) = (1.0_f64, 1.0_f64);
    let falls = returns.iter().map(|change| {
        value *= 1.0 + change;
        peak = peak.max(value);
        value / peak - 1.0
    });
    std::iter::once(0.0).chain(falls).collect()
}

fn float(money: Money) -> f64 {
    money.decimal().to_f64().expect("every decimal is near a float")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(date: &str, equity: i64, cash: i64, deposits: i64) -> Valuation {
        let [equity, cash, deposits] = [equity, cash, deposits].map(Money::dollars);
        Valuation { date: date.parse().unwrap(), equity, cash, deposits, turnover: Money::ZERO }
    }

    #[test]
    fn a_deposit_is_no_gain_and_the_market_gets_it_too() {
        // Half is lost, as much comes in, and a tenth is gained; the market gains ten percent each day.
        let curve =
            [closed("2022-01-03", 1_000, 1_000, 1_000), closed("2022-01-04", 500, 250, 1_000), closed("2022-01-05", 1_650, 0, 2_000)];
        let study = study(&curve, |_| 0.1);
        let about = |found: &[f64], expected: &[f64]| {
            assert!(found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
        };
        about(&study.equity, &[1_000.0, 500.0, 1_650.0]);
        about(&study.benchmark, &[1_000.0, 1_100.0, 2_210.0]);
        about(&study.drawdown, &[0.0, -0.5, -0.45]);
        about(&study.benchmark_drawdown, &[0.0, 0.0, 0.0]);
        about(&study.invested, &[0.0, 0.5, 1.0]);
        about(&[study.total_return.unwrap(), study.benchmark_return.unwrap()], &[-0.45, 0.21]);
        assert_eq!(super::study(&[], |_| 0.0), PortfolioStudy::default());
    }
}

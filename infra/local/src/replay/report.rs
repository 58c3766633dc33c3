//! The numbers of a replay beside those of its benchmark.

use std::fmt;

use analysis::metrics;
use app::replay::Replayed;
use domain::{Date, execution::Side, order::Origin, trading::Event};
use rust_decimal::prelude::ToPrimitive;

/// A curve of wealth, one value a session, beginning at 1.
pub type Curve = Vec<(Date, f64)>;

pub struct Report {
    pub portfolio: Curve,
    pub benchmark: Curve,
    pub rows: Vec<(&'static str, String, String)>,
    pub calibration: Vec<app::signals::performance::CalibrationBin>,
}

impl Report {
    pub fn of(replayed: &Replayed) -> Self {
        let portfolio = wealth(replayed);
        let benchmark: Curve = replayed
            .benchmark
            .iter()
            .scan(1.0, |value, (date, change)| {
                *value *= 1.0 + change;
                Some((*date, *value))
            })
            .collect();
        let rows = rows(replayed, &portfolio, &benchmark);
        Self { portfolio, benchmark, rows, calibration: replayed.signals.calibration.clone() }
    }
}

/// One value for each session. A portfolio with nothing in it is not valued; it is worth what it was worth before.
fn wealth(replayed: &Replayed) -> Curve {
    let start = float(replayed.portfolio.deposits);
    let mut valuations = replayed.valuations.iter().peekable();
    let mut value = 1.0;
    let sessions = replayed.benchmark.iter().map(|(date, _)| {
        while let Some(valuation) = valuations.next_if(|valuation| valuation.date <= *date) {
            value = float(valuation.equity) / start;
        }
        (*date, value)
    });
    sessions.collect()
}

fn rows(replayed: &Replayed, portfolio: &Curve, benchmark: &Curve) -> Vec<(&'static str, String, String)> {
    let totals = &replayed.portfolio.totals;
    let own = returns(portfolio);
    let market = returns(benchmark);
    let both = |name, of: &dyn Fn(&[f64], &Curve) -> String| (name, of(&own, portfolio), of(&market, benchmark));
    let only = |name, value: String| (name, value, String::new());
    let signals = &replayed.signals;
    vec![
        both("total return", &|returns, _| percent(metrics::total_return(returns))),
        both("annualised return", &|returns, _| percent(metrics::annualized_return(returns))),
        both("annualised volatility", &|returns, _| percent(metrics::annualized_volatility(returns))),
        both("Sharpe ratio", &|returns, _| number(metrics::sharpe_ratio(returns, 0.0))),
        both("Sortino ratio", &|returns, _| number(metrics::sortino_ratio(returns, 0.0))),
        both("maximum drawdown", &|_, curve| percent(metrics::max_drawdown(curve).map(|drawdown| drawdown.depth))),
        only("mean exposure", percent(exposure(replayed))),
        only("final value", format!("{} USD", replayed.valuations.last().map_or_else(String::new, |last| last.equity.to_string()))),
        only(
            "positions closed",
            format!("{} ({} won, {} lost)", totals.closed_positions, totals.winning_positions, totals.losing_positions),
        ),
        only("closed by stop / target", exits(replayed)),
        only("last purchase", last_purchase(replayed)),
        only("realised P&L", format!("{} USD", totals.realized_pnl)),
        only("dividends", format!("{} USD", totals.dividends)),
        only("fees / slippage", format!("{} / {} USD", totals.fees, totals.slippage)),
        only("signals evaluated", signals.evaluated_signals.to_string()),
        only("class came true", percent(signals.accuracy)),
        only("proposed trades: mean return", percent(signals.avg_return)),
        only("proposed trades: won", percent(signals.win_rate)),
        only("Brier score (3 classes)", number(signals.brier_score)),
        only("ledger", format!("{} entries, head {}", replayed.entries.len(), &replayed.portfolio.head.as_str()[..16])),
    ]
}

/// How many sales each kind of exit made; the rest ran to the end of the signal's life or had a signal to sell.
fn exits(replayed: &Replayed) -> String {
    let count = |wanted: Origin| {
        let placed =
            replayed.entries.iter().filter(|entry| matches!(&entry.event, Event::OrderAccepted { order } if order.origin == wanted));
        placed.count()
    };
    let sold_on_signal = replayed.entries.iter().filter(
        |entry| matches!(&entry.event, Event::OrderAccepted { order } if order.origin == Origin::Automatic && order.request.side == Side::Sell),
    );
    let (stop, target, end) = (count(Origin::StopLoss), count(Origin::TakeProfit), count(Origin::TimeExit));
    format!("{stop} / {target}, {end} at the end, {} on a signal", sold_on_signal.count())
}

/// A portfolio that has fallen far enough below its peak buys no more.
fn last_purchase(replayed: &Replayed) -> String {
    let purchases = replayed.trades.iter().filter(|trade| trade.fill.side == Side::Buy);
    purchases.map(|trade| domain::calendar::new_york_date(trade.fill.executed_at)).max().map_or_else(|| "–".into(), |date| date.to_string())
}

fn returns(curve: &Curve) -> Vec<f64> {
    let values: Vec<f64> = std::iter::once(1.0).chain(curve.iter().map(|(_, value)| *value)).collect();
    metrics::returns(&values).unwrap_or_default()
}

/// The share of equity that was not cash, averaged over the sessions; where nothing was valued, nothing was invested.
fn exposure(replayed: &Replayed) -> Option<f64> {
    let shares = replayed.valuations.iter().map(|valuation| 1.0 - float(valuation.cash) / float(valuation.equity));
    let sessions = replayed.benchmark.len();
    (sessions > 0).then(|| shares.sum::<f64>() / sessions as f64)
}

fn float(money: domain::Money) -> f64 {
    money.decimal().to_f64().expect("every decimal is near a float")
}

fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "–".into(), |value| format!("{:.2} %", value * 100.0))
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".into(), |value| format!("{value:.3}"))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span =
            |curve: &Curve| curve.first().zip(curve.last()).map_or_else(String::new, |(first, last)| format!("{} to {}", first.0, last.0));
        writeln!(f, "Replay of {}, all signals taken automatically\n", span(&self.portfolio))?;
        writeln!(f, "{:<30} {:>44} {:>14}", "", "portfolio", "equal weight")?;
        for (name, own, market) in &self.rows {
            writeln!(f, "{name:<30} {own:>44} {market:>14}")?;
        }
        writeln!(f, "\nCalibration: what the confidence said and what came true")?;
        writeln!(f, "{:>13} {:>9} {:>12} {:>10}", "confidence", "signals", "mean said", "came true")?;
        for bin in &self.calibration {
            let range = format!("{:.1}–{:.1}", bin.bin_low, bin.bin_high);
            writeln!(f, "{range:>13} {:>9} {:>12} {:>10}", bin.signals, percent(bin.mean_confidence), percent(bin.hit_rate))?;
        }
        writeln!(f)
    }
}

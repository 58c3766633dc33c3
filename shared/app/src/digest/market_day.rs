//! How the stocks that we follow did in a session.

use domain::{Symbol, TradingDate};

use super::message::Section;
use crate::market::MarketSnapshot;

/// How many of the best and the worst are named.
const NAMED: usize = 3;

/// Stocks with their returns over the session, as fractions, the best first.
pub(super) struct MarketDay(Vec<(Symbol, f64)>);

impl MarketDay {
    /// Stocks that did not trade in the session are left out.
    pub(super) fn of(snapshot: &MarketSnapshot, date: TradingDate) -> Self {
        let traded = snapshot.stocks.iter().filter(|(_, stock)| stock.date == date);
        let mut returns: Vec<(Symbol, f64)> = traded.filter_map(|(symbol, stock)| Some((symbol.clone(), stock.day_return?))).collect();
        returns.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Self(returns)
    }

    pub(super) fn section(&self) -> Section {
        let Self(returns) = self;
        let count = |is: fn(f64) -> bool| returns.iter().filter(|(_, value)| is(*value)).count();
        let named = |some: &mut dyn Iterator<Item = &(Symbol, f64)>| {
            some.take(NAMED).map(|(symbol, value)| format!("{symbol} {:+.1} %", 100.0 * value)).collect::<Vec<_>>().join(", ")
        };
        let lines = if returns.is_empty() {
            vec!["No stock that is followed here traded".into()]
        } else {
            let mean = returns.iter().map(|(_, value)| value).sum::<f64>() / returns.len() as f64;
            vec![
                format!(
                    "{} stocks rose, {} fell; on average {:+.2} %",
                    count(|value| value > 0.0),
                    count(|value| value < 0.0),
                    100.0 * mean
                ),
                format!("Best: {}", named(&mut returns.iter())),
                format!("Worst: {}", named(&mut returns.iter().rev())),
            ]
        };
        Section { title: "The market".into(), lines }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_told_by_its_breadth_and_its_extremes() {
        let returns = [("A", 0.02), ("B", 0.0), ("C", -0.01), ("D", -0.05)];
        let day = MarketDay(returns.map(|(symbol, value)| (symbol.parse().unwrap(), value)).to_vec());
        assert_eq!(
            day.section().lines,
            ["1 stocks rose, 2 fell; on average -1.00 %", "Best: A +2.0 %, B +0.0 %, C -1.0 %", "Worst: D -5.0 %, C -1.0 %, B +0.0 %"]
        );
        assert_eq!(MarketDay(vec![]).section().lines, ["No stock that is followed here traded"]);
    }
}

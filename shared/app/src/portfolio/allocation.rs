//! Where the money is.

use std::collections::BTreeMap;

use domain::{Decimal, Money, Symbol, Timestamp, UserId};

use super::Desk;
use crate::UseCaseError;

/// Percentages sum to exactly 100 within each breakdown.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation {
    pub by_sector: Vec<Slice>,
    pub by_market_cap: Vec<Slice>,
    pub by_asset: Vec<Slice>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    pub name: String,
    pub value: Money,
    /// In percent, two decimal places.
    pub percentage: Decimal,
}

const CASH: &str = "Cash";

impl Desk {
    pub async fn allocation(&self, user: &UserId, now: Timestamp) -> Result<Allocation, UseCaseError> {
        let (portfolio, view) = self.valued(user, now).await?;
        let companies = self.market.companies().companies().await?;
        let held: Vec<(&Symbol, Money)> = portfolio
            .positions
            .values()
            .map(|position| (&position.symbol, view.price(&position.symbol).map_or(position.cost(), |price| position.market_value(price))))
            .collect();
        let cash = portfolio.cash + portfolio.receivable();
        let market_cap =
            |symbol: &Symbol| companies.iter().find(|company| company.symbol == *symbol).and_then(|company| company.market_cap);
        Ok(Allocation {
            by_sector: slices(
                cash,
                held.iter().map(|(symbol, value)| (view.sector(symbol).map_or("Unknown", domain::Sector::name).to_owned(), *value)),
            ),
            by_market_cap: slices(cash, held.iter().map(|(symbol, value)| (size_class(market_cap(symbol)).to_owned(), *value))),
            by_asset: slices(cash, held.iter().map(|(symbol, value)| (symbol.to_string(), *value))),
        })
    }
}

/// By the usual American bounds of market capitalisation.
fn size_class(market_cap: Option<Money>) -> &'static str {
    const BILLION: i64 = 1_000_000_000;
    match market_cap {
        None => "Unknown",
        Some(cap) if cap >= Money::dollars(200 * BILLION) => "Mega Cap",
        Some(cap) if cap >= Money::dollars(10 * BILLION) => "Large Cap",
        Some(cap) if cap >= Money::dollars(2 * BILLION) => "Mid Cap",
        Some(_) => "Small Cap",
    }
}

/// Sums by name, the largest first, cash as a row of its own.
fn slices(cash: Money, parts: impl Iterator<Item = (String, Money)>) -> Vec<Slice> {
    let mut sums: BTreeMap<String, Money> = BTreeMap::from([(CASH.to_owned(), cash)]);
    for (name, value) in parts {
        *sums.entry(name).or_default() += value;
    }
    let mut sums: Vec<(String, Money)> = sums.into_iter().collect();
    sums.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let percentages = percentages(&sums.iter().map(|(_, value)| *value).collect::<Vec<_>>());
    sums.into_iter().zip(percentages).map(|((name, value), percentage)| Slice { name, value, percentage }).collect()
}

/// Shares of the sum in hundredths of a percent by the largest-remainder method (Hamilton), so that they sum to exactly 100.
fn percentages(values: &[Money]) -> Vec<Decimal> {
    const UNITS: i64 = 10_000;
    let total: Money = values.iter().copied().sum();
    let exact: Vec<Decimal> = values.iter().map(|value| value.fraction_of(total).unwrap_or_default() * Decimal::from(UNITS)).collect();
    let mut units: Vec<Decimal> = exact.iter().map(Decimal::floor).collect();
    let mut by_remainder: Vec<usize> = (0..values.len()).collect();
    by_remainder.sort_by_key(|&index| std::cmp::Reverse(exact[index] - units[index]));
    let mut missing = Decimal::from(UNITS) - units.iter().sum::<Decimal>();
    for index in by_remainder {
        if total.is_zero() || missing <= Decimal::ZERO {
            break;
        }
        units[index] += Decimal::ONE;
        missing -= Decimal::ONE;
    }
    units.into_iter().map(|unit| unit / Decimal::ONE_HUNDRED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_sum_to_a_hundred_whatever_is_rounded() {
        for values in [vec![1, 1, 1], vec![333_333, 333_333, 333_334], vec![100], vec![0, 5], vec![7, 11, 13, 17, 19, 23]] {
            let values: Vec<Money> = values.into_iter().map(Money::dollars).collect();
            assert_eq!(percentages(&values).iter().sum::<Decimal>(), Decimal::ONE_HUNDRED, "{values:?}");
        }
        assert_eq!(percentages(&[Money::ZERO]), [Decimal::ZERO]);
    }

    #[test]
    fn cash_is_a_row_and_the_largest_comes_first() {
        let parts = [("Energy", 50), ("Financials", 30), ("Energy", 10)].map(|(name, dollars)| (name.to_owned(), Money::dollars(dollars)));
        let slices = slices(Money::dollars(10), parts.into_iter());
        let rows: Vec<_> = slices.iter().map(|slice| (slice.name.as_str(), slice.percentage.to_string())).collect();
        assert_eq!(
            rows,
            [("Energy", "60".into()), ("Financials", "30".into()), ("Cash", "10".to_string())]
                .map(|(name, text): (&str, String)| (name, text))
        );
    }
}

//! What the broker and the regulators charge for one execution, each cost by name.
//!
//! Rounding: a commission goes to the nearest cent; each regulatory fee goes up to the next cent, execution by execution, as
//! brokers do who pass them on (Alpaca, "Regulatory fees": Section 31, TAF and CAT are rounded up to the nearest penny). The cap
//! of the Trading Activity Fee holds for one execution.

pub mod rates;

use std::fmt;

use rust_decimal::{Decimal, dec};
use serde::{Deserialize, Serialize};

use super::{OutOfRange, Side, configured};
use crate::{Money, Price, Quantity, TradingDate};
use rates::{RateError, RateTable, RegulatoryFee};

/// What a broker charges its customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "schedule", rename_all = "snake_case", deny_unknown_fields)]
pub enum FeeSchedule {
    /// No commission, as US retail brokers since October 2019; regulatory fees are passed on.
    #[default]
    UsRetail,
    /// Interactive Brokers "IBKR Pro, Fixed": $0.005 a share, at least $1.00 for an order ($0.01 below one share), at most 1 % of the
    /// trade value, and the maximum wins over the minimum. Exchange and clearing fees are included; the page lists the
    /// regulatory fees as third-party fees for both of its plans, so they are passed on.
    /// Source: interactivebrokers.co.uk, "Commissions Stocks", United States.
    IbkrFixed,
    /// A share of the trade value and nothing else, on both sides; `rate` is a fraction (0.001 is 0.1 %), zero or more.
    Percentage {
        #[serde(deserialize_with = "configured::decimal")]
        rate: Decimal,
    },
}

impl FeeSchedule {
    /// A tenth of a percent each way, as in many backtests.
    pub const TENTH_OF_A_PERCENT: Self = Self::Percentage { rate: dec!(0.001) };

    /// Refuses a percentage that cannot be meant.
    pub fn validate(self) -> Result<(), OutOfRange> {
        let Self::Percentage { rate } = self else { return Ok(()) };
        let allowed = Decimal::ZERO..=dec!(0.1);
        OutOfRange::unless(allowed.contains(&rate), "rate", rate, "a fraction from 0 to 0.1, such as 0.001 for 0.1 %")
    }

    /// The broker's own charge for an order of `quantity` shares worth `value`, to the cent.
    fn commission(self, value: Decimal, quantity: Quantity) -> Money {
        const PER_SHARE: Decimal = dec!(0.005);
        const MINIMUM: Decimal = dec!(1);
        const MINIMUM_BELOW_ONE_SHARE: Decimal = dec!(0.01);
        const MAXIMUM_SHARE_OF_VALUE: Decimal = dec!(0.01);

        Money::round(match self {
            Self::UsRetail => Decimal::ZERO,
            Self::IbkrFixed => {
                let minimum = if quantity.decimal() < Decimal::ONE { MINIMUM_BELOW_ONE_SHARE } else { MINIMUM };
                (quantity.decimal() * PER_SHARE).max(minimum).min(value * MAXIMUM_SHARE_OF_VALUE)
            }
            Self::Percentage { rate } => value * rate.max(Decimal::ZERO),
        })
    }

    fn passes_on_regulatory_fees(self) -> bool {
        match self {
            Self::UsRetail | Self::IbkrFixed => true,
            Self::Percentage { .. } => false,
        }
    }
}

/// The names under which costs appear in the ledger and in answers; they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeeName {
    /// The broker's own charge.
    Commission,
    /// Section 31 of the Securities Exchange Act of 1934, on sales.
    #[serde(rename = "sec-section-31")]
    SecSection31,
    /// FINRA's Trading Activity Fee, on sales.
    FinraTaf,
    /// The Consolidated Audit Trail, on both sides.
    Cat,
}

impl FeeName {
    pub fn name(self) -> &'static str {
        match self {
            Self::Commission => "commission",
            Self::SecSection31 => "sec-section-31",
            Self::FinraTaf => "finra-taf",
            Self::Cat => "cat",
        }
    }
}

impl fmt::Display for FeeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One cost of one execution, above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fee {
    pub name: FeeName,
    pub amount: Money,
}

/// What one order already executed on the same day: a commission's minimum and maximum are counted once an order and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EarlierFills {
    pub quantity: Quantity,
    pub value: Money,
    pub commission: Money,
}

/// Every cost of an order that fills in one piece; costs of zero are left out.
///
/// # Errors
/// [`RateError::BeforeTable`] and [`RateError::AfterTable`] when the regulatory rates of that date are not known.
pub fn fees(
    schedule: FeeSchedule,
    table: &RateTable,
    side: Side,
    date: TradingDate,
    price: Price,
    quantity: Quantity,
) -> Result<Vec<Fee>, RateError> {
    fees_of_part(schedule, table, side, date, price, quantity, EarlierFills::default())
}

/// Every cost of one partial fill: the commission is what the order owes so far less what its `earlier` fills of the same day paid.
///
/// Regulatory fees are due for each execution by itself. A fill on a later day starts anew, as brokers treat an order that
/// rests overnight as another one.
///
/// # Errors
/// As [`fees`].
pub fn fees_of_part(
    schedule: FeeSchedule,
    table: &RateTable,
    side: Side,
    date: TradingDate,
    price: Price,
    quantity: Quantity,
    earlier: EarlierFills,
) -> Result<Vec<Fee>, RateError> {
    let value = price.decimal() * quantity.decimal();
    let owed = schedule.commission(earlier.value.decimal() + value, earlier.quantity + quantity);
    let commission = Fee { name: FeeName::Commission, amount: (owed - earlier.commission).max(Money::ZERO) };

    let mut charged = vec![commission];
    if schedule.passes_on_regulatory_fees() {
        charged.extend(regulatory(table, side, date, value, quantity)?);
    }
    charged.retain(|fee| !fee.amount.is_zero());
    Ok(charged)
}

/// What the fees add up to.
pub fn total(fees: &[Fee]) -> Money {
    fees.iter().map(|fee| fee.amount).sum()
}

fn regulatory(table: &RateTable, side: Side, date: TradingDate, value: Decimal, quantity: Quantity) -> Result<Vec<Fee>, RateError> {
    const MILLION: Decimal = dec!(1_000_000);

    let cat_rate = table.on(RegulatoryFee::Cat, date.date())?;
    let cat = Fee { name: FeeName::Cat, amount: Money::round_up(quantity.decimal() * cat_rate.rate) };
    if side == Side::Buy {
        return Ok(vec![cat]);
    }

    let sec_rate = table.on(RegulatoryFee::SecSection31, date.date())?;
    let section_31 = Fee { name: FeeName::SecSection31, amount: Money::round_up(value * sec_rate.rate / MILLION) };

    let taf_rate = table.on(RegulatoryFee::FinraTaf, date.date())?;
    let uncapped = Money::round_up(quantity.decimal() * taf_rate.rate);
    let taf = Fee { name: FeeName::FinraTaf, amount: taf_rate.cap.map_or(uncapped, |cap| uncapped.min(cap)) };

    Ok(vec![section_31, taf, cat])
}

#[cfg(test)]
mod tests;

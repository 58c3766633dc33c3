//! How far an order moves the price against its trader: half the spread plus the market impact of its size.
//!
//! Slippage is part of the fill's price, never a fee.
//!
//! The square-root law: an order of `Q` shares in a stock that trades `V` shares a day with daily volatility `σ` moves the
//! price by about `Y · σ · √(Q / V)`, with `Y` of order one, over many markets, decades and ways of trading.
//! Sources: R. Almgren, C. Thum, E. Hauptmann, H. Li, "Direct Estimation of Equity Market Impact", 2005 (US stocks; exponent
//! 3/5 for the temporary part, the square root being the usual simplification); B. Tóth et al., "Anomalous price impact and
//! the critical nature of liquidity in financial markets", Physical Review X 1, 021006, 2011 (the root, `Y` near one);
//! N. Torre, "BARRA Market Impact Model Handbook", 1997 (the root as practitioners' rule).

use rust_decimal::{Decimal, MathematicalOps, dec};
use serde::{Deserialize, Serialize};

use super::{Liquidity, OutOfRange, Side, configured};
use crate::{Price, Quantity, money::round_half_up};

/// Half of the whole price: above what any model here should be believed, and it keeps a seller's price above zero.
pub const MAX_TOTAL_BPS: Decimal = dec!(5000);

const BPS: Decimal = dec!(10_000);
/// Places to which the reported basis points are rounded: a millionth of a percent.
const BPS_PLACES: u32 = 4;

/// How slippage is estimated; all numbers are zero or more, and basis points are hundredths of a percent of the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "snake_case", deny_unknown_fields)]
pub enum SlippageModel {
    /// `max(floor, half_spread + coefficient · σ · √(Q / V))`.
    SquareRoot {
        #[serde(deserialize_with = "configured::decimal")]
        half_spread_bps: Decimal,
        #[serde(deserialize_with = "configured::decimal")]
        coefficient: Decimal,
        #[serde(deserialize_with = "configured::decimal")]
        floor_bps: Decimal,
    },
    /// The same for every order, whatever its size.
    FixedBps {
        #[serde(deserialize_with = "configured::decimal")]
        bps: Decimal,
    },
}

impl Default for SlippageModel {
    /// Large US stocks quote a spread of one to five basis points, of which an order that takes liquidity pays half; the
    /// coefficient is the order of one that the literature finds; the floor keeps small orders honest about what
    /// end-of-day prices cannot show.
    fn default() -> Self {
        Self::SquareRoot { half_spread_bps: dec!(1.5), coefficient: dec!(1), floor_bps: dec!(5) }
    }
}

/// An estimated execution price and what it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlippedPrice {
    /// Above the reference for a buyer, below it for a seller, rounded against the trader to four places.
    pub price: Price,
    pub half_spread_bps: Decimal,
    pub impact_bps: Decimal,
    /// What the model asks for: the sum of the two, or the model's floor when that is more.
    pub total_bps: Decimal,
    /// The order's limit, when the price was held at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_at_limit: Option<Price>,
}

impl SlippageModel {
    /// Refuses numbers that cannot be meant, such as negative ones or more than 5 % of the price.
    pub fn validate(&self) -> Result<(), OutOfRange> {
        let bps = |key, value: Decimal| {
            let allowed = Decimal::ZERO..=dec!(500);
            OutOfRange::unless(allowed.contains(&value), key, value, "0 to 500 basis points")
        };
        match *self {
            Self::FixedBps { bps: all } => bps("bps", all),
            Self::SquareRoot { half_spread_bps, coefficient, floor_bps } => {
                bps("half_spread_bps", half_spread_bps)?;
                let allowed = Decimal::ZERO..=Decimal::TEN;
                OutOfRange::unless(allowed.contains(&coefficient), "coefficient", coefficient, "0 to 10")?;
                bps("floor_bps", floor_bps)
            }
        }
    }

    /// The price at which `quantity` shares trade when the market shows `reference`.
    pub fn slip(&self, side: Side, reference: Price, quantity: Quantity, liquidity: Liquidity) -> SlippedPrice {
        let (half_spread_bps, impact_bps, floor_bps) = match *self {
            Self::SquareRoot { half_spread_bps, coefficient, floor_bps } => {
                (half_spread_bps.max(Decimal::ZERO), impact_bps(coefficient, quantity, liquidity), floor_bps)
            }
            Self::FixedBps { bps } => (bps.max(Decimal::ZERO), Decimal::ZERO, Decimal::ZERO),
        };
        let total_bps = (half_spread_bps + impact_bps).max(floor_bps).min(MAX_TOTAL_BPS);
        SlippedPrice { price: against(side, reference, total_bps), half_spread_bps, impact_bps, total_bps, held_at_limit: None }
    }
}

impl SlippedPrice {
    /// The same fill for an order with a limit, never worse than the limit; `None` when `reference` itself is worse, so that the
    /// order must not fill at all.
    pub fn within_limit(self, side: Side, reference: Price, limit: Price) -> Option<Self> {
        let worse = |price: Price| match side {
            Side::Buy => price > limit,
            Side::Sell => price < limit,
        };
        if worse(reference) {
            return None;
        }
        Some(if worse(self.price) { Self { price: limit, held_at_limit: Some(limit), ..self } } else { self })
    }
}

/// `coefficient · σ · √(Q / V)` in basis points. A stock that hardly trades counts as if the order were all of a day's volume.
fn impact_bps(coefficient: Decimal, quantity: Quantity, liquidity: Liquidity) -> Decimal {
    let Liquidity { average_daily_volume, daily_volatility } = liquidity;
    let share_of_volume = if quantity.decimal() >= average_daily_volume { Decimal::ONE } else { quantity.decimal() / average_daily_volume };
    let root = share_of_volume.sqrt().unwrap_or(Decimal::ZERO);
    // Volatility beyond 100 % a day has no meaning here and is cut before it can overflow.
    let impact = coefficient.max(Decimal::ZERO) * daily_volatility.clamp(Decimal::ZERO, Decimal::ONE) * root * BPS;
    round_half_up(impact, BPS_PLACES)
}

fn against(side: Side, reference: Price, bps: Decimal) -> Price {
    const LOWEST: Decimal = dec!(0.0001);
    let move_of_price = reference.decimal() * bps / BPS;
    match side {
        Side::Buy => Price::round_up((reference.decimal() + move_of_price).min(Price::MAX)),
        Side::Sell => Price::round_down((reference.decimal() - move_of_price).max(LOWEST)),
    }
    .expect("it is between the lowest price and the highest")
}

#[cfg(test)]
mod tests;

//! What an operator may configure about trading.

use rust_decimal::{Decimal, dec};
use serde::{Deserialize, Serialize};

use crate::{
    Money,
    execution::{FeeSchedule, OutOfRange, RateTable, RiskLimits, SlippageModel, fees::rates},
    lots::LotMethod,
};

/// Everything about trading that is a matter of choice. What a configuration leaves out is as in [`TradingRules::default`]; what it
/// names and nobody knows is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TradingRules {
    /// Paper cash of each new portfolio.
    pub initial_cash: Money,
    /// Which lots a sale closes first; a portfolio keeps the method that it was opened with.
    pub lot_method: LotMethod,
    /// More open orders than this are refused.
    pub max_open_orders: usize,
    /// An order for a stock whose newest price is older than this many sessions says that it waits for a fresh one.
    pub max_price_age_sessions: usize,
    /// A quote of the running session that is older than this fills nothing.
    pub max_quote_age_minutes: u32,
    /// What money earns without risk in a year, as a fraction: what the Sharpe and Sortino ratios count from.
    pub risk_free_rate: Decimal,
    pub fees: FeeSchedule,
    pub slippage: SlippageModel,
    pub limits: RiskLimits,
    /// The regulators' rates: the bundled table, with the rows of the configuration in its place on their days.
    #[serde(rename = "regulatory_rates", deserialize_with = "rates::overrides")]
    pub rates: RateTable,
}

impl Default for TradingRules {
    fn default() -> Self {
        Self {
            initial_cash: Money::dollars(100_000),
            lot_method: LotMethod::default(),
            max_open_orders: 200,
            max_price_age_sessions: 5,
            // Free feeds are fifteen minutes late.
            max_quote_age_minutes: 30,
            risk_free_rate: Decimal::ZERO,
            fees: FeeSchedule::UsRetail,
            slippage: SlippageModel::default(),
            limits: RiskLimits::default(),
            rates: RateTable::bundled().clone(),
        }
    }
}

impl TradingRules {
    /// Refuses values that cannot be meant, by the name that they have in a configuration.
    pub fn validate(&self) -> Result<(), OutOfRange> {
        let cash = Money::dollars(1)..=Money::dollars(1_000_000_000);
        OutOfRange::unless(cash.contains(&self.initial_cash), "initial_cash", self.initial_cash, "1 to 1000000000 dollars")?;
        // A portfolio with its open orders is one item of the store, which has a largest size.
        OutOfRange::unless((1..=300).contains(&self.max_open_orders), "max_open_orders", self.max_open_orders, "1 to 300")?;
        let age = self.max_price_age_sessions;
        OutOfRange::unless(age <= 250, "max_price_age_sessions", age, "0 to 250 sessions")?;
        let age = self.max_quote_age_minutes;
        OutOfRange::unless((1..=1_440).contains(&age), "max_quote_age_minutes", age, "1 to 1440 minutes")?;
        let rate = self.risk_free_rate;
        let rates = Decimal::ZERO..=dec!(0.5);
        OutOfRange::unless(rates.contains(&rate), "risk_free_rate", rate, "a fraction a year from 0 to 0.5, such as 0.04 for 4 %")?;
        self.fees.validate().map_err(|error| error.within("fees"))?;
        self.slippage.validate().map_err(|error| error.within("slippage"))?;
        self.limits.validate().map_err(|error| error.within("limits"))
    }
}

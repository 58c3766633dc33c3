//! What an operator may configure about trading.

use serde::{Deserialize, Serialize};

use crate::{
    Money,
    execution::{FeeSchedule, RateTable, RiskLimits, SlippageModel},
    lots::LotMethod,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradingRules {
    /// Paper cash of each new portfolio.
    pub initial_cash: Money,
    pub fees: FeeSchedule,
    pub rates: RateTable,
    pub slippage: SlippageModel,
    pub limits: RiskLimits,
    /// Which lots a sale closes first.
    pub lot_method: LotMethod,
    /// More open orders than this are refused.
    pub max_open_orders: usize,
    /// Until when a price counts as fresh enough to estimate an order with, in sessions.
    pub max_price_age_sessions: usize,
}

impl Default for TradingRules {
    fn default() -> Self {
        Self {
            initial_cash: Money::dollars(100_000),
            fees: FeeSchedule::UsRetail,
            rates: RateTable::bundled().clone(),
            slippage: SlippageModel::default(),
            limits: RiskLimits::default(),
            lot_method: LotMethod::default(),
            max_open_orders: 200,
            max_price_age_sessions: 5,
        }
    }
}

//! What can happen to a portfolio. Its state is the fold of these and nothing else.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    ActionKind, Money, Price, Quantity, Symbol,
    lots::{LotMethod, Lots},
    order::{Order, OrderId, OrderState},
    trading::fill::Fill,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The portfolio began; its lots are sold by this method for ever.
    Opened { lot_method: LotMethod },
    /// Paper cash came in.
    Deposited { amount: Money },
    /// An order passed all checks and waits for a price.
    OrderAccepted { order: Order },
    /// An open order gave its place to another one, which passed all checks and waits for a price.
    OrderReplaced { order_id: OrderId, order: Order },
    /// An open order could not trade; `reason` says what it waits for.
    OrderWaits { order_id: OrderId, reason: String },
    /// A stop was reached, or a trailing stop's best price moved.
    OrderProgressed { order_id: OrderId, triggered: bool, best_price: Option<Price>, observed_at: Timestamp },
    /// Shares changed hands.
    Filled { fill: Fill },
    /// An order ended without (further) filling.
    OrderClosed { order_id: OrderId, state: OrderState, reason: String },
    /// The position's exit levels were set.
    LevelsSet { symbol: Symbol, target_price: Option<Price>, stop_loss: Option<Price>, notes: Option<String> },
    /// The position at the open of the ex-date earned a dividend.
    DividendEarned {
        symbol: Symbol,
        ex_date: Date,
        pay_date: Option<Date>,
        quantity: Quantity,
        per_share: Decimal,
        amount: Money,
        /// It became known after the session of the ex-date had been seen.
        restated: bool,
    },
    /// What was booked for the dividends of an ex-date differed by `amount` from what `declared` gives on `quantity`.
    DividendAdjusted { symbol: Symbol, ex_date: Date, pay_date: Option<Date>, quantity: Quantity, declared: Vec<ActionKind>, amount: Money },
    /// An earned dividend, or what had to be adjusted of it, was paid.
    DividendPaid { symbol: Symbol, ex_date: Date, amount: Money },
    /// The number of shares changed at the open of the ex-date, the value did not. A fraction of a whole holding is paid in cash.
    Split {
        symbol: Symbol,
        ex_date: Date,
        ratio: Decimal,
        quantity_before: Quantity,
        quantity_after: Quantity,
        fraction_sold: Quantity,
        cash_in_lieu: Money,
        restated: Option<Restated>,
    },
    /// The shares given away by a spin-off, sold at once at the value the price lost; its part of the cost goes with them.
    SpunOff { symbol: Symbol, ex_date: Date, ratio: Decimal, quantity: Quantity, amount: Money, restated: Option<Restated> },
    /// The stock trades under another name: all that the portfolio has of it goes on under that.
    SymbolChanged { symbol: Symbol, ex_date: Date, to: Symbol, restated: bool },
    /// The stock no longer trades: what was held of it was paid out at `per_share`, without slippage and fees.
    Delisted { symbol: Symbol, ex_date: Date, quantity: Quantity, per_share: Decimal, amount: Money, restated: bool },
    /// What all was worth at a session's close.
    Valued { date: Date, equity: Money, cash: Money },
    /// Equity at the close was so far below its peak that buying stops.
    BuyingHalted { date: Date, peak: Money, equity: Money },
    /// Buying goes on; drawdowns count from `peak`.
    BuyingResumed { date: Date, peak: Money, reason: String },
}

/// What an event that became known after its session does to the present: the fills since then stand as they were, and are
/// matched anew with the lots as they would have been. The entry's instant says when it was restated, the ex-date for when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restated {
    /// What the stock is called now.
    pub held_as: Symbol,
    /// What is now held of it.
    pub lots: Lots,
    /// What the sales since then realised besides what was booked.
    pub realized_pnl: Money,
    /// Cash in lieu of fractions; less what was received for shares that were never there.
    pub cash: Money,
    /// By how much the basis of levels and orders changes: the ratio, or what a corrected ratio is of the first one.
    pub basis_change: Decimal,
}

impl Event {
    /// The order that it is about.
    pub fn order_id(&self) -> Option<&OrderId> {
        match self {
            Self::OrderAccepted { order } => Some(&order.id),
            Self::Filled { fill } => Some(&fill.order_id),
            Self::OrderProgressed { order_id, .. } | Self::OrderClosed { order_id, .. } => Some(order_id),
            _ => None,
        }
    }

    /// The entry's type as it stands in the ledger.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "opened",
            Self::Deposited { .. } => "deposited",
            Self::OrderAccepted { .. } => "order_accepted",
            Self::OrderReplaced { .. } => "order_replaced",
            Self::OrderWaits { .. } => "order_waits",
            Self::OrderProgressed { .. } => "order_progressed",
            Self::Filled { .. } => "filled",
            Self::OrderClosed { .. } => "order_closed",
            Self::LevelsSet { .. } => "levels_set",
            Self::DividendEarned { .. } => "dividend_earned",
            Self::DividendAdjusted { .. } => "dividend_adjusted",
            Self::DividendPaid { .. } => "dividend_paid",
            Self::Split { .. } => "split",
            Self::SpunOff { .. } => "spun_off",
            Self::SymbolChanged { .. } => "symbol_changed",
            Self::Delisted { .. } => "delisted",
            Self::Valued { .. } => "valued",
            Self::BuyingHalted { .. } => "buying_halted",
            Self::BuyingResumed { .. } => "buying_resumed",
        }
    }
}

//! Orders: what someone wants traded, how far it has come and why.

use std::fmt;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use crate::execution::Side;
use crate::{Money, Price, Quantity, Symbol, money::AmountError, trading::fill::Fill};

/// Opaque identity of an order, unique within its portfolio.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(pub String);

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// When an order may trade, and at what price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum OrderType {
    /// At the next observed price.
    Market,
    /// At `limit_price` or better.
    Limit { limit_price: Price },
    /// A market order once the price reaches `stop_price`.
    Stop { stop_price: Price },
    /// A limit order once the price reaches `stop_price`.
    StopLimit { stop_price: Price, limit_price: Price },
    /// A stop that follows the best price since the order was placed at a distance of `trail_percent` percent.
    TrailingStop { trail_percent: Decimal },
}

impl OrderType {
    pub fn name(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Limit { .. } => "limit",
            Self::Stop { .. } => "stop",
            Self::StopLimit { .. } => "stop_limit",
            Self::TrailingStop { .. } => "trailing_stop",
        }
    }

    pub fn limit_price(self) -> Option<Price> {
        match self {
            Self::Limit { limit_price } | Self::StopLimit { limit_price, .. } => Some(limit_price),
            _ => None,
        }
    }

    pub fn stop_price(self) -> Option<Price> {
        match self {
            Self::Stop { stop_price } | Self::StopLimit { stop_price, .. } => Some(stop_price),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeInForce {
    /// Until the close of the session it is placed in or, placed outside one, of the next.
    #[default]
    Day,
    /// Until it fills or is cancelled.
    Gtc,
    /// In the next opening auction only.
    Opg,
    /// In the next closing auction only.
    Cls,
}

impl TimeInForce {
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Gtc => "gtc",
            Self::Opg => "opg",
            Self::Cls => "cls",
        }
    }
}

/// How much is wanted: shares, or dollars' worth of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderSize {
    Quantity(Quantity),
    Notional(Money),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Received and not yet checked.
    New,
    /// Checked and waiting for a price.
    Accepted,
    PartiallyFilled,
    Filled,
    Canceled,
    Rejected,
    Expired,
    Replaced,
}

impl OrderState {
    pub const ALL: [Self; 8] =
        [Self::New, Self::Accepted, Self::PartiallyFilled, Self::Filled, Self::Canceled, Self::Rejected, Self::Expired, Self::Replaced];

    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Accepted => "accepted",
            Self::PartiallyFilled => "partially_filled",
            Self::Filled => "filled",
            Self::Canceled => "canceled",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Replaced => "replaced",
        }
    }

    pub fn is_open(self) -> bool {
        matches!(self, Self::New | Self::Accepted | Self::PartiallyFilled)
    }
}

/// What someone asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRequest {
    pub symbol: Symbol,
    pub side: Side,
    #[serde(flatten)]
    pub order_type: OrderType,
    pub size: OrderSize,
    pub time_in_force: TimeInForce,
    /// Becomes the position's target when a buy fills.
    pub take_profit: Option<Price>,
    /// Becomes the position's stop when a buy fills.
    pub stop_loss: Option<Price>,
    /// The position is closed at the market on this session's close, whatever else happens.
    pub exit_on: Option<Date>,
    /// The client's own name for the order, unique within the portfolio.
    pub client_order_id: Option<String>,
    /// The signal that it follows.
    pub signal_id: Option<String>,
}

impl OrderRequest {
    /// A day order at the market.
    pub fn market(symbol: Symbol, side: Side, quantity: Quantity) -> Self {
        Self {
            symbol,
            side,
            order_type: OrderType::Market,
            size: OrderSize::Quantity(quantity),
            time_in_force: TimeInForce::Day,
            take_profit: None,
            stop_loss: None,
            exit_on: None,
            client_order_id: None,
            signal_id: None,
        }
    }
}

/// What is to be different about an open order; what is absent stays as it is, but for the client's name, which is the order's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderChange {
    /// The whole order's shares, what has filled already included (as FIX's `OrderQty`, tag 38, of a replace request).
    pub quantity: Option<Quantity>,
    pub limit_price: Option<Price>,
    pub stop_price: Option<Price>,
    pub trail_percent: Option<Decimal>,
    pub time_in_force: Option<TimeInForce>,
    /// The replacing order's name; without it that order has none.
    pub client_order_id: Option<String>,
}

/// Why an exit order exists without anyone having placed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Placed by the user, through whatever client.
    User,
    /// Placed for the user by the automatic trading of signals.
    Automatic,
    /// The position's stop was reached.
    StopLoss,
    /// The position's target was reached.
    TakeProfit,
    /// The date was reached on which the position was to be closed.
    TimeExit,
}

/// An order and all that happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub id: OrderId,
    #[serde(flatten)]
    pub request: OrderRequest,
    pub origin: Origin,
    /// Market time. Only prices observed after it can fill the order.
    pub placed_at: Timestamp,
    /// Last session in which it can fill; `None` for good-till-cancelled.
    pub expires_on: Option<Date>,
    pub state: OrderState,
    /// Why it is in this state, for a person to read.
    pub reason: String,
    /// The order whose place it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<OrderId>,
    /// The order that took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<OrderId>,
    /// A stop that was reached stays reached.
    pub triggered: bool,
    /// Best price since placement, for a trailing stop.
    pub best_price: Option<Price>,
    /// When the price was observed that last triggered the order or moved its best price.
    pub progressed_at: Option<Timestamp>,
    pub fills: Vec<Fill>,
    pub updated_at: Timestamp,
}

impl Order {
    pub fn filled_quantity(&self) -> Quantity {
        self.fills.iter().map(|fill| fill.quantity).sum()
    }

    /// Volume-weighted price of what has filled.
    pub fn average_price(&self) -> Option<Decimal> {
        self.fills.iter().map(Fill::notional).sum::<Money>().per(self.filled_quantity())
    }

    /// What is still wanted, where the size is known before filling.
    pub fn remaining(&self) -> Option<Quantity> {
        match self.request.size {
            OrderSize::Quantity(quantity) => quantity.checked_sub(self.filled_quantity()),
            OrderSize::Notional(_) => None,
        }
    }

    /// Whether the order has taken part in a price that was observed after `instant`: then it must not go back to that instant's.
    pub fn has_seen_beyond(&self, instant: Timestamp) -> bool {
        self.progressed_at.into_iter().chain(self.fills.last().map(|fill| fill.executed_at)).any(|seen| seen > instant)
    }

    /// Moves sizes and levels to the share basis after a split: `ratio` shares for each old one. What has filled stays as it was
    /// recorded, so that the remaining quantity is what counts from here. A level that no price can have any more is held at the
    /// lowest or highest there is.
    pub(crate) fn rebase(&mut self, ratio: Decimal) -> Result<(), AmountError> {
        let price = |price: Price| {
            let rebased = price.decimal().checked_div(ratio).unwrap_or(Price::MAX);
            Price::round(rebased.clamp(Price::MIN, Price::MAX))
        };
        let filled = self.filled_quantity();
        if let OrderSize::Quantity(quantity) = self.request.size {
            let remaining = quantity.checked_sub(filled).unwrap_or(Quantity::ZERO);
            let most = Quantity::MAX - filled.decimal();
            let rebased = Quantity::floor(remaining.decimal().checked_mul(ratio).unwrap_or(most).min(most))?;
            let rebased = if quantity.is_whole() { rebased.whole() } else { rebased };
            self.request.size = OrderSize::Quantity(filled + rebased);
        }
        self.request.order_type = match self.request.order_type {
            OrderType::Limit { limit_price } => OrderType::Limit { limit_price: price(limit_price)? },
            OrderType::Stop { stop_price } => OrderType::Stop { stop_price: price(stop_price)? },
            OrderType::StopLimit { stop_price, limit_price } => {
                OrderType::StopLimit { stop_price: price(stop_price)?, limit_price: price(limit_price)? }
            }
            unchanged @ (OrderType::Market | OrderType::TrailingStop { .. }) => unchanged,
        };
        for level in [&mut self.request.take_profit, &mut self.request.stop_loss, &mut self.best_price] {
            *level = level.map(price).transpose()?;
        }
        Ok(())
    }

    pub fn filled_on(&self, date: Date) -> Quantity {
        self.fills.iter().filter(|fill| crate::calendar::new_york_date(fill.executed_at) == date).map(|fill| fill.quantity).sum()
    }
}

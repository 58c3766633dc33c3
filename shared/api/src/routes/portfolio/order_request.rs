//! Orders as clients ask for them.

use domain::{
    Symbol,
    execution::Side,
    order::{OrderChange, OrderRequest, OrderSize, OrderType, TimeInForce},
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    extract::given,
    number::{Dollars, SharePrice, Shares, TrailPercent},
    problem::{FieldError, Problem},
    routes::vocabulary::TimeInForceName,
};

/// What to trade: either `quantity` or `notional`, and the prices that the type needs. How the document shows it is in
/// [`super::order_schema`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderRequestBody {
    symbol: Symbol,
    side: Side,
    r#type: Kind,
    /// Shares; above zero. Fractions trade only as market orders for the day.
    quantity: Option<Shares>,
    /// Dollars' worth of shares instead; only as a market order for the day.
    notional: Option<Dollars>,
    /// Needed by `limit` and `stop_limit`.
    limit_price: Option<SharePrice>,
    /// Needed by `stop` and `stop_limit`.
    stop_price: Option<SharePrice>,
    /// Needed by `trailing_stop`.
    trail_percent: Option<TrailPercent>,
    #[serde(default)]
    time_in_force: TimeInForce,
    /// Becomes the position's target when the purchase fills.
    take_profit: Option<SharePrice>,
    /// Becomes the position's stop when the purchase fills.
    stop_loss: Option<SharePrice>,
    client_order_id: Option<String>,
}

/// What is to be different about an open order; what is left out stays as it is.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrderChange, min_properties = 1, example = json!({ "quantity": 15 }))]
pub(super) struct OrderChangeBody {
    /// Shares of the whole order, what has filled already included.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    quantity: Option<Shares>,
    /// Only of `limit` and `stop_limit` orders.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    limit_price: Option<SharePrice>,
    /// Only of `stop` and `stop_limit` orders.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    stop_price: Option<SharePrice>,
    /// Only of `trailing_stop` orders.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    trail_percent: Option<TrailPercent>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<TimeInForceName>, nullable = false)]
    time_in_force: Option<TimeInForce>,
    /// Your own name for the replacing order; the replaced one keeps its own. The same again gives the first replacement.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, pattern = "^[!-~]{1,128}$")]
    client_order_id: Option<String>,
}

impl OrderChangeBody {
    pub(super) fn change(self) -> Result<OrderChange, Problem> {
        let change = OrderChange {
            quantity: self.quantity.map(|shares| shares.0),
            limit_price: self.limit_price.map(|price| price.0),
            stop_price: self.stop_price.map(|price| price.0),
            trail_percent: self.trail_percent.map(|number| number.0),
            time_in_force: self.time_in_force,
            client_order_id: self.client_order_id,
        };
        let mut errors = Vec::new();
        check_client_order_id(change.client_order_id.as_deref(), &mut errors);
        if change == OrderChange::default() {
            errors.push(FieldError::new("quantity", "nothing is to be changed; give at least one field"));
        }
        if errors.is_empty() { Ok(change) } else { Err(Problem::invalid_inputs(errors)) }
    }
}

fn check_client_order_id(id: Option<&str>, errors: &mut Vec<FieldError>) {
    if id.is_some_and(|id| !(1..=128).contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_graphic())) {
        errors.push(FieldError::new("client_order_id", "must be 1 to 128 visible ASCII characters"));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Market,
    Limit,
    Stop,
    StopLimit,
    TrailingStop,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Limit => "limit",
            Self::Stop => "stop",
            Self::StopLimit => "stop_limit",
            Self::TrailingStop => "trailing_stop",
        }
    }
}

impl OrderRequestBody {
    /// The order that is meant, or everything that contradicts itself.
    pub(super) fn order(self) -> Result<OrderRequest, Problem> {
        let mut errors = Vec::new();
        let size = self.size(&mut errors);
        let order_type = self.order_type(&mut errors);
        check_client_order_id(self.client_order_id.as_deref(), &mut errors);
        match (size, order_type) {
            (Some(size), Some(order_type)) if errors.is_empty() => Ok(OrderRequest {
                symbol: self.symbol,
                side: self.side,
                order_type,
                size,
                time_in_force: self.time_in_force,
                take_profit: self.take_profit.map(|price| price.0),
                stop_loss: self.stop_loss.map(|price| price.0),
                exit_on: None,
                client_order_id: self.client_order_id,
                signal_id: None,
            }),
            _ => Err(Problem::invalid_inputs(errors)),
        }
    }

    fn size(&self, errors: &mut Vec<FieldError>) -> Option<OrderSize> {
        match (self.quantity, self.notional) {
            (Some(Shares(quantity)), None) if !quantity.is_zero() => Some(OrderSize::Quantity(quantity)),
            (None, Some(Dollars(amount))) if amount > domain::Money::ZERO => Some(OrderSize::Notional(amount)),
            (Some(_), None) => refuse(errors, "quantity", "must be above zero"),
            (None, Some(_)) => refuse(errors, "notional", "must be above zero"),
            (Some(_), Some(_)) => refuse(errors, "notional", "is given beside quantity; give one of them"),
            (None, None) => refuse(errors, "quantity", "is required, or notional"),
        }
    }

    fn order_type(&self, errors: &mut Vec<FieldError>) -> Option<OrderType> {
        let limit = price(self, errors, "limit_price", self.limit_price, &[Kind::Limit, Kind::StopLimit]);
        let stop = price(self, errors, "stop_price", self.stop_price, &[Kind::Stop, Kind::StopLimit]);
        let trail = price(self, errors, "trail_percent", self.trail_percent, &[Kind::TrailingStop]);
        match self.r#type {
            Kind::Market => Some(OrderType::Market),
            Kind::Limit => Some(OrderType::Limit { limit_price: limit?.0 }),
            Kind::Stop => Some(OrderType::Stop { stop_price: stop?.0 }),
            Kind::StopLimit => Some(OrderType::StopLimit { stop_price: stop?.0, limit_price: limit?.0 }),
            Kind::TrailingStop => Some(OrderType::TrailingStop { trail_percent: trail?.0 }),
        }
    }
}

/// A price that the types in `needed_by` must have and the others must not.
fn price<T>(order: &OrderRequestBody, errors: &mut Vec<FieldError>, field: &str, value: Option<T>, needed_by: &[Kind]) -> Option<T> {
    match (value, needed_by.contains(&order.r#type)) {
        (value @ Some(_), true) => value,
        (None, true) => refuse(errors, field, &format!("is required by a {} order", order.r#type.name())),
        (Some(_), false) => refuse(errors, field, &format!("has no meaning in a {} order", order.r#type.name())),
        (None, false) => None,
    }
}

fn refuse<T>(errors: &mut Vec<FieldError>, field: &str, detail: &str) -> Option<T> {
    errors.push(FieldError::new(field, detail));
    None
}

/// Opens a position or adds to it: a limit order when a price is given, else a market order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PositionRequest {
    symbol: Symbol,
    quantity: Shares,
    price: Option<SharePrice>,
}

impl PositionRequest {
    pub(super) fn order(self) -> Result<OrderRequest, Problem> {
        if self.quantity.0.is_zero() {
            return Err(Problem::invalid("quantity", "must be above zero"));
        }
        let order_type = self.price.map_or(OrderType::Market, |price| OrderType::Limit { limit_price: price.0 });
        Ok(OrderRequest { order_type, ..OrderRequest::market(self.symbol, Side::Buy, self.quantity.0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_that_contradict_themselves_are_refused_with_every_field() {
        let pointers = |rest: &str| -> Vec<String> {
            let body: OrderRequestBody = serde_json::from_str(&format!(r#"{{"symbol":"AAPL","side":"buy",{rest}}}"#)).unwrap();
            match body.order() {
                Ok(_) => vec![],
                Err(problem) => problem.errors().iter().map(|error| error.pointer.clone()).collect(),
            }
        };
        for (rest, expected) in [
            (r#""type":"market","quantity":1"#, &[][..]),
            (r#""type":"market","notional":100.5"#, &[]),
            (r#""type":"limit","quantity":1,"limit_price":10"#, &[]),
            (r#""type":"stop_limit","quantity":1,"limit_price":10,"stop_price":9"#, &[]),
            (r#""type":"trailing_stop","quantity":1,"trail_percent":5,"time_in_force":"gtc","client_order_id":"a-1""#, &[]),
            (r#""type":"market""#, &["/quantity"]),
            (r#""type":"market","quantity":0"#, &["/quantity"]),
            (r#""type":"market","notional":-5"#, &["/notional"]),
            (r#""type":"market","quantity":1,"notional":5"#, &["/notional"]),
            (r#""type":"market","quantity":1,"limit_price":5"#, &["/limit_price"]),
            (r#""type":"limit","quantity":1"#, &["/limit_price"]),
            (r#""type":"stop_limit""#, &["/quantity", "/limit_price", "/stop_price"]),
            (r#""type":"trailing_stop","quantity":1,"stop_price":5"#, &["/stop_price", "/trail_percent"]),
            (r#""type":"market","quantity":1,"client_order_id":"a b""#, &["/client_order_id"]),
        ] {
            assert_eq!(pointers(rest), expected, "{rest}");
        }
    }
}

//! The shapes that orders may have, as the document tells them: each kind with the sizes and prices that have a meaning in it.
//! [`super::order_request`] reads them, and refuses what they do not allow with the names of the fields.

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::order_request::{OrderRequestBody, PositionRequest};
use crate::{
    number::{Dollars, SharePrice, Shares, TrailPercent},
    routes::vocabulary::{SideName, SymbolName, TimeInForceName},
};

/// A form in the document. The fields that have no meaning in it are not named: null, which is taken there for absent, is nothing to
/// write, and generators of clients stumble over properties that can only be null.
struct Form {
    name: &'static str,
    description: &'static str,
    kind: &'static str,
    /// The size and the prices, each with an example.
    needs: Vec<(&'static str, Value, Value)>,
    /// Words that `time_in_force` may have, and whether it must be given.
    time_in_force: Option<&'static [&'static str]>,
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn or_null(schema: &Value) -> Value {
    json!({ "oneOf": [schema, { "type": "null" }] })
}

/// An amount of which zero is none.
fn positive<T: PartialSchema>() -> Value {
    let mut schema = serde_json::to_value(T::schema()).expect("a schema is JSON");
    let bounds = schema.as_object_mut().expect("an amount is described by an object");
    bounds.remove("minimum");
    bounds.insert("exclusiveMinimum".into(), 0.into());
    schema
}

/// Fractions trade only as market orders for the day.
fn whole_shares() -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": 1_000_000_000, "description": "Whole shares", "examples": [10] })
}

fn forms() -> Vec<Form> {
    let price = || reference("SharePrice");
    let limit = ("limit_price", price(), json!(169.5));
    let stop = ("stop_price", price(), json!(169));
    let whole = || ("quantity", whole_shares(), json!(10));
    let form = |name, kind, description, needs| Form { name, kind, description, needs, time_in_force: None };
    let (shares, dollars) = (positive::<Shares>(), positive::<Dollars>());
    vec![
        Form {
            time_in_force: Some(&["day"]),
            ..form("MarketOrder", "market", "Trades at the next price; fractions of shares too.", vec![("quantity", shares, json!(2.5))])
        },
        Form {
            time_in_force: Some(&["day"]),
            ..form(
                "NotionalOrder",
                "market",
                "As many dollars' worth of shares, at the next price.",
                vec![("notional", dollars, json!(1000))],
            )
        },
        Form {
            time_in_force: Some(&["gtc", "opg", "cls"]),
            ..form("TimedMarketOrder", "market", "Whole shares at the price of a later time.", vec![whole()])
        },
        form("LimitOrder", "limit", "Trades at the limit or better.", vec![whole(), limit.clone()]),
        form("StopOrder", "stop", "A market order once the stop is reached.", vec![whole(), stop.clone()]),
        form("StopLimitOrder", "stop_limit", "A limit order once the stop is reached.", vec![whole(), stop, limit]),
        form(
            "TrailingStopOrder",
            "trailing_stop",
            "A stop that follows the best price at a distance.",
            vec![whole(), ("trail_percent", reference("TrailPercent"), json!(5))],
        ),
    ]
}

impl Form {
    fn schema(&self) -> Value {
        let mut required = vec!["symbol", "side", "type"];
        let mut properties = Map::new();
        properties.insert("symbol".into(), reference("SymbolName"));
        properties.insert("side".into(), reference("SideName"));
        properties.insert("type".into(), json!({ "type": "string", "enum": [self.kind] }));
        for (field, schema, _) in &self.needs {
            required.push(field);
            properties.insert((*field).into(), schema.clone());
        }
        let words = match self.time_in_force {
            None => reference("TimeInForceName"),
            Some(["day"]) => json!({ "type": "string", "enum": ["day"], "description": "Unless said otherwise." }),
            Some(words) => {
                required.push("time_in_force");
                json!({ "type": "string", "enum": words })
            }
        };
        properties.insert("time_in_force".into(), words);
        for (field, meaning) in [("take_profit", "target"), ("stop_loss", "stop")] {
            let description = format!("Becomes the position's {meaning} when the purchase fills.");
            let mut schema = or_null(&reference("SharePrice"));
            schema["description"] = description.into();
            properties.insert(field.into(), schema);
        }
        properties.insert("client_order_id".into(), client_order_id());
        json!({
            "type": "object",
            "title": self.name,
            "description": self.description,
            "required": required,
            "properties": properties,
            "additionalProperties": false,
            "examples": [self.example()],
        })
    }

    /// Every form has its own: readers of the document merge that of a choice into each of its forms.
    fn example(&self) -> Value {
        let mut order = json!({ "symbol": "AAPL", "side": "buy", "type": self.kind });
        for (field, _, example) in &self.needs {
            order[*field] = example.clone();
        }
        if let Some([word, ..]) = self.time_in_force {
            order["time_in_force"] = (*word).into();
        }
        order
    }
}

/// What `order_request::check_client_order_id` wants.
fn client_order_id() -> Value {
    json!({
        "type": ["string", "null"],
        "description": "Your own name for the order, unique within the portfolio: the same again gives the first order.",
        "pattern": "^[!-~]{1,128}$",
    })
}

fn schema(document: Value) -> RefOr<Schema> {
    RefOr::T(serde_json::from_value(document).expect("a schema is written as one"))
}

impl PartialSchema for OrderRequestBody {
    fn schema() -> RefOr<Schema> {
        schema(json!({
            "oneOf": forms().iter().map(|form| reference(form.name)).collect::<Vec<_>>(),
            "description": "What to trade: shares or dollars, and the prices that the type needs.",
        }))
    }
}

impl ToSchema for OrderRequestBody {
    fn name() -> Cow<'static, str> {
        "OrderRequest".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.extend(forms().iter().map(|form| (form.name.to_owned(), schema(form.schema()))));
        schemas.extend([
            (SymbolName::name().into(), SymbolName::schema()),
            (SideName::name().into(), SideName::schema()),
            (TimeInForceName::name().into(), TimeInForceName::schema()),
            (Dollars::name().into(), Dollars::schema()),
            (Shares::name().into(), Shares::schema()),
            (SharePrice::name().into(), SharePrice::schema()),
            (TrailPercent::name().into(), TrailPercent::schema()),
        ]);
    }
}

impl PartialSchema for PositionRequest {
    fn schema() -> RefOr<Schema> {
        let form = |title: &str, quantity: Value, price: Option<Value>| {
            let mut properties = json!({ "symbol": reference("SymbolName"), "quantity": quantity });
            let mut required = vec!["symbol", "quantity"];
            let mut example = json!({ "symbol": "AAPL", "quantity": 10 });
            if let Some(price) = price {
                properties["price"] = price;
                required.push("price");
                example["price"] = json!(169.5);
            }
            json!({
                "type": "object",
                "title": title,
                "required": required,
                "properties": properties,
                "additionalProperties": false,
                "examples": [example],
            })
        };
        schema(json!({
            "oneOf": [
                form("At the market", positive::<Shares>(), None),
                form("At a limit", whole_shares(), Some(reference("SharePrice"))),
            ],
            "description": "Opens a position or adds to it: a limit order when a price is given, else a market order.",
        }))
    }
}

impl ToSchema for PositionRequest {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        OrderRequestBody::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_the_forms_as_they_are_written_here() {
        let mut schemas = Vec::new();
        OrderRequestBody::schemas(&mut schemas);
        for form in forms() {
            let (_, stored) = schemas.iter().find(|(name, _)| name == form.name).unwrap();
            assert_eq!(serde_json::to_value(stored).unwrap(), form.schema(), "{}", form.name);
        }
    }

    #[test]
    fn every_example_is_an_order_of_its_form() {
        for form in forms() {
            let order: OrderRequestBody = serde_json::from_value(form.example()).unwrap();
            let order = order.order().unwrap_or_else(|problem| panic!("{}: {problem:?}", form.name));
            assert_eq!(serde_json::to_value(order.order_type).unwrap()["type"], form.kind, "{}", form.name);
        }
    }
}

//! Conditions and updates. Names and values go through placeholders only: `DynamoDB` reserves hundreds of words, and what a user
//! wrote must never become a part of an expression.

use std::{
    collections::HashMap,
    fmt::{Display, Write},
};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Serialize;

use super::{
    Key,
    item::{EXPIRES_AT, FORMAT, VERSION, epoch_seconds, instant_text, json_text},
};

/// What placeholders stand for.
type Names = HashMap<String, String>;
type Values = HashMap<String, AttributeValue>;

/// The names and values of the expressions of one request.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Placeholders {
    names: Vec<String>,
    values: Vec<AttributeValue>,
}

impl Placeholders {
    pub(super) fn name(&mut self, name: &str) -> String {
        let position = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.into());
            self.names.len() - 1
        });
        format!("#n{position}")
    }

    pub(super) fn value(&mut self, value: AttributeValue) -> String {
        self.values.push(value);
        format!(":v{}", self.values.len() - 1)
    }

    /// `None` where there are none: the service refuses empty maps.
    pub(super) fn into_maps(self) -> (Option<Names>, Option<Values>) {
        let names: HashMap<_, _> = self.names.into_iter().enumerate().map(|(i, name)| (format!("#n{i}"), name)).collect();
        let values: HashMap<_, _> = self.values.into_iter().enumerate().map(|(i, value)| (format!(":v{i}"), value)).collect();
        ((!names.is_empty()).then_some(names), (!values.is_empty()).then_some(values))
    }
}

/// A value to compare with or to set.
#[derive(Debug, Clone, PartialEq)]
pub struct Value(pub(super) AttributeValue);

impl Value {
    pub fn text(value: impl Into<String>) -> Self {
        Self(AttributeValue::S(value.into()))
    }

    #[allow(clippy::needless_pass_by_value, reason = "a number is cheap to copy, and reads better without a reference")]
    pub fn number(value: impl Display) -> Self {
        Self(AttributeValue::N(value.to_string()))
    }

    pub fn flag(value: bool) -> Self {
        Self(AttributeValue::Bool(value))
    }

    pub fn instant(value: Timestamp) -> Self {
        Self::text(instant_text(value))
    }

    pub fn json(value: &impl Serialize) -> Self {
        Self::text(json_text(value))
    }
}

/// What must hold of the stored item for a write to happen.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition(Clause);

#[derive(Debug, Clone, PartialEq)]
enum Clause {
    Present(String),
    Absent(String),
    Compare(String, &'static str, Value),
    All(Vec<Clause>),
    Any(Vec<Clause>),
}

impl Condition {
    /// There is no item with this key.
    pub fn no_item() -> Self {
        Self::absent("pk")
    }

    /// There is an item with this key.
    pub fn item_exists() -> Self {
        Self::present("pk")
    }

    pub fn present(name: &str) -> Self {
        Self(Clause::Present(name.into()))
    }

    pub fn absent(name: &str) -> Self {
        Self(Clause::Absent(name.into()))
    }

    pub fn equal(name: &str, value: Value) -> Self {
        Self(Clause::Compare(name.into(), "=", value))
    }

    pub fn less(name: &str, value: Value) -> Self {
        Self(Clause::Compare(name.into(), "<", value))
    }

    pub fn at_most(name: &str, value: Value) -> Self {
        Self(Clause::Compare(name.into(), "<=", value))
    }

    pub fn greater(name: &str, value: Value) -> Self {
        Self(Clause::Compare(name.into(), ">", value))
    }

    pub fn at_least(name: &str, value: Value) -> Self {
        Self(Clause::Compare(name.into(), ">=", value))
    }

    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(Clause::All(vec![self.0, other.0]))
    }

    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(Clause::Any(vec![self.0, other.0]))
    }

    pub(super) fn render(self, placeholders: &mut Placeholders) -> String {
        self.0.render(placeholders)
    }
}

impl Clause {
    fn render(self, placeholders: &mut Placeholders) -> String {
        match self {
            Self::Present(name) => format!("attribute_exists({})", placeholders.name(&name)),
            Self::Absent(name) => format!("attribute_not_exists({})", placeholders.name(&name)),
            Self::Compare(name, operator, value) => format!("{} {operator} {}", placeholders.name(&name), placeholders.value(value.0)),
            Self::All(parts) => Self::join(parts, " AND ", placeholders),
            Self::Any(parts) => Self::join(parts, " OR ", placeholders),
        }
    }

    fn join(parts: Vec<Self>, operator: &str, placeholders: &mut Placeholders) -> String {
        let parts: Vec<String> = parts.into_iter().map(|part| format!("({})", part.render(placeholders))).collect();
        parts.join(operator)
    }
}

/// Changes some attributes of an item, which is made if there is none unless a condition says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    pub(super) key: Key,
    sets: Vec<(String, Set)>,
    removes: Vec<String>,
    condition: Option<Condition>,
}

#[derive(Debug, Clone, PartialEq)]
enum Set {
    To(Value),
    IfAbsent(Value),
    /// Counts from zero where the attribute is absent.
    Plus(i64),
}

impl Update {
    pub fn new(key: Key) -> Self {
        Self { key, sets: Vec::new(), removes: Vec::new(), condition: None }
    }

    /// Of an item that may not be there yet: it then comes to be in the newest format.
    pub fn upsert(key: Key) -> Self {
        Self::new(key).set_if_absent(VERSION, Value::number(FORMAT))
    }

    #[must_use]
    pub fn set(mut self, name: &str, value: Value) -> Self {
        self.sets.push((name.into(), Set::To(value)));
        self
    }

    /// Keeps what the attribute has.
    #[must_use]
    pub fn set_if_absent(mut self, name: &str, value: Value) -> Self {
        self.sets.push((name.into(), Set::IfAbsent(value)));
        self
    }

    #[must_use]
    pub fn add(mut self, name: &str, amount: i64) -> Self {
        self.sets.push((name.into(), Set::Plus(amount)));
        self
    }

    #[must_use]
    pub fn remove(mut self, name: &str) -> Self {
        self.removes.push(name.into());
        self
    }

    #[must_use]
    pub fn expires_at(self, at: Timestamp) -> Self {
        self.set(EXPIRES_AT, Value::number(epoch_seconds(at)))
    }

    #[must_use]
    pub fn when(mut self, condition: Condition) -> Self {
        self.condition = Some(match self.condition {
            Some(before) => before.and(condition),
            None => condition,
        });
        self
    }

    /// The update expression and, if any, the condition expression.
    pub(super) fn render(self, placeholders: &mut Placeholders) -> (String, Option<String>) {
        let mut sets = Vec::new();
        for (name, set) in self.sets {
            let name = placeholders.name(&name);
            sets.push(match set {
                Set::To(value) => format!("{name} = {}", placeholders.value(value.0)),
                Set::IfAbsent(value) => format!("{name} = if_not_exists({name}, {})", placeholders.value(value.0)),
                Set::Plus(amount) => {
                    let zero = placeholders.value(Value::number(0).0);
                    format!("{name} = if_not_exists({name}, {zero}) + {}", placeholders.value(Value::number(amount).0))
                }
            });
        }
        let mut text = String::new();
        if !sets.is_empty() {
            let _ = write!(text, "SET {}", sets.join(", "));
        }
        if !self.removes.is_empty() {
            let names: Vec<String> = self.removes.iter().map(|name| placeholders.name(name)).collect();
            let _ = write!(text, " REMOVE {}", names.join(", "));
        }
        let condition = self.condition.map(|condition| condition.render(placeholders));
        (text.trim_start().to_owned(), condition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_placeholders_reaches_an_expression() {
        let update = Update::new(Key::new("A", "B"))
            .set("name", Value::text("x = :y"))
            .add("count", 1)
            .set_if_absent("made", Value::number(5))
            .remove("old")
            .when(Condition::item_exists().and(Condition::at_most("count", Value::number(4)).or(Condition::absent("count"))));
        let mut placeholders = Placeholders::default();
        let (text, condition) = update.render(&mut placeholders);
        assert_eq!(text, "SET #n0 = :v0, #n1 = if_not_exists(#n1, :v1) + :v2, #n2 = if_not_exists(#n2, :v3) REMOVE #n3");
        assert_eq!(condition.unwrap(), "(attribute_exists(#n4)) AND ((#n1 <= :v4) OR (attribute_not_exists(#n1)))");
        let (names, values) = placeholders.into_maps();
        assert_eq!(names.unwrap()["#n1"], "count");
        assert_eq!(values.unwrap()[":v0"], AttributeValue::S("x = :y".into()));
    }
}

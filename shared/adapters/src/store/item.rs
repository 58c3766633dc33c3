//! Items: keys and typed attributes.

use std::{collections::HashMap, fmt, str::FromStr};

use app::ports::{StoreError, check_format};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use super::error::damaged;

/// The attribute of an aggregate's JSON text.
const DOC: &str = "doc";
/// The attribute of the format version.
pub(super) const VERSION: &str = "v";
/// The newest format of stored items, which everything is written in. Raised by a change that programs of today would misunderstand;
/// readers of the kinds that changed then tell older items by their [`version`](Item::version), of which `tests/fixtures/stored` has one
/// each.
pub(super) const FORMAT: u32 = 1;
/// The attribute that `DynamoDB`'s time-to-live deletes by.
pub(super) const EXPIRES_AT: &str = "expires_at";

/// Where an item is: partition and, within it, sort key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub pk: String,
    pub sk: String,
}

impl Key {
    pub fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    pub(super) fn attributes(&self) -> HashMap<String, AttributeValue> {
        HashMap::from([("pk".into(), AttributeValue::S(self.pk.clone())), ("sk".into(), AttributeValue::S(self.sk.clone()))])
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.pk, self.sk)
    }
}

/// An item to write, or one that was read. Reading names what is missing or of another type as [`StoreError::Damaged`].
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    key: Key,
    attributes: HashMap<String, AttributeValue>,
}

impl Item {
    /// An item in the newest format, to be filled.
    pub fn new(key: Key) -> Self {
        let attributes = key.attributes();
        Self { key, attributes }.number(VERSION, FORMAT)
    }

    #[must_use]
    pub fn text(self, name: &str, value: impl Into<String>) -> Self {
        self.with(name, AttributeValue::S(value.into()))
    }

    /// Any integer or decimal of up to 38 digits.
    #[must_use]
    #[allow(clippy::needless_pass_by_value, reason = "a number is cheap to copy, and reads better without a reference")]
    pub fn number(self, name: &str, value: impl fmt::Display) -> Self {
        self.with(name, AttributeValue::N(value.to_string()))
    }

    #[must_use]
    pub fn flag(self, name: &str, value: bool) -> Self {
        self.with(name, AttributeValue::Bool(value))
    }

    /// An instant to the nanosecond, as a text that sorts by time.
    #[must_use]
    pub fn instant(self, name: &str, value: Timestamp) -> Self {
        self.text(name, instant_text(value))
    }

    #[must_use]
    pub fn maybe<T>(self, value: Option<T>, put: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            Some(value) => put(self, value),
            None => self,
        }
    }

    /// The rest of an aggregate as JSON.
    #[must_use]
    pub fn doc(self, value: &impl Serialize) -> Self {
        self.json(DOC, value)
    }

    /// Any value as JSON text.
    #[must_use]
    pub fn json(self, name: &str, value: &impl Serialize) -> Self {
        self.text(name, json_text(value))
    }

    /// When time-to-live may delete it. Deletion comes late: readers compare the instant themselves.
    #[must_use]
    pub fn expires_at(self, at: Timestamp) -> Self {
        self.number(EXPIRES_AT, epoch_seconds(at))
    }

    /// Where the item is found in the index over kinds ([`super::tables`]).
    #[must_use]
    pub fn kind(self, kind: impl Into<String>, order: impl Into<String>) -> Self {
        self.text("gsi_pk", kind).text("gsi_sk", order)
    }

    fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.attributes.insert(name.into(), value);
        self
    }

    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The format version the item was written in.
    pub fn version(&self) -> Result<u32, StoreError> {
        self.get_number(VERSION)
    }

    pub fn has(&self, name: &str) -> bool {
        self.attributes.contains_key(name)
    }

    pub fn get_text(&self, name: &str) -> Result<&str, StoreError> {
        match self.attributes.get(name) {
            Some(AttributeValue::S(text)) => Ok(text),
            other => Err(self.unexpected(name, "a text", other)),
        }
    }

    /// A text read as a value of its own type.
    pub fn get_parsed<T: FromStr<Err: fmt::Display>>(&self, name: &str) -> Result<T, StoreError> {
        self.get_text(name)?.parse().map_err(|error: T::Err| damaged(&self.key, format!("`{name}`: {error}")))
    }

    pub fn get_number<T: FromStr>(&self, name: &str) -> Result<T, StoreError> {
        match self.attributes.get(name) {
            Some(AttributeValue::N(number)) => {
                number.parse().map_err(|_| damaged(&self.key, format!("`{name}` is {number}, which is out of range")))
            }
            other => Err(self.unexpected(name, "a number", other)),
        }
    }

    pub fn get_flag(&self, name: &str) -> Result<bool, StoreError> {
        match self.attributes.get(name) {
            Some(AttributeValue::Bool(flag)) => Ok(*flag),
            other => Err(self.unexpected(name, "true or false", other)),
        }
    }

    pub fn get_instant(&self, name: &str) -> Result<Timestamp, StoreError> {
        self.get_parsed(name)
    }

    /// As the getter it is given, or `None` where the attribute is absent.
    pub fn get_maybe<'a, T>(
        &'a self,
        name: &str,
        get: impl FnOnce(&'a Self, &str) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        if self.has(name) { get(self, name).map(Some) } else { Ok(None) }
    }

    pub fn get_doc<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        self.get_json(DOC)
    }

    pub fn get_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, StoreError> {
        serde_json::from_str(self.get_text(name)?).map_err(|error| damaged(&self.key, format!("`{name}`: {error}")))
    }

    /// Whether time-to-live should have deleted it by `now`.
    pub fn is_expired(&self, now: Timestamp) -> Result<bool, StoreError> {
        let expires_at: Option<i64> = self.get_maybe(EXPIRES_AT, Self::get_number)?;
        Ok(expires_at.is_some_and(|at| at <= now.as_second()))
    }

    fn unexpected(&self, name: &str, expected: &str, found: Option<&AttributeValue>) -> StoreError {
        let found = if found.is_some() { "is not" } else { "is missing, not" };
        damaged(&self.key, format!("`{name}` {found} {expected}"))
    }

    pub(super) fn into_attributes(self) -> HashMap<String, AttributeValue> {
        self.attributes
    }

    pub(super) fn from_attributes(attributes: HashMap<String, AttributeValue>) -> Result<Self, StoreError> {
        let part = |name: &str| match attributes.get(name) {
            Some(AttributeValue::S(text)) => Ok(text.clone()),
            _ => Err(StoreError::Damaged { item: "an item".into(), reason: format!("its key `{name}` is not a text") }),
        };
        let item = Self { key: Key { pk: part("pk")?, sk: part("sk")? }, attributes };
        // Only projections, of parts that need no understanding, come without it.
        if item.has(VERSION) {
            check_format(item.version()?, FORMAT).map_err(|reason| damaged(&item.key, reason))?;
        }
        Ok(item)
    }
}

/// Fixed width, so that texts sort as instants do: `2022-01-03T15:00:00.000000000Z`.
pub fn instant_text(instant: Timestamp) -> String {
    format!("{instant:.9}")
}

/// Rounded up: nothing is deleted before its time.
pub fn epoch_seconds(instant: Timestamp) -> i64 {
    instant.as_second() + i64::from(instant.subsec_nanosecond() > 0)
}

pub(super) fn json_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("stored aggregates have text keys only")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_come_back_as_they_went_in() {
        let now: Timestamp = "2022-01-03T15:00:00.25Z".parse().unwrap();
        let item = Item::new(Key::new("A", "B"))
            .text("name", "Ann")
            .number("count", 7)
            .flag("good", true)
            .instant("at", now)
            .doc(&vec![1, 2])
            .expires_at(now)
            .maybe(None::<&str>, |item, value| item.text("absent", value));
        let read = Item::from_attributes(item.clone().into_attributes()).unwrap();
        assert_eq!(read, item);
        assert_eq!((read.version(), read.get_text("name"), read.get_number("count")), (Ok(FORMAT), Ok("Ann"), Ok(7_u8)));
        assert_eq!((read.get_flag("good"), read.get_instant("at"), read.get_doc()), (Ok(true), Ok(now), Ok(vec![1, 2])));
        assert_eq!(read.get_maybe("absent", Item::get_text), Ok(None));
        assert_eq!(read.get_number("expires_at"), Ok(1_641_222_001_i64));
    }

    #[test]
    fn damage_is_named() {
        let item = Item::new(Key::new("A", "B")).text("count", "x").number("big", 300).text("doc", "[");
        for (error, expected) in [
            (item.get_number::<u8>("count").err(), "A/B is damaged: `count` is not a number"),
            (item.get_number::<u8>("big").err(), "A/B is damaged: `big` is 300, which is out of range"),
            (item.get_text("name").err(), "A/B is damaged: `name` is missing, not a text"),
            (item.get_doc::<Vec<u8>>().err(), "A/B is damaged: `doc`: EOF while parsing a list at line 1 column 1"),
        ] {
            assert_eq!(error.unwrap().to_string(), expected);
        }
    }

    #[test]
    fn what_a_newer_program_wrote_is_left_to_it() {
        let item = Item::new(Key::new("A", "B")).number(VERSION, FORMAT + 1);
        let error = Item::from_attributes(item.into_attributes()).unwrap_err().to_string();
        assert_eq!(error, "A/B is damaged: it has the format 2, and this program reads up to 1: a newer one wrote it");
    }

    #[test]
    fn instants_sort_as_texts() {
        let instants = ["2022-01-03T15:00:00Z", "2022-01-03T15:00:00.000000001Z", "2022-01-03T15:00:00.1Z", "2022-01-03T15:00:01Z"];
        let texts: Vec<String> = instants.map(|text| instant_text(text.parse().unwrap())).into();
        assert!(texts.is_sorted(), "{texts:?}");
        assert!(texts.iter().all(|text| text.len() == texts[0].len()));
    }
}

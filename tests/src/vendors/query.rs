//! The query of a request, and pages of a list.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Date;

use super::simulator::Reply;

#[derive(Debug, Clone, Default)]
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether `value` lies within `name`, `name.gte`, `name.gt`, `name.lte` and `name.lt`, as texts: dates sort so as well.
    pub(super) fn admits(&self, name: &str, value: &str) -> bool {
        let bound = |suffix: &str| self.get(&format!("{name}{suffix}"));
        self.get(name).is_none_or(|asked| asked == value)
            && bound(".gte").is_none_or(|low| value >= low)
            && bound(".gt").is_none_or(|low| value > low)
            && bound(".lte").is_none_or(|high| value <= high)
            && bound(".lt").is_none_or(|high| value < high)
    }

    /// `false` in any case: the vendor's own client says `False`.
    pub(super) fn is_off(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("false"))
    }

    pub(super) fn date(&self, name: &str) -> Option<Date> {
        loose_date(self.get(name)?)
    }

    pub(super) fn limit(&self, default: usize, most: usize) -> Result<usize, Reply> {
        let Some(text) = self.get("limit") else { return Ok(default) };
        let limit = text.parse().ok().filter(|limit| (1..=most).contains(limit));
        limit.ok_or_else(|| super::polygon::bad_request(&format!("'limit' must be between 1 and {most}: {text}")))
    }

    /// What the page that is asked for continues: the first page's query, and how many rows came before.
    pub(super) fn page(&self) -> Result<(Self, usize), Reply> {
        let Some(cursor) = self.get("cursor") else { return Ok((self.clone(), 0)) };
        let first = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let first = first.map(|text| Self::parse(&text)).ok_or_else(|| super::polygon::bad_request("Invalid cursor"))?;
        let before = first.get("before").and_then(|text| text.parse().ok()).unwrap_or(0);
        Ok((first, before))
    }

    /// A cursor for the rows after the first `before`.
    pub(super) fn cursor(&self, before: usize) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(self.0.iter().filter(|(name, _)| !matches!(name.as_str(), "before" | "cursor" | "apiKey")));
        URL_SAFE_NO_PAD.encode(text.append_pair("before", &before.to_string()).finish())
    }
}

/// `2012-1-1` is a date as well.
pub(super) fn loose_date(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Date::new(year, month, day).ok()
}

//! Several items of one partition, in order.

use std::collections::HashMap;

use app::ports::StoreError;
use aws_sdk_dynamodb::{
    operation::query::builders::QueryFluentBuilder,
    types::{AttributeValue, Select},
};

use super::{
    Condition, Item, Table,
    error::store_error,
    expression::Placeholders,
    tables::{BY_KIND, KeyNames},
};

/// Which items, in which order.
#[derive(Debug, Clone)]
pub struct Query {
    partition: String,
    range: Range,
    by_kind: bool,
    newest_first: bool,
    after: Option<String>,
    filter: Option<Condition>,
}

#[derive(Debug, Clone)]
enum Range {
    All,
    Prefix(String),
    Between(String, String),
}

/// Some items, and where the next ones begin.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub items: Vec<Item>,
    /// For [`Query::after`]; `None` when these were the last.
    pub next: Option<String>,
}

impl Query {
    /// The whole partition, by sort key.
    pub fn partition(pk: impl Into<String>) -> Self {
        Self { partition: pk.into(), range: Range::All, by_kind: false, newest_first: false, after: None, filter: None }
    }

    /// Of the index over kinds: `gsi_pk` and `gsi_sk` in place of the keys. An index lags behind its table by some milliseconds.
    pub fn kind(gsi_pk: impl Into<String>) -> Self {
        Self { by_kind: true, ..Self::partition(gsi_pk) }
    }

    #[must_use]
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { range: Range::Prefix(prefix.into()), ..self }
    }

    /// Both ends included.
    #[must_use]
    pub fn between(self, first: impl Into<String>, last: impl Into<String>) -> Self {
        Self { range: Range::Between(first.into(), last.into()), ..self }
    }

    /// By sort key, largest first.
    #[must_use]
    pub fn newest_first(self) -> Self {
        Self { newest_first: true, ..self }
    }

    /// Where a page before ended ([`Page::next`]).
    #[must_use]
    pub fn after(self, cursor: Option<&str>) -> Self {
        Self { after: cursor.map(Into::into), ..self }
    }

    /// Only items of which the condition holds. What it leaves out is read, and paid for, all the same.
    #[must_use]
    pub fn filter(self, condition: Condition) -> Self {
        Self { filter: Some(condition), ..self }
    }

    fn names(&self) -> KeyNames {
        if self.by_kind { KeyNames::BY_KIND } else { KeyNames::TABLE }
    }

    /// A cursor is the JSON list of the last item's keys, the partition of the query left out.
    fn cursor(&self, item: &Item) -> Result<String, StoreError> {
        let mut parts = vec![item.get_text(self.names().sort)?];
        if self.by_kind {
            parts.extend([item.key().pk.as_str(), item.key().sk.as_str()]);
        }
        Ok(super::item::json_text(&parts))
    }

    fn start_key(&self) -> Result<Option<HashMap<String, AttributeValue>>, StoreError> {
        let Some(cursor) = &self.after else { return Ok(None) };
        let parts: Vec<String> = serde_json::from_str(cursor).unwrap_or_default();
        let names = self.names();
        let keys: &[&str] = if self.by_kind { &[names.sort, "pk", "sk"] } else { &[names.sort] };
        if parts.len() != keys.len() {
            return Err(StoreError::Refused("the cursor is not one of this list".into()));
        }
        let mut start: HashMap<_, _> = keys.iter().map(|key| (*key).to_owned()).zip(parts.into_iter().map(AttributeValue::S)).collect();
        start.insert(names.partition.into(), AttributeValue::S(self.partition.clone()));
        Ok(Some(start))
    }
}

impl Table {
    /// All items that match, however many requests it takes.
    pub async fn query(&self, query: &Query) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut start = query.start_key()?;
        loop {
            let (more, next) = self.query_once(query, start, None).await?;
            items.extend(more);
            match next {
                Some(next) => start = Some(next),
                None => return Ok(items),
            }
        }
    }

    /// At most `limit` items. `next` is there only if another item really follows.
    pub async fn query_page(&self, query: &Query, limit: u32) -> Result<Page, StoreError> {
        let limit = limit.max(1) as usize;
        // One more than asked for tells whether there is a next page. With a filter the service counts what it reads, not what it
        // returns, so there it reads as much as one answer holds.
        let at_once = if query.filter.is_some() { None } else { i32::try_from(limit + 1).ok() };
        let mut items: Vec<Item> = Vec::new();
        let mut start = query.start_key()?;
        loop {
            let (more, next) = self.query_once(query, start, at_once).await?;
            items.extend(more);
            if items.len() > limit {
                items.truncate(limit);
                let next = Some(query.cursor(&items[limit - 1])?);
                return Ok(Page { items, next });
            }
            match next {
                Some(next) => start = Some(next),
                None => return Ok(Page { items, next: None }),
            }
        }
    }

    /// How many items match. The service reads them all to know.
    pub async fn count(&self, query: &Query) -> Result<usize, StoreError> {
        let mut count = 0;
        let mut start = query.start_key()?;
        loop {
            let request = self.query_request(query, start).select(Select::Count);
            let answer = request.send().await.map_err(|error| store_error(&query.partition, &error))?;
            count += usize::try_from(answer.count).unwrap_or_default();
            match answer.last_evaluated_key {
                Some(next) => start = Some(next),
                None => return Ok(count),
            }
        }
    }

    async fn query_once(
        &self,
        query: &Query,
        start: Option<HashMap<String, AttributeValue>>,
        limit: Option<i32>,
    ) -> Result<(Vec<Item>, Option<HashMap<String, AttributeValue>>), StoreError> {
        let request = self.query_request(query, start).set_limit(limit);
        let answer = request.send().await.map_err(|error| store_error(&query.partition, &error))?;
        let items: Result<_, _> = answer.items.unwrap_or_default().into_iter().map(Item::from_attributes).collect();
        Ok((items?, answer.last_evaluated_key))
    }

    fn query_request(&self, query: &Query, start: Option<HashMap<String, AttributeValue>>) -> QueryFluentBuilder {
        let names = query.names();
        let mut placeholders = Placeholders::default();
        let mut keys =
            format!("{} = {}", placeholders.name(names.partition), placeholders.value(AttributeValue::S(query.partition.clone())));
        match &query.range {
            Range::All => {}
            Range::Prefix(prefix) => {
                let (name, prefix) = (placeholders.name(names.sort), placeholders.value(AttributeValue::S(prefix.clone())));
                keys.extend([" AND begins_with(", &name, ", ", &prefix, ")"]);
            }
            Range::Between(first, last) => {
                let name = placeholders.name(names.sort);
                let first = placeholders.value(AttributeValue::S(first.clone()));
                let last = placeholders.value(AttributeValue::S(last.clone()));
                keys.extend([" AND ", &name, " BETWEEN ", &first, " AND ", &last]);
            }
        }
        let filter = query.filter.clone().map(|filter| filter.render(&mut placeholders));
        let (attribute_names, attribute_values) = placeholders.into_maps();
        self.client
            .query()
            .table_name(&*self.name)
            .set_index_name(query.by_kind.then(|| BY_KIND.to_owned()))
            // An index has no consistent reads.
            .consistent_read(!query.by_kind)
            .key_condition_expression(keys)
            .set_filter_expression(filter)
            .set_expression_attribute_names(attribute_names)
            .set_expression_attribute_values(attribute_values)
            .scan_index_forward(!query.newest_first)
            .set_exclusive_start_key(start)
    }
}

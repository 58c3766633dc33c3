//! Writes that happen together or not at all.

use app::ports::StoreError;
use aws_sdk_dynamodb::{
    Client,
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update as UpdateWrite,
        error::TransactionCanceledException,
    },
};

use super::{
    Condition, Item, Key, Table, Update,
    batch::pause,
    error::{is_throttling, store_error},
    expression::Placeholders,
    once::never_again,
};

const ALL_OLD: ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure::AllOld;

/// How often a transaction that met another one is tried again.
const ATTEMPTS: u32 = 6;

/// At most 100 writes to as many different items of any tables. Each has a label, by which a refusal is told apart.
#[derive(Debug, Clone)]
pub struct Transaction {
    client: Client,
    labels: Vec<&'static str>,
    writes: Vec<TransactWriteItem>,
    is_sent_once: bool,
}

/// A write whose condition did not hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub label: &'static str,
    /// What is stored instead; `None` where there is nothing.
    pub item: Option<Item>,
}

/// Nothing was written, except that after [`StoreError::Unavailable`] it is unknown.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TransactError {
    /// Conditions that did not hold, in the order of the writes.
    #[error("refused: {}", labels(.0))]
    Refused(Vec<Refusal>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TransactError {
    /// The refusal of the write with this label.
    pub fn refusal(&self, label: &str) -> Option<&Refusal> {
        match self {
            Self::Refused(refusals) => refusals.iter().find(|refusal| refusal.label == label),
            Self::Store(_) => None,
        }
    }
}

/// For callers to whom any condition that did not hold means to start over.
impl From<TransactError> for StoreError {
    fn from(error: TransactError) -> Self {
        match error {
            TransactError::Refused(refusals) => Self::Conflict(labels(&refusals)),
            TransactError::Store(error) => error,
        }
    }
}

fn labels(refusals: &[Refusal]) -> String {
    refusals.iter().map(|refusal| refusal.label).collect::<Vec<_>>().join(", ")
}

impl Transaction {
    pub(super) fn new(client: Client, is_sent_once: bool) -> Self {
        Self { client, labels: Vec::new(), writes: Vec::new(), is_sent_once }
    }

    /// Writes the item whatever is stored.
    #[must_use]
    pub fn put(self, label: &'static str, table: &Table, item: Item) -> Self {
        self.put_item(label, table, item, None)
    }

    /// Writes the item only where there is none.
    #[must_use]
    pub fn put_new(self, label: &'static str, table: &Table, item: Item) -> Self {
        self.put_item(label, table, item, Some(Condition::no_item()))
    }

    /// Replaces the whole item where the condition holds of the stored one.
    #[must_use]
    pub fn put_when(self, label: &'static str, table: &Table, item: Item, condition: Condition) -> Self {
        self.put_item(label, table, item, Some(condition))
    }

    fn put_item(self, label: &'static str, table: &Table, item: Item, condition: Option<Condition>) -> Self {
        let mut placeholders = Placeholders::default();
        let condition = condition.map(|condition| condition.render(&mut placeholders));
        let (names, values) = placeholders.into_maps();
        let put = Put::builder()
            .table_name(table.name())
            .set_item(Some(item.into_attributes()))
            .set_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ALL_OLD)
            .build()
            .expect("table and item were given");
        self.add(label, TransactWriteItem::builder().put(put).build())
    }

    #[must_use]
    pub fn update(self, label: &'static str, table: &Table, update: Update) -> Self {
        let key = update.key.attributes();
        let mut placeholders = Placeholders::default();
        let (expression, condition) = update.render(&mut placeholders);
        let (names, values) = placeholders.into_maps();
        let update = UpdateWrite::builder()
            .table_name(table.name())
            .set_key(Some(key))
            .update_expression(expression)
            .set_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ALL_OLD)
            .build()
            .expect("table, key and expression were given");
        self.add(label, TransactWriteItem::builder().update(update).build())
    }

    #[must_use]
    pub fn delete_when(self, label: &'static str, table: &Table, key: &Key, condition: Condition) -> Self {
        let mut placeholders = Placeholders::default();
        let condition = condition.render(&mut placeholders);
        let (names, values) = placeholders.into_maps();
        let delete = Delete::builder()
            .table_name(table.name())
            .set_key(Some(key.attributes()))
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ALL_OLD)
            .build()
            .expect("table and key were given");
        self.add(label, TransactWriteItem::builder().delete(delete).build())
    }

    /// Writes nothing itself: all other writes depend on the condition too.
    #[must_use]
    pub fn check(self, label: &'static str, table: &Table, key: &Key, condition: Condition) -> Self {
        let mut placeholders = Placeholders::default();
        let condition = condition.render(&mut placeholders);
        let (names, values) = placeholders.into_maps();
        let check = ConditionCheck::builder()
            .table_name(table.name())
            .set_key(Some(key.attributes()))
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ALL_OLD)
            .build()
            .expect("table, key and condition were given");
        self.add(label, TransactWriteItem::builder().condition_check(check).build())
    }

    fn add(mut self, label: &'static str, write: TransactWriteItem) -> Self {
        self.labels.push(label);
        self.writes.push(write);
        self
    }

    /// Carries out all writes at once.
    pub async fn commit(self) -> Result<(), TransactError> {
        for attempt in 0..ATTEMPTS {
            let request = self.client.transact_write_items().set_transact_items(Some(self.writes.clone())).customize();
            let request = if self.is_sent_once { request.config_override(never_again()) } else { request };
            let Err(error) = request.send().await else { return Ok(()) };
            match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => match self.verdict(cancelled)? {
                    // Another transaction held one of the items; the SDK does not repeat this by itself.
                    Verdict::Busy => tokio::time::sleep(pause(attempt)).await,
                    Verdict::Refused(refusals) => return Err(TransactError::Refused(refusals)),
                },
                _ => return Err(store_error(&self.labels.join(", "), &error).into()),
            }
        }
        Err(StoreError::Throttled.into())
    }

    fn verdict(&self, cancelled: &TransactionCanceledException) -> Result<Verdict, StoreError> {
        let reasons = cancelled.cancellation_reasons();
        let failed = |reason: &CancellationReason| reason.code().is_some_and(|code| code != "None");
        let mut refusals = Vec::new();
        for (label, reason) in self.labels.iter().zip(reasons).filter(|(_, reason)| failed(reason)) {
            match reason.code().unwrap_or_default() {
                "ConditionalCheckFailed" => {
                    refusals.push(Refusal { label, item: reason.item().cloned().map(Item::from_attributes).transpose()? });
                }
                code if is_throttling(code) => {}
                code => return Err(StoreError::Refused(format!("{label}: {code}: {}", reason.message().unwrap_or_default()))),
            }
        }
        // A condition that did not hold decides, also where another write was only busy: a repetition would fail as well.
        Ok(if refusals.is_empty() { Verdict::Busy } else { Verdict::Refused(refusals) })
    }
}

enum Verdict {
    Busy,
    Refused(Vec<Refusal>),
}

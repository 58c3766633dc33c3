//! Single items of one table.

use std::{collections::HashMap, sync::Arc};

use app::ports::StoreError;
use aws_sdk_dynamodb::{
    Client,
    operation::{delete_item::DeleteItemError, put_item::PutItemError, update_item::UpdateItemError},
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};

use super::{Condition, Item, Key, Update, error::store_error, expression::Placeholders};

/// One table. Cheap to clone.
///
/// Reads of single items are strongly consistent: what any copy has written is seen by the next read of every copy.
#[derive(Clone, Debug)]
pub struct Table {
    pub(super) client: Client,
    pub(super) name: Arc<str>,
}

/// What a conditional write came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The item as it is now; for a delete, as it was.
    Written(Item),
    /// The condition did not hold of this item, or of there being none.
    Refused(Option<Item>),
}

impl Outcome {
    /// A refusal as [`StoreError::Conflict`], for callers that start over.
    pub fn or_conflict(self, what: &str) -> Result<Item, StoreError> {
        match self {
            Self::Written(item) => Ok(item),
            Self::Refused(_) => Err(StoreError::Conflict(what.into())),
        }
    }

    pub fn written(self) -> Option<Item> {
        match self {
            Self::Written(item) => Some(item),
            Self::Refused(_) => None,
        }
    }
}

impl Table {
    pub(super) fn new(client: Client, name: Arc<str>) -> Self {
        Self { client, name }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(&*self.name).set_key(Some(key.attributes())).consistent_read(true);
        let answer = request.send().await.map_err(|error| store_error(&key.to_string(), &error))?;
        answer.item.map(Item::from_attributes).transpose()
    }

    /// Writes the item whatever is stored; for what is computed anew from elsewhere.
    pub async fn put(&self, item: Item) -> Result<(), StoreError> {
        let what = item.key().to_string();
        let request = self.client.put_item().table_name(&*self.name).set_item(Some(item.into_attributes()));
        request.send().await.map(|_| ()).map_err(|error| store_error(&what, &error))
    }

    /// Writes the item only where there is none: [`StoreError::Conflict`] else.
    pub async fn put_new(&self, item: Item) -> Result<(), StoreError> {
        let what = item.key().to_string();
        self.put_when(item, Condition::no_item()).await?.or_conflict(&what).map(|_| ())
    }

    /// Replaces the whole item where the condition holds of the stored one.
    pub async fn put_when(&self, item: Item, condition: Condition) -> Result<Outcome, StoreError> {
        let mut placeholders = Placeholders::default();
        let condition = condition.render(&mut placeholders);
        let (names, values) = placeholders.into_maps();
        let request = self
            .client
            .put_item()
            .table_name(&*self.name)
            .set_item(Some(item.clone().into_attributes()))
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match request.send().await {
            Ok(_) => Ok(Outcome::Written(item)),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failure)) => refused(failure.item.clone()),
                _ => Err(store_error(&item.key().to_string(), &error)),
            },
        }
    }

    pub async fn update(&self, update: Update) -> Result<Outcome, StoreError> {
        let key = update.key.clone();
        let mut placeholders = Placeholders::default();
        let (expression, condition) = update.render(&mut placeholders);
        let (names, values) = placeholders.into_maps();
        let request = self
            .client
            .update_item()
            .table_name(&*self.name)
            .set_key(Some(key.attributes()))
            .update_expression(expression)
            .set_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match request.send().await {
            Ok(answer) => Ok(Outcome::Written(Item::from_attributes(answer.attributes.unwrap_or_default())?)),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failure)) => refused(failure.item.clone()),
                _ => Err(store_error(&key.to_string(), &error)),
            },
        }
    }

    /// Deletes the item, if there is one.
    pub async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        let request = self.client.delete_item().table_name(&*self.name).set_key(Some(key.attributes()));
        request.send().await.map(|_| ()).map_err(|error| store_error(&key.to_string(), &error))
    }

    /// Deletes the item where the condition holds of it. Where there is no item, a condition on its attributes does not hold.
    pub async fn delete_when(&self, key: &Key, condition: Condition) -> Result<Outcome, StoreError> {
        let mut placeholders = Placeholders::default();
        let condition = condition.render(&mut placeholders);
        let (names, values) = placeholders.into_maps();
        let request = self
            .client
            .delete_item()
            .table_name(&*self.name)
            .set_key(Some(key.attributes()))
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values(ReturnValue::AllOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match request.send().await {
            Ok(answer) => match answer.attributes {
                Some(attributes) => Ok(Outcome::Written(Item::from_attributes(attributes)?)),
                None => Ok(Outcome::Refused(None)),
            },
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(failure)) => refused(failure.item.clone()),
                _ => Err(store_error(&key.to_string(), &error)),
            },
        }
    }
}

fn refused(item: Option<HashMap<String, AttributeValue>>) -> Result<Outcome, StoreError> {
    Ok(Outcome::Refused(item.map(Item::from_attributes).transpose()?))
}

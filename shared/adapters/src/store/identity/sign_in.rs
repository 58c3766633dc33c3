//! Sign-in codes and wrong ones.

use app::ports::{CodeRecord, CodeTry, Failures, StoreError};
use domain::Email;
use jiff::Timestamp;

use super::IdentityTable;
use crate::store::{Condition, Item, Key, Outcome, Update, expression::Value};

pub(super) fn code_key(email: &Email) -> Key {
    Key::new(format!("CODE#{email}"), "CODE")
}

pub(super) fn failures_key(email: &Email) -> Key {
    Key::new(format!("FAILURES#{email}"), "FAILURES")
}

impl IdentityTable {
    pub(super) async fn write_code(&self, email: &Email, code: &CodeRecord) -> Result<(), StoreError> {
        let item = Item::new(code_key(email))
            .text("challenge", &code.challenge)
            .text("hash", &code.hash)
            .instant("ends_at", code.expires_at)
            .number("tries", 0)
            .expires_at(code.expires_at);
        self.table.put(item).await
    }

    pub(super) async fn count_try(&self, email: &Email, max_tries: u32, now: Timestamp) -> Result<CodeTry, StoreError> {
        // One request decides and counts. Without a code the comparison fails, since there is nothing to compare.
        let update = Update::new(code_key(email))
            .add("tries", 1)
            .when(Condition::less("tries", Value::number(max_tries)))
            .when(Condition::greater("ends_at", Value::instant(now)));
        match self.table.update(update).await? {
            Outcome::Written(item) => Ok(CodeTry::Allowed(code(&item)?)),
            Outcome::Refused(None) => Ok(CodeTry::Absent),
            Outcome::Refused(Some(item)) if item.get_instant("ends_at")? <= now => Ok(CodeTry::Expired),
            Outcome::Refused(Some(_)) => Ok(CodeTry::Exhausted),
        }
    }

    pub(super) async fn delete_code(&self, email: &Email, challenge: &str) -> Result<bool, StoreError> {
        let same = Condition::equal("challenge", Value::text(challenge));
        Ok(self.table.delete_when(&code_key(email), same).await?.written().is_some())
    }

    pub(super) async fn read_failures(&self, email: &Email, now: Timestamp) -> Result<Failures, StoreError> {
        match self.table.get(&failures_key(email)).await? {
            Some(item) if !item.is_expired(now)? => failures(&item),
            _ => Ok(Failures::default()),
        }
    }

    pub(super) async fn count_failure(&self, email: &Email, now: Timestamp, forget_at: Timestamp) -> Result<Failures, StoreError> {
        // What should have been forgotten by now but was not deleted yet must not be counted on.
        let forgotten = Condition::at_most("expires_at", Value::number(now.as_second()));
        self.table.delete_when(&failures_key(email), forgotten).await?;
        let update = Update::upsert(failures_key(email)).add("count", 1).set("last_at", Value::instant(now)).expires_at(forget_at);
        failures(&self.table.update(update).await?.or_conflict("failures")?)
    }

    pub(super) async fn delete_failures(&self, email: &Email) -> Result<(), StoreError> {
        self.table.delete(&failures_key(email)).await
    }
}

fn code(item: &Item) -> Result<CodeRecord, StoreError> {
    Ok(CodeRecord {
        challenge: item.get_text("challenge")?.into(),
        hash: item.get_text("hash")?.into(),
        expires_at: item.get_instant("ends_at")?,
    })
}

fn failures(item: &Item) -> Result<Failures, StoreError> {
    Ok(Failures { count: item.get_number("count")?, last_at: Some(item.get_instant("last_at")?) })
}

//! The audit log. Entries are added and, when their time has come, deleted; nothing changes one.

use app::{
    auth::AuditEntry,
    ports::{AuditPage, StoreError},
};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::IdentityTable;
use crate::store::{Item, Key, Query, TransactError, item::instant_text};

/// Names of denials are for an hour, and kept a little longer than they are needed.
const ONCE_LIFE: SignedDuration = SignedDuration::from_hours(2);

/// A month's entries are one partition: none grows for ever, and a page rarely needs two.
fn partition(month: Date) -> String {
    format!("AUDIT#{}", month.strftime("%Y-%m"))
}

fn month_of(instant: Timestamp) -> Date {
    instant.to_zoned(TimeZone::UTC).date().first_of_month()
}

pub(super) fn audit_item(entry: &AuditEntry) -> Item {
    let key = Key::new(partition(month_of(entry.at)), format!("{}#{}", instant_text(entry.at), entry.id));
    Item::new(key).doc(entry).expires_at(entry.expires_at())
}

/// Where a page ended: the month, and how far in it; nothing of it where it was read to its end.
#[derive(Serialize, Deserialize)]
struct Cursor {
    month: Date,
    after: Option<String>,
}

impl IdentityTable {
    pub(super) async fn write_audit(&self, entry: &AuditEntry, once: Option<&str>) -> Result<bool, StoreError> {
        let Some(once) = once else {
            return self.table.put_new(audit_item(entry)).await.map(|()| true);
        };
        let name = Item::new(Key::new(format!("AUDIT#ONCE#{once}"), "ONCE")).expires_at(entry.at + ONCE_LIFE);
        let transaction = self.store.transaction().put_new("name", &self.table, name).put_new("log", &self.table, audit_item(entry));
        match transaction.commit().await {
            Ok(()) => Ok(true),
            Err(TransactError::Refused(_)) => Ok(false),
            Err(TransactError::Store(error)) => Err(error),
        }
    }

    pub(super) async fn read_audit(
        &self,
        after: Option<&str>,
        limit: u32,
        first: Timestamp,
        last: Timestamp,
    ) -> Result<AuditPage, StoreError> {
        let start = match after {
            Some(cursor) => {
                serde_json::from_str(cursor).map_err(|_| StoreError::Refused("the cursor is not one of the audit log".into()))?
            }
            None => Cursor { month: month_of(last), after: None },
        };
        let (mut month, mut after) = (start.month, start.after);
        let mut entries: Vec<AuditEntry> = Vec::new();
        // Empty months, as before the first start, cost one small request each.
        while month >= month_of(first) {
            let left = limit - u32::try_from(entries.len()).unwrap_or(limit);
            if left == 0 {
                return Ok(AuditPage { entries, next: Some(crate::store::item::json_text(&Cursor { month, after: None })) });
            }
            let query = Query::partition(partition(month)).newest_first().after(after.as_deref());
            let page = self.table.query_page(&query, left).await?;
            for item in &page.items {
                entries.push(item.get_doc()?);
            }
            if page.next.is_some() {
                return Ok(AuditPage { entries, next: Some(crate::store::item::json_text(&Cursor { month, after: page.next })) });
            }
            after = None;
            let Some(previous) = month.yesterday().ok().map(Date::first_of_month) else { break };
            month = previous;
        }
        // Time-to-live deletes late.
        entries.retain(|entry| entry.at >= first);
        Ok(AuditPage { entries, next: None })
    }
}

//! The append-only ledger: events in order, each bound to the one before by its hash.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::trading::event::Event;

/// SHA-256 over an entry and, through its predecessor's hash, over all entries before it. Lower-case hexadecimal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryHash(String);

impl EntryHash {
    /// What the first entry follows.
    pub fn genesis() -> Self {
        Self("0".repeat(64))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EntryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0[..12])
    }
}

/// What made an entry: a request's or a job's identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cause(String);

impl Cause {
    pub fn request(id: &str) -> Self {
        Self(format!("request:{id}"))
    }

    pub fn job(name: &str) -> Self {
        Self(format!("job:{name}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// 1 for the first entry of a portfolio, then without gaps.
    pub sequence: u64,
    /// Market time at which it was recorded.
    pub at: Timestamp,
    pub cause: Cause,
    pub event: Event,
    pub previous: EntryHash,
    pub hash: EntryHash,
}

impl Entry {
    pub fn following(previous: &EntryHash, sequence: u64, at: Timestamp, cause: Cause, event: Event) -> Self {
        let hash = Self::digest(previous, sequence, at, &cause, &event);
        Self { sequence, at, cause, event, previous: previous.clone(), hash }
    }

    /// Whether the entry is what it was when it was written.
    pub fn is_intact(&self) -> bool {
        self.hash == Self::digest(&self.previous, self.sequence, self.at, &self.cause, &self.event)
    }

    fn digest(previous: &EntryHash, sequence: u64, at: Timestamp, cause: &Cause, event: &Event) -> EntryHash {
        // JSON with fields in declaration order is a canonical form here: decimals are strings, maps do not occur.
        let body = serde_json::to_vec(&(previous, sequence, at, cause, event)).expect("ledger values serialise");
        EntryHash(hex::encode(Sha256::digest(body)))
    }
}

//! What one part of the system tells the others, which may run elsewhere and later.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::{Date, Symbol, Timestamp, TradingDate};
use serde::{Deserialize, Serialize};

use crate::data::IngestJob;

/// Something that happened, or is to happen, beyond the part that says so. Who hears of one twice finds its work done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "about")]
pub enum Event {
    /// An ingestion has to be done that was announced under `run_id`.
    IngestRequested { run_id: String, job: IngestJob },
    /// An ingestion has ended: signals can be made of its prices. `restated` are the stocks of which bars changed that were known
    /// before, each with the oldest date concerned.
    PricesIngested { run_id: String, restated: BTreeMap<Symbol, Date> },
    /// The signals of `date` are there: portfolios can act on them, and on the prices that they were made of.
    SignalsGenerated { date: TradingDate, signals: usize },
}

impl Event {
    /// Its kind, by which listeners choose.
    pub fn name(&self) -> &'static str {
        match self {
            Self::IngestRequested { .. } => "IngestRequested",
            Self::PricesIngested { .. } => "PricesIngested",
            Self::SignalsGenerated { .. } => "SignalsGenerated",
        }
    }
}

/// When events happened, and in consequence of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occasion {
    /// Market time: whoever acts on the event acts as of this instant.
    pub now: Timestamp,
    /// The same for everything that follows from one request or one tick of a timer, so that logs can be read together.
    pub trace_id: String,
}

/// Why events were not passed on. Those before may have been.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventsError {
    /// Asked again and again, the bus did not take them; later it will.
    #[error("{undelivered} of {sent} events were not taken: {reason}")]
    Undelivered { undelivered: usize, sent: usize, reason: String },
    /// The bus will never take them: a defect of this program or of its deployment.
    #[error("an event was refused: {0}")]
    Refused(String),
}

#[async_trait]
pub trait Events: Send + Sync {
    /// Passes all events on. After an error the whole can be repeated: listeners bear an event that comes twice.
    async fn publish(&self, events: &[Event], occasion: &Occasion) -> Result<(), EventsError>;
}

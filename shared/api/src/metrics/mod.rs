//! Metrics for Prometheus, true over all running copies of the program.
//!
//! | file | what |
//! |---|---|
//! | `family`, `text` | Prometheus' terms and its text format |
//! | [`tally`] | what this copy has counted since it last wrote it down |
//! | [`keeper`] | where copies write it down, so that the sum outlives them |
//! | [`market`] | what the tables and objects say of the whole, whichever copy is asked |
//! | [`orders`] | orders, counted where they are committed |

mod family;
pub mod keeper;
pub mod market;
pub mod orders;
pub mod tally;
mod text;

use app::UseCaseError;
use async_trait::async_trait;
use domain::Timestamp;

pub use family::{Family, Kind, Sample, merge};
pub use keeper::Keeper;
pub use market::MarketGauges;
pub use orders::CountedPortfolios;
pub use tally::{Counts, Tally};
pub use text::{CONTENT_TYPE, encode};

/// Something that can be measured when it is asked.
#[async_trait]
pub trait MetricsSource: Send + Sync {
    /// `now` is the market's instant, `wall` the one outside of any replay. Fails only where a number would be wrong rather than
    /// missing.
    async fn families(&self, now: Timestamp, wall: Timestamp) -> Result<Vec<Family>, UseCaseError>;
}

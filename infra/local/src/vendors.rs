//! Which vendors serve, as the environment says.

use std::sync::Arc;

use adapters::market_data::{polygon::Polygon, tiingo::Tiingo};
use anyhow::bail;
use app::ports::MarketData;

/// Where market data comes from.
pub struct Feeds {
    pub vendor: Arc<dyn MarketData>,
    /// Fills gaps and gives a second opinion.
    pub second: Option<Arc<dyn MarketData>>,
    /// Prices of the running session.
    pub quotes: Option<Arc<dyn MarketData>>,
}

/// The vendors whose keys the environment has; Polygon, which tells a whole session in one answer, comes first.
pub fn live() -> anyhow::Result<Feeds> {
    let mut vendors: Vec<Arc<dyn MarketData>> = Vec::new();
    if let Some(key) = variable("POLYGON_API_KEY") {
        vendors.push(Arc::new(Polygon::new(&key, &base("POLYGON_BASE_URL", Polygon::BASE_URL))?));
    }
    if let Some(key) = variable("TIINGO_API_KEY") {
        vendors.push(Arc::new(Tiingo::new(&key, &base("TIINGO_BASE_URL", Tiingo::BASE_URL))?));
    }
    let mut vendors = vendors.into_iter();
    let Some(vendor) = vendors.next() else {
        bail!("--live needs market data: set POLYGON_API_KEY or TIINGO_API_KEY, or leave --live out to replay the bundled data");
    };
    Ok(Feeds { vendor, second: vendors.next(), quotes: None })
}

fn base(name: &str, official: &str) -> String {
    variable(name).unwrap_or_else(|| official.to_owned())
}

/// A variable that is set to nothing counts as not set.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

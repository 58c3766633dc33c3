//! Which vendors serve, as the environment says.

use std::sync::Arc;

use adapters::market_data::{Pace, Plan, polygon::Polygon, tiingo::Tiingo};
use anyhow::{Context, bail};
use app::ports::{MarketData, Quota};

/// Where market data comes from.
pub struct Feeds {
    pub vendor: Arc<dyn MarketData>,
    /// Fills gaps and gives a second opinion.
    pub second: Option<Arc<dyn MarketData>>,
    /// Prices of the running session.
    pub quotes: Option<Arc<dyn MarketData>>,
}

/// The vendors whose keys the environment has, each within its plan; Polygon, which tells a whole session in one answer, comes first.
///
/// There are no prices of the running session: they would be asked for with each page that somebody looks at, which no free quota
/// bears.
pub fn live(quota: &Arc<dyn Quota>) -> anyhow::Result<Feeds> {
    let mut vendors: Vec<Arc<dyn MarketData>> = Vec::new();
    if let Some(key) = variable("POLYGON_API_KEY") {
        let polygon = Polygon::new(&key, &base("POLYGON_BASE_URL", Polygon::BASE_URL))?;
        vendors.push(Arc::new(polygon.paced(Pace::new(quota.clone(), plan("polygon", "POLYGON_PLAN", Plan::POLYGON_BASIC)?))));
    }
    if let Some(key) = variable("TIINGO_API_KEY") {
        let tiingo = Tiingo::new(&key, &base("TIINGO_BASE_URL", Tiingo::BASE_URL))?;
        vendors.push(Arc::new(tiingo.paced(Pace::new(quota.clone(), plan("tiingo", "TIINGO_PLAN", Plan::TIINGO_FREE)?))));
    }
    let mut vendors = vendors.into_iter();
    let Some(vendor) = vendors.next() else {
        bail!("--live needs market data: set POLYGON_API_KEY or TIINGO_API_KEY, or leave --live out to replay the bundled data");
    };
    Ok(Feeds { vendor, second: vendors.next(), quotes: None })
}

/// The smaller plan where nothing is said: too slow costs time, too fast costs the quota.
fn plan(vendor: &str, variable_name: &str, default: Plan) -> anyhow::Result<Plan> {
    let Some(name) = variable(variable_name) else { return Ok(default) };
    format!("{vendor} {name}").parse().with_context(|| variable_name.to_owned())
}

fn base(name: &str, official: &str) -> String {
    variable(name).unwrap_or_else(|| official.to_owned())
}

/// A variable that is set to nothing counts as not set.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

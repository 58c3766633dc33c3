//! What the market's sessions say about the market: levels of its equal-weight index against their own past.

use super::{MarketRegime, Session};
use crate::indicators::{sma, volatility};

/// Sessions over which momentum and relative strength are measured.
pub(crate) const MOMENTUM_SESSIONS: usize = 20;

/// The equal-weight index on one session; `NaN` while a window warms up. Percentages are in percent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MarketTrend {
    /// The index itself, 1 before the first session, all stocks rebalanced to equal weights every day.
    pub index: f64,
    pub return_20d: f64,
    pub return_60d: f64,
    /// Annualised, of 20 daily log returns.
    pub volatility_20d: f64,
    pub sma_50: f64,
    pub sma_200: f64,
    /// Compounded mean return of each sector over 20 sessions, by `Sector::ALL`; `NaN` where a session lacks the sector.
    pub sector_momentum: [f64; 11],
}

impl MarketTrend {
    pub fn regime(&self) -> Option<MarketRegime> {
        MarketRegime::of(self.index, self.sma_50, self.sma_200)
    }
}

pub(crate) fn trends(sessions: &[Session]) -> Vec<MarketTrend> {
    let count = sessions.len();
    if count == 0 {
        return Vec::new();
    }
    let column = || vec![f64::NAN; count];
    let index: Vec<f64> = sessions
        .iter()
        .scan(1.0, |level, session| {
            *level *= 1.0 + session.mean_return;
            Some(*level)
        })
        .collect();
    // The first session has a return: the index stood at 1 before it. The volatility's first value is the one slot it never reads.
    let log_returns: Vec<f64> = sessions.iter().map(|session| session.mean_return.ln_1p()).collect();
    let (mut volatility_20d, mut sma_50, mut sma_200) = (column(), column(), column());
    volatility(&log_returns, MOMENTUM_SESSIONS, &mut volatility_20d);
    sma(&index, 50, &mut sma_50);
    sma(&index, 200, &mut sma_200);

    let change = |at: usize, over: usize| if at < over { f64::NAN } else { 100.0 * (index[at] / index[at - over] - 1.0) };
    (0..count)
        .map(|at| MarketTrend {
            index: index[at],
            return_20d: change(at, MOMENTUM_SESSIONS),
            return_60d: change(at, 60),
            volatility_20d: volatility_20d[at],
            sma_50: sma_50[at],
            sma_200: sma_200[at],
            sector_momentum: std::array::from_fn(|sector| sector_momentum(sessions, at, sector)),
        })
        .collect()
}

fn sector_momentum(sessions: &[Session], at: usize, sector: usize) -> f64 {
    if at < MOMENTUM_SESSIONS {
        return f64::NAN;
    }
    let window = &sessions[at + 1 - MOMENTUM_SESSIONS..=at];
    let growth: Option<f64> = window.iter().map(|session| session.sectors[sector].map(|change| 1.0 + change)).product();
    growth.map_or(f64::NAN, |growth| 100.0 * (growth - 1.0))
}

//! A volume far beyond any of about a year goes with a move of the price; without one it is a mistake of units.

use domain::Bar;

use super::{
    Background, Fault, Reason,
    background::{close, median},
};

/// Times the largest volume before. The widest real one of the S&P 500 in 22 years is 25 times.
const SPIKE: f64 = 50.0;
/// Fewer sessions do not show what is usual.
const SESSIONS: usize = 20;
/// Times the median move: a price that moved as usual did not notice.
const NOTICE: f64 = 3.0;

pub(super) fn find(bar: &Bar, background: &Background<'_>) -> Option<Fault> {
    let before = background.last()?;
    // What is not even twice the last volume is no spike above the largest: this spares looking at a year for nearly every bar.
    if bar.volume <= before.volume.saturating_mul(2) {
        return None;
    }
    let (largest, sessions) = background.largest_volume(bar.date);
    if sessions < SESSIONS || largest <= 0.0 || bar.volume as f64 <= SPIKE * largest {
        return None;
    }
    let moved = (close(bar) / background.comparable_close(bar)?).ln().abs();
    let usual = median(background.usual_moves())?;
    (moved <= NOTICE * usual).then(|| {
        Fault::new(Reason::VolumeSpike, format_args!("{} shares, the most before were {largest:.0}, at a usual price", bar.volume))
    })
}

//! Without a trade there is no other price: a session without volume has the close before it for all four of its prices.

use domain::Bar;

use super::{Background, Fault, Reason, background::close};

/// Share bases are not exact to the last digit.
const TOLERANCE: f64 = 1e-3;

pub(super) fn find(bar: &Bar, background: &Background<'_>) -> Option<Fault> {
    if bar.volume > 0 {
        return None;
    }
    if bar.high > bar.low {
        return Some(Fault::new(Reason::SilentMove, format_args!("no share was traded, from {} to {}", bar.low, bar.high)));
    }
    let before = background.last()?;
    // A vendor that shows no trade at the close before an event, unadjusted, is right in its own way.
    let has_moved = |reference: f64| (close(bar) / reference - 1.0).abs() > TOLERANCE;
    (has_moved(background.comparable_close(bar)?) && has_moved(close(before))).then(|| {
        Fault::new(Reason::SilentMove, format_args!("no share was traded, yet the close went from {} to {}", before.close, bar.close))
    })
}

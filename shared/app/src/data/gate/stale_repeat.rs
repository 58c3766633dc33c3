//! Two sessions never agree in four prices and the volume, unless nothing or next to nothing was traded.

use domain::Bar;

use super::{Background, Fault, Reason};

pub(super) fn find(bar: &Bar, background: &Background<'_>) -> Option<Fault> {
    let before = background.last()?;
    // One trade of a round lot a day repeats easily, hence the range.
    let says_something = bar.volume > 0 && bar.high > bar.low;
    let is_repeat = Bar { date: bar.date, ..*before } == *bar;
    (says_something && is_repeat)
        .then(|| Fault::new(Reason::StaleRepeat, format_args!("the bar of {} again, to the last share", before.date)))
}

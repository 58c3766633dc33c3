//! Open, high, low and close of one session fit each other.

use domain::Bar;

use super::{Background, Fault, Reason};

pub(super) fn find(bar: &Bar, _: &Background<'_>) -> Option<Fault> {
    bar.check().err().map(|error| Fault::new(Reason::Contradiction, error))
}

//! A move far beyond the stock's own needs an explanation: an event, heavy trading, or another vendor who saw it too.
//!
//! The scale is robust: the median of absolute log returns, made comparable with a standard deviation. Real news of any size comes with
//! several times the usual shares and more dollars traded; a forgotten split or spin-off, a slipped decimal point and another company's
//! bar do not.

use domain::Bar;

use super::{
    Background, Fault, Reason,
    background::{USUAL, close, median},
};

/// No smaller log return is suspicious: up 65 %, down 39 %.
const FLOOR: f64 = 0.5;
/// Without enough sessions to know the stock's own scale: a factor of three.
const FLOOR_OF_YOUNG: f64 = 1.1;
/// Sessions from which on a stock's own scale is known.
const SESSIONS: usize = 20;
/// Robust standard deviations.
const DEVIATIONS: f64 = 10.0;
/// The median of absolute deviations times this estimates the standard deviation of a normal distribution.
const CONSISTENCY: f64 = 1.4826;
/// Times the median shares, and times the median dollars, that news trades at the least.
const HEAVY_SHARES: f64 = 3.0;
const HEAVY_DOLLARS: f64 = 1.5;
/// How far the price may move on the day of a split, as a fraction.
const SPLIT_TOLERANCE: f64 = 0.04;
/// No volume explains a factor of ten.
const CEILING: f64 = std::f64::consts::LN_10;

pub(super) fn find(bar: &Bar, background: &Background<'_>) -> Option<Fault> {
    let before = background.last()?;
    let comparable = background.comparable_close(bar)?;
    let jump = (close(bar) / comparable).ln();
    if jump.abs() <= FLOOR {
        return None;
    }
    let moves = background.usual_moves();
    let own = if moves.len() < SESSIONS { FLOOR_OF_YOUNG } else { DEVIATIONS * CONSISTENCY * median(moves).unwrap_or_default() };
    if jump.abs() <= own.max(FLOOR) || is_news(bar, jump, background) {
        return None;
    }
    Some(Fault::new(
        Reason::UnexplainedJump,
        format_args!(
            "the close went from {} on {} to {} without a split, a dividend or heavy trading that explains it",
            before.close, before.date, bar.close
        ),
    ))
}

fn is_news(bar: &Bar, jump: f64, background: &Background<'_>) -> bool {
    let usual = median(background.volumes(USUAL, bar.date)).unwrap_or_default();
    let times = bar.volume as f64 / usual;
    let is_heavy = usual > 0.0 && times >= HEAVY_SHARES && times * jump.exp() >= HEAVY_DOLLARS;
    // Trading explains the move of its own day, not one over sessions that were held back or never told.
    let is_of_one_day = background.last().is_some_and(|before| before.date.next() == bar.date);
    is_heavy && is_of_one_day && jump.abs() < CEILING && !looks_like_a_split(jump)
}

/// A fall to a third, a quarter, … of the price. A split multiplies the shares traded as well, and news may come on the same day (Netflix,
/// 7:1, 2015-07-15), so that heavy trading explains no such fall. Halves are left out: too many real falls end there.
fn looks_like_a_split(jump: f64) -> bool {
    let times = (-jump).exp();
    let whole = times.round();
    whole >= 3.0 && (times / whole - 1.0).abs() < SPLIT_TOLERANCE
}

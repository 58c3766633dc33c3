//! A part of a chart: sessions along the bottom, which all parts share, and an axis of its own on the right.

use std::ops::Range;

use jiff::civil::Date;
use plotters::style::{Color, RGBAColor, RGBColor};

use crate::{
    canvas::{Align, Canvas, Point, Words},
    ticks,
};

/// What stands around the parts, in pixels.
pub(crate) const LEFT: f64 = 18.0;
pub(crate) const RIGHT: f64 = 72.0;
pub(crate) const TOP: f64 = 66.0;
pub(crate) const BOTTOM: f64 = 30.0;
const BETWEEN: f64 = 14.0;
/// Pixels between two numbers of an axis.
const NUMBERS_APART: f64 = 44.0;
/// Pixels between two dates.
const DATES_APART: f64 = 72.0;
/// Below this many pixels a session, single bars cannot be told apart.
const LEAST_FOR_BARS: f64 = 2.6;

/// Where a part lies and what it shows.
#[derive(Debug, Clone)]
pub(crate) struct Pane {
    x: Range<f64>,
    y: Range<f64>,
    values: Range<f64>,
    sessions: usize,
}

/// Parts one above the other, as high as their `shares` of the whole say; each with its range of values.
pub(crate) fn stack(size: (f64, f64), sessions: usize, parts: &[(f64, Range<f64>)]) -> Vec<Pane> {
    let all: f64 = parts.iter().map(|(share, _)| share).sum();
    let free = size.1 - TOP - BOTTOM - BETWEEN * (parts.len().saturating_sub(1)) as f64;
    let mut top = TOP;
    parts
        .iter()
        .map(|(share, values)| {
            let height = (free * share / all).max(1.0);
            let pane = Pane { x: LEFT..size.0 - RIGHT, y: top..top + height, values: values.clone(), sessions };
            top += height + BETWEEN;
            pane
        })
        .collect()
}

/// From the smallest to the largest of what can be shown, and a `margin` of that on both sides; something where there is nothing.
pub(crate) fn range_of(values: impl IntoIterator<Item = f64>, margin: f64) -> Range<f64> {
    let finite = values.into_iter().filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return 0.0..1.0;
    }
    let span = if high > low { high - low } else { high.abs().max(1.0) * 0.1 };
    low - span * margin..high + span * margin
}

impl Pane {
    /// The middle of a session.
    pub(crate) fn x(&self, index: usize) -> f64 {
        self.x.start + (index as f64 + 0.5) * self.step()
    }

    pub(crate) fn y(&self, value: f64) -> f64 {
        let part = (value - self.values.start) / (self.values.end - self.values.start);
        self.y.end - part * (self.y.end - self.y.start)
    }

    pub(crate) fn at(&self, index: usize, value: f64) -> Point {
        (self.x(index), self.y(value).clamp(self.y.start - 1.0, self.y.end + 1.0))
    }

    /// Pixels from the lower end to the upper.
    pub(crate) fn height(&self) -> f64 {
        self.y.end - self.y.start
    }

    /// Pixels a session.
    pub(crate) fn step(&self) -> f64 {
        (self.x.end - self.x.start) / self.sessions.max(1) as f64
    }

    pub(crate) fn shows_bars(&self) -> bool {
        self.step() >= LEAST_FOR_BARS
    }

    /// Round numbers of the axis with their lines.
    pub(crate) fn numbers(&self, canvas: &mut Canvas<'_>, written: impl Fn(f64, usize) -> String) {
        self.numbers_beside(canvas, f64::NAN, written);
    }

    /// As [`Self::numbers`], with room for what will be written at `newest`.
    pub(crate) fn numbers_beside(&self, canvas: &mut Canvas<'_>, newest: f64, written: impl Fn(f64, usize) -> String) {
        let count = (self.y.end - self.y.start) / NUMBERS_APART;
        let (ticks, places) = ticks::numbers(self.values.start, self.values.end, count);
        let is_hidden = |tick: f64| (self.y(tick) - self.y(newest)).abs() < 16.0;
        self.lines(canvas, &ticks, |tick| if is_hidden(tick) { String::new() } else { written(tick, places) });
    }

    /// Lines at given values.
    pub(crate) fn lines(&self, canvas: &mut Canvas<'_>, values: &[f64], written: impl Fn(f64) -> String) {
        let (grid, muted) = (canvas.palette.grid, canvas.palette.muted);
        for value in values {
            let y = self.y(*value);
            canvas.line(&[(self.x.start, y), (self.x.end, y)], grid.to_rgba(), 1.0);
            let text = written(*value);
            if !text.is_empty() {
                canvas.text(&text, (self.x.end + 8.0, y), Words::new(11.0, muted));
            }
        }
    }

    /// Lines where months or years begin; words too, for the lowest part.
    pub(crate) fn dates(&self, canvas: &mut Canvas<'_>, dates: &[Date], with_words: bool) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a handful of ticks")]
        let most = ((self.x.end - self.x.start) / DATES_APART) as usize;
        let palette = canvas.palette;
        for tick in ticks::dates(dates, most.max(1)) {
            let x = self.x(tick.index) - self.step() / 2.0;
            canvas.line(&[(x, self.y.start), (x, self.y.end)], palette.grid.to_rgba(), if tick.is_major { 1.6 } else { 1.0 });
            if with_words {
                let words = Words::new(11.0, if tick.is_major { palette.text } else { palette.muted }).align(Align::Middle);
                let words = if tick.is_major { words.bold() } else { words };
                canvas.text(&tick.label, (x, self.y.end + 15.0), words);
            }
        }
    }

    /// What the part shows, in its upper left corner: names in the colours of their lines.
    pub(crate) fn legend(&self, canvas: &mut Canvas<'_>, entries: &[(&str, RGBColor)]) {
        self.legend_at(canvas, self.y.start + 10.0, entries);
    }

    /// As [`Self::legend`], in the lower left corner: for lines that hang from the top.
    pub(crate) fn legend_below(&self, canvas: &mut Canvas<'_>, entries: &[(&str, RGBColor)]) {
        self.legend_at(canvas, self.y.end - 10.0, entries);
    }

    fn legend_at(&self, canvas: &mut Canvas<'_>, y: f64, entries: &[(&str, RGBColor)]) {
        let ground = canvas.palette.ground;
        let mut x = self.x.start + 6.0;
        for (text, colour) in entries {
            let width = crate::canvas::width_of(text, 11.0);
            canvas.fill((x - 4.0, y - 8.0), (x + width + 4.0, y + 8.0), ground.mix(0.75));
            canvas.text(text, (x, y), Words::new(11.0, *colour));
            x += width + 18.0;
        }
    }

    /// A line through what there is; gaps stay gaps.
    pub(crate) fn curve(&self, canvas: &mut Canvas<'_>, values: &[f64], colour: RGBAColor, width: f64) {
        for run in runs(values) {
            let points: Vec<Point> = run.map(|index| self.at(index, values[index])).collect();
            canvas.line(&points, colour, width);
        }
    }

    /// The area between a line and `base`.
    pub(crate) fn area(&self, canvas: &mut Canvas<'_>, values: &[f64], base: f64, colour: RGBAColor) {
        for run in runs(values) {
            let (first, last) = (run.start, run.end - 1);
            let curve = run.map(|index| self.at(index, values[index]));
            let points: Vec<Point> = std::iter::once(self.at(first, base)).chain(curve).chain([self.at(last, base)]).collect();
            canvas.polygon(&points, colour);
        }
    }

    /// The area between two lines, where there are both.
    pub(crate) fn band(&self, canvas: &mut Canvas<'_>, upper: &[f64], lower: &[f64], colour: RGBAColor) {
        let both: Vec<f64> = upper.iter().zip(lower).map(|(upper, lower)| upper - lower).collect();
        for run in runs(&both) {
            let there = run.clone().map(|index| self.at(index, upper[index]));
            let points: Vec<Point> = there.chain(run.clone().rev().map(|index| self.at(index, lower[index]))).collect();
            canvas.polygon(&points, colour);
        }
    }

    /// A bar a session, from zero.
    pub(crate) fn bars(&self, canvas: &mut Canvas<'_>, values: &[f64], colour_of: impl Fn(usize) -> RGBAColor) {
        let half = self.bar_width() / 2.0;
        for (index, value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
            let (x, y) = self.at(index, *value);
            canvas.fill((x - half, y), (x + half, self.y(0.0).clamp(self.y.start, self.y.end)), colour_of(index));
        }
    }

    /// Pixels of a bar: most of its session, but no beam.
    pub(crate) fn bar_width(&self) -> f64 {
        (self.step() * 0.68).clamp(0.5, 14.0)
    }

    /// The newest value beside the axis.
    pub(crate) fn newest(&self, canvas: &mut Canvas<'_>, value: f64, text: &str, colour: RGBColor) {
        let y = self.y(value).clamp(self.y.start + 9.0, self.y.end - 9.0);
        canvas.fill((self.x.end + 3.0, y - 9.0), (self.x.end + RIGHT - 3.0, y + 9.0), colour.to_rgba());
        let ground = canvas.palette.ground;
        canvas.text(text, (self.x.end + 8.0, y), Words::new(11.0, ground).bold());
    }
}

/// Stretches of neighbouring finite values.
fn runs(values: &[f64]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (index, _) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
        match runs.last_mut() {
            Some(run) if run.end == index => run.end += 1,
            _ => runs.push(index..index + 1),
        }
    }
    runs
}

/// What the chart is about, above its parts: a name, and beside it what is to be known first.
pub(crate) fn heading(canvas: &mut Canvas<'_>, width: f64, title: &str, facts: &[(String, RGBColor)], below: &str) {
    let palette = canvas.palette;
    let room = width - LEFT - RIGHT;
    let size = if room < 420.0 { 14.0 } else { 17.0 };
    canvas.text(title, (LEFT + 6.0, 22.0), Words::new(size, palette.text).bold());
    let mut x = width - 18.0;
    let left = LEFT + 6.0 + crate::canvas::width_of(title, size) * 1.05 + 20.0;
    // From the right, as many as have room; the first of them is the most important.
    let mut shown = facts.len();
    let needed = |shown: usize| facts[..shown].iter().map(|(text, _)| crate::canvas::width_of(text, 12.5) + 22.0).sum::<f64>();
    while shown > 0 && left + needed(shown) > x {
        shown -= 1;
    }
    for (text, colour) in facts[..shown].iter().rev() {
        canvas.text(text, (x, 22.0), Words::new(12.5, *colour).align(Align::End));
        x -= crate::canvas::width_of(text, 12.5) + 22.0;
    }
    // What has no room is left out, part by part from the end.
    let mut below = below;
    while crate::canvas::width_of(below, 11.5) > width - LEFT - 18.0 {
        let Some(at) = below.rfind(" · ") else { break };
        below = &below[..at];
    }
    canvas.text(below, (LEFT + 6.0, 43.0), Words::new(11.5, palette.muted));
}

/// Instead of parts, where there is nothing to show.
pub(crate) fn nothing(canvas: &mut Canvas<'_>, size: (f64, f64), text: &str) {
    let muted = canvas.palette.muted;
    canvas.text(text, (size.0 / 2.0, size.1 / 2.0), Words::new(14.0, muted).align(Align::Middle));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_part_a_line() {
        let gap = f64::NAN;
        assert_eq!(runs(&[gap, 1.0, 2.0, gap, 3.0]), [1..3, 4..5]);
        assert_eq!(runs(&[gap, gap]), Vec::<Range<usize>>::new());
    }

    #[test]
    fn a_range_takes_in_all_that_can_be_shown() {
        assert_eq!(range_of([2.0, f64::NAN, 12.0], 0.1), 1.0..13.0);
        assert_eq!(range_of([100.0], 0.5), 95.0..105.0);
        assert_eq!(range_of([f64::NAN], 0.1), 0.0..1.0);
    }

    #[test]
    fn parts_share_the_height_and_none_touches_another() {
        let panes = stack((1000.0, 800.0), 10, &[(3.0, 0.0..1.0), (1.0, 0.0..1.0)]);
        let [upper, lower] = [&panes[0].y, &panes[1].y];
        assert!((upper.end + BETWEEN - lower.start).abs() < 1e-9 && (lower.end - (800.0 - BOTTOM)).abs() < 1e-9);
        assert!((upper.end - upper.start - 3.0 * (lower.end - lower.start)).abs() < 1e-9);
    }
}

//! A replay: wealth against the benchmark, drawdown, and whether what was said came true.

use jiff::civil::Date;
use plotters::style::Color;

use crate::{
    Format,
    canvas::{Align, Words, draw},
    pane::{heading, range_of, stack},
    stock::day,
    ticks::{signed_percent, written},
};

/// Wealth, one value a session, beginning at 1.
#[derive(Debug, Clone)]
pub struct ReplayChart<'a> {
    pub dates: &'a [Date],
    pub wealth: &'a [f64],
    pub benchmark: &'a [f64],
    pub calibration: &'a [Calibration],
}

/// Signals of about the same confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    pub signals: u64,
    /// Mean of what was said, 0 to 1.
    pub said: f64,
    /// How often it came true, 0 to 1.
    pub came_true: f64,
}

/// The part of the height that the curves take; calibration has the rest.
const CURVES: f64 = 0.7;

/// Draws it.
pub fn replay(chart: &ReplayChart<'_>, format: Format) -> String {
    let size = (f64::from(format.width), f64::from(format.height));
    let title = "All signals taken automatically, costs included";
    draw(format, title, |canvas| {
        let palette = canvas.palette;
        let gain = |curve: &[f64]| curve.last().map_or(0.0, |last| (last - 1.0) * 100.0);
        let (own, market) = (gain(chart.wealth), gain(chart.benchmark));
        let facts = [
            (signed_percent(own), if own < 0.0 { palette.down } else { palette.up }),
            (format!("market {}", signed_percent(market)), palette.muted),
        ];
        let span = chart
            .dates
            .first()
            .zip(chart.dates.last())
            .map_or_else(String::new, |(first, last)| format!("{} – {}", day(*first), day(*last)));
        heading(canvas, size.0, title, &facts, &span);

        let falls = [below_peak(chart.wealth), below_peak(chart.benchmark)];
        let deepest = range_of(falls.iter().flatten().copied().chain([0.0, -1.0]), 0.06).start;
        let wealth_range = range_of(chart.wealth.iter().chain(chart.benchmark).copied().chain([1.0]), 0.06);
        let panes = stack((size.0, size.1 * CURVES), chart.dates.len(), &[(68.0, wealth_range), (32.0, deepest..0.0)]);
        let [wealth, drawdown] = &panes[..] else { return };
        for pane in &panes {
            pane.dates(canvas, chart.dates, std::ptr::eq(pane, drawdown));
        }
        wealth.numbers(canvas, |number, _| written(number, 2));
        wealth.curve(canvas, chart.benchmark, palette.other.to_rgba(), 1.5);
        wealth.curve(canvas, chart.wealth, palette.main.to_rgba(), 2.0);
        wealth.legend(canvas, &[("value of one dollar", palette.main), ("all stocks, equal weights", palette.other)]);
        drawdown.numbers(canvas, |number, places| format!("{} %", written(number, places)));
        drawdown.area(canvas, &falls[0], 0.0, palette.down.mix(0.25));
        drawdown.curve(canvas, &falls[0], palette.down.to_rgba(), 1.4);
        drawdown.curve(canvas, &falls[1], palette.other.to_rgba(), 1.2);
        drawdown.legend_below(canvas, &[("Drawdown", palette.down), ("of the market", palette.other)]);

        draw_calibration(canvas, chart.calibration, size);
    })
}

/// Percent below the highest value so far.
fn below_peak(curve: &[f64]) -> Vec<f64> {
    let mut peak = 1.0_f64;
    curve
        .iter()
        .map(|value| {
            peak = peak.max(*value);
            (value / peak - 1.0) * 100.0
        })
        .collect()
}

/// Said against came true: honest confidence lies on the diagonal. The area of a disc grows with its number of signals.
fn draw_calibration(canvas: &mut crate::canvas::Canvas<'_>, bins: &[Calibration], size: (f64, f64)) {
    let palette = canvas.palette;
    let (top, bottom) = (size.1 * CURVES + 42.0, size.1 - 34.0);
    let (left, right) = (crate::pane::LEFT, size.0 - crate::pane::RIGHT);
    let (x, y) = (|part: f64| left + part * (right - left), |part: f64| bottom - part * (bottom - top));
    canvas.text(
        "Calibration: confidence said (across) and how often it came true (up)",
        (left + 6.0, top - 20.0),
        Words::new(12.5, palette.text).bold(),
    );
    for tenth in 0..=10 {
        let part = f64::from(tenth) / 10.0;
        canvas.line(&[(x(part), top), (x(part), bottom)], palette.grid.to_rgba(), 1.0);
        canvas.text(&format!("{} %", tenth * 10), (x(part), bottom + 14.0), Words::new(11.0, palette.muted).align(Align::Middle));
        if tenth % 5 == 0 {
            canvas.line(&[(left, y(part)), (right, y(part))], palette.grid.to_rgba(), 1.0);
            canvas.text(&format!("{} %", tenth * 10), (right + 8.0, y(part)), Words::new(11.0, palette.muted));
        }
    }
    canvas.dashed((x(0.0), y(0.0)), (x(1.0), y(1.0)), palette.other.to_rgba(), 1.2);
    let most = bins.iter().map(|bin| bin.signals).max().unwrap_or(1) as f64;
    let points: Vec<_> = bins.iter().map(|bin| (x(bin.said), y(bin.came_true))).collect();
    canvas.line(&points, palette.main.to_rgba(), 1.6);
    for (bin, point) in bins.iter().zip(points) {
        canvas.disc(point, 3.0 + 9.0 * (bin.signals as f64 / most).sqrt(), palette.main.mix(0.75));
    }
}

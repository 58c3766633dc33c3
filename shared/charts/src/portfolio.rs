//! One portfolio: what it is worth beside the market, how far both are below their highs, how much was invested.

use jiff::civil::Date;
use plotters::style::Color;

use crate::{
    Format,
    canvas::draw,
    pane::{heading, nothing, range_of, stack},
    stock::day,
    ticks::{signed_percent, written},
};

/// What is shown of a portfolio: a value a session in each column, oldest first.
#[derive(Debug, Clone)]
pub struct PortfolioChart<'a> {
    pub dates: &'a [Date],
    /// Dollars at each close, the present value last.
    pub equity: &'a [f64],
    /// Dollars that the same deposits would be worth in all stocks in equal weights.
    pub benchmark: &'a [f64],
    /// Fraction below the highest compounded return so far, zero or less.
    pub drawdown: &'a [f64],
    pub benchmark_drawdown: &'a [f64],
    /// Fraction of the value that was not cash.
    pub invested: &'a [f64],
    /// Fractions, over the range.
    pub total_return: Option<f64>,
    pub benchmark_return: Option<f64>,
}

/// Draws it.
pub fn portfolio(chart: &PortfolioChart<'_>, format: Format) -> String {
    let size = (f64::from(format.width), f64::from(format.height));
    let title = "Portfolio";
    draw(format, title, |canvas| {
        let palette = canvas.palette;
        let (Some(first), Some(last)) = (chart.dates.first(), chart.dates.last()) else {
            heading(canvas, size.0, title, &[], "");
            return nothing(canvas, size, "There is nothing in this range.");
        };
        let worth = chart.equity.last().copied().unwrap_or_default();
        let mut facts = vec![(format!("${}", written(worth, 2)), palette.text)];
        if let Some(own) = chart.total_return {
            facts.push((signed_percent(own * 100.0), if own < 0.0 { palette.down } else { palette.up }));
        }
        if let Some(market) = chart.benchmark_return {
            facts.push((format!("market {}", signed_percent(market * 100.0)), palette.muted));
        }
        let deepest = chart.drawdown.iter().copied().fold(0.0, f64::min);
        let below = format!("{} – {} · deepest drawdown {}", day(*first), day(*last), signed_percent(deepest * 100.0));
        heading(canvas, size.0, title, &facts, &below);

        let percent = |values: &[f64]| values.iter().map(|value| value * 100.0).collect::<Vec<_>>();
        let (own_fall, market_fall, invested) = (percent(chart.drawdown), percent(chart.benchmark_drawdown), percent(chart.invested));
        let falls = range_of(own_fall.iter().chain(&market_fall).copied().chain([0.0, -1.0]), 0.06).start..0.0;
        let parts = [(60.0, range_of(chart.equity.iter().chain(chart.benchmark).copied(), 0.08)), (24.0, falls), (14.0, 0.0..100.0)];
        let panes = stack(size, chart.dates.len(), &parts);
        let [wealth, drawdown, exposure] = &panes[..] else { return };
        for pane in &panes {
            pane.dates(canvas, chart.dates, std::ptr::eq(pane, exposure));
        }

        wealth.numbers_beside(canvas, worth, written);
        let floor = range_of(chart.equity.iter().chain(chart.benchmark).copied(), 0.08).start;
        wealth.area(canvas, chart.equity, floor, palette.main.mix(0.08));
        wealth.curve(canvas, chart.benchmark, palette.other.to_rgba(), 1.5);
        wealth.curve(canvas, chart.equity, palette.main.to_rgba(), 2.0);
        wealth.newest(canvas, worth, &written(worth, 0), palette.main);
        wealth.legend(canvas, &[("your portfolio", palette.main), ("the same money in all stocks", palette.other)]);

        drawdown.numbers(canvas, |number, places| format!("{} %", written(number, places)));
        drawdown.area(canvas, &own_fall, 0.0, palette.down.mix(0.25));
        drawdown.curve(canvas, &own_fall, palette.down.to_rgba(), 1.4);
        drawdown.curve(canvas, &market_fall, palette.other.to_rgba(), 1.2);
        drawdown.legend_below(canvas, &[("Drawdown", palette.down), ("of the market", palette.other)]);

        exposure.lines(canvas, &[0.0, 50.0, 100.0], |number| format!("{} %", written(number, 0)));
        exposure.area(canvas, &invested, 0.0, palette.slow.mix(0.3));
        exposure.curve(canvas, &invested, palette.slow.to_rgba(), 1.2);
        exposure.legend(canvas, &[("invested", palette.slow)]);
    })
}

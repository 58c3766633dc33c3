//! The replay as a picture: wealth against the benchmark, drawdown, calibration.

use std::path::Path;

use anyhow::anyhow;
use domain::Date;
use plotters::{
    coord::Shift,
    prelude::{
        AreaSeries, ChartBuilder, Circle, Color, DrawingArea, DrawingAreaErrorKind, IntoDrawingArea, IntoFont, LineSeries, PathElement,
        RGBColor, Rectangle, SVGBackend, SeriesLabelPosition, WHITE,
    },
};

use super::report::{Curve, Report};

const SIZE: (u32, u32) = (1000, 900);
const OWN: RGBColor = RGBColor(24, 95, 165);
const MARKET: RGBColor = RGBColor(136, 135, 128);
const LOSS: RGBColor = RGBColor(200, 60, 60);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

pub fn write(path: &Path, report: &Report) -> anyhow::Result<()> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    let draw = || -> Drawn {
        root.fill(&WHITE)?;
        let (wealth, rest) = root.split_vertically(420);
        let (drawdown, calibration) = rest.split_vertically(200);
        draw_wealth(&wealth, report)?;
        draw_drawdown(&drawdown, report)?;
        draw_calibration(&calibration, report)?;
        root.present()
    };
    draw().map_err(|error| anyhow!("{error}"))
}

fn draw_wealth(area: &Area<'_>, report: &Report) -> Drawn {
    let values = || report.portfolio.iter().chain(&report.benchmark).map(|(_, value)| *value);
    let (low, high) = (values().fold(1.0, f64::min), values().fold(1.0, f64::max));
    let sessions = report.portfolio.len().max(report.benchmark.len());
    let mut chart = ChartBuilder::on(area)
        .caption("Value of one dollar, costs included", ("sans-serif", 20).into_font())
        .margin(12)
        .x_label_area_size(28)
        .y_label_area_size(56)
        .build_cartesian_2d(0..sessions, low * 0.98..high * 1.02)?;
    let dates: Vec<Date> = report.benchmark.iter().map(|(date, _)| *date).collect();
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_labels(9)
        .x_label_formatter(&|at| label(&dates, *at))
        .y_label_formatter(&|value| format!("{value:.2}"))
        .draw()?;
    for (name, curve, colour) in [("signals", &report.portfolio, OWN), ("all stocks, equal weights", &report.benchmark, MARKET)] {
        let points = curve.iter().enumerate().map(|(at, (_, value))| (at, *value));
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(MARKET.mix(0.4))
        .draw()
}

fn draw_drawdown(area: &Area<'_>, report: &Report) -> Drawn {
    let own = below_peak(&report.portfolio);
    let market = below_peak(&report.benchmark);
    let deepest = own.iter().chain(&market).copied().fold(-1.0, f64::min);
    let mut chart = ChartBuilder::on(area)
        .caption("Drawdown, percent", ("sans-serif", 16).into_font())
        .margin(12)
        .x_label_area_size(10)
        .y_label_area_size(56)
        .build_cartesian_2d(0..own.len().max(market.len()), deepest * 1.05..0.0)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .disable_x_mesh()
        .disable_x_axis()
        .y_labels(5)
        .y_label_formatter(&|value| format!("{value:.0}"))
        .draw()?;
    chart.draw_series(AreaSeries::new(own.iter().copied().enumerate(), 0.0, LOSS.mix(0.25)).border_style(LOSS))?;
    chart.draw_series(LineSeries::new(market.iter().copied().enumerate(), MARKET.stroke_width(1)))?;
    Ok(())
}

/// Said against came true: honest confidence lies on the diagonal. The bars show how many signals said it.
fn draw_calibration(area: &Area<'_>, report: &Report) -> Drawn {
    let mut chart = ChartBuilder::on(area)
        .caption("Calibration: confidence said (across) and how often it came true (up)", ("sans-serif", 16).into_font())
        .margin(12)
        .x_label_area_size(28)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_labels(11)
        .y_labels(6)
        .x_label_formatter(&|value| format!("{value:.1}"))
        .y_label_formatter(&|value| format!("{value:.1}"))
        .draw()?;
    let most = report.calibration.iter().map(|bin| bin.signals).max().unwrap_or(1) as f64;
    chart.draw_series(report.calibration.iter().map(|bin| {
        Rectangle::new([(bin.bin_low + 0.01, 0.0), (bin.bin_high - 0.01, bin.signals as f64 / most * 0.3)], MARKET.mix(0.2).filled())
    }))?;
    chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], MARKET.stroke_width(1)))?;
    let points: Vec<(f64, f64)> = report.calibration.iter().filter_map(|bin| Some((bin.mean_confidence?, bin.hit_rate?))).collect();
    chart.draw_series(LineSeries::new(points.clone(), OWN.stroke_width(2)))?;
    chart.draw_series(points.into_iter().map(|point| Circle::new(point, 4, OWN.filled())))?;
    Ok(())
}

fn below_peak(curve: &Curve) -> Vec<f64> {
    let mut peak = 1.0_f64;
    let depth = |value: f64, peak: f64| (value / peak - 1.0) * 100.0;
    curve
        .iter()
        .map(|(_, value)| {
            peak = peak.max(*value);
            depth(*value, peak)
        })
        .collect()
}

fn label(dates: &[Date], at: usize) -> String {
    dates.get(at).map_or_else(String::new, |date| date.strftime("%Y-%m").to_string())
}

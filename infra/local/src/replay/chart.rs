//! The replay as a picture: wealth against the benchmark, drawdown, calibration.

use std::{fs, io, path::Path};

use charts::{Calibration, Format, ReplayChart, Theme};
use domain::Date;

use super::report::{Curve, Report};

const FORMAT: Format = Format { width: 1000, height: 900, theme: Theme::Light };

pub fn write(path: &Path, report: &Report) -> io::Result<()> {
    let dates: Vec<Date> = report.benchmark.iter().map(|(date, _)| *date).collect();
    let values = |curve: &Curve| curve.iter().map(|(_, value)| *value).collect::<Vec<f64>>();
    let calibration: Vec<Calibration> = report
        .calibration
        .iter()
        .filter_map(|bin| Some(Calibration { signals: bin.signals, said: bin.mean_confidence?, came_true: bin.hit_rate? }))
        .collect();
    let chart =
        ReplayChart { dates: &dates, wealth: &values(&report.portfolio), benchmark: &values(&report.benchmark), calibration: &calibration };
    fs::write(path, charts::replay(&chart, FORMAT))
}

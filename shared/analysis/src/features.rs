//! The one definition of features, used by the trainer and by serving alike.
//!
//! [`FeatureTable`] holds two views of the same bars: [`Levels`], the indicators as people read them (dollars, shares, percent,
//! on the share basis of the series), and the model's vector, [`MODEL_FEATURES`], which is free of scale. Every value of a bar
//! is computed from that bar and earlier ones only.

mod levels;
mod scale_free;
mod schema;

use domain::{Date, Sector, TradingDate};

pub use levels::{FeatureRow, LEVEL_NAMES, Levels};
pub use scale_free::{MODEL_FEATURE_COUNT, MODEL_FEATURES};
pub use schema::{FEATURES_VERSION, schema, schema_hash};

use crate::{MarketContext, MarketRegime, Series};

/// All features of one stock, a row a session.
#[derive(Debug, Clone)]
pub struct FeatureTable {
    dates: Vec<TradingDate>,
    levels: Levels,
    regimes: Vec<Option<MarketRegime>>,
    /// Row after row of [`MODEL_FEATURE_COUNT`] values.
    model: Vec<f32>,
}

impl FeatureTable {
    /// Computes every feature of every session of `series`. Where `market` has no session of the day, or no sector is known, what needs
    /// it is missing.
    pub fn compute(series: &Series, market: &MarketContext, sector: Option<Sector>) -> Self {
        let days: Vec<_> = market.along(series.dates()).collect();
        let levels = Levels::compute(series, &days, sector);
        let model = scale_free::compute(series, &levels, &days);
        let regimes = days.iter().map(|day| day.and_then(|(_, trend)| trend.regime())).collect();
        Self { dates: series.dates().to_vec(), levels, regimes, model }
    }

    pub fn len(&self) -> usize {
        self.dates.len()
    }

    pub fn is_empty(&self) -> bool {
        self.dates.is_empty()
    }

    pub fn dates(&self) -> &[TradingDate] {
        &self.dates
    }

    /// The position of `date`, when the stock traded on it.
    pub fn index_of(&self, date: Date) -> Option<usize> {
        self.dates.binary_search_by_key(&date, |session| session.date()).ok()
    }

    /// The indicators' columns, `NaN` where missing.
    pub fn levels(&self) -> &Levels {
        &self.levels
    }

    /// An indicator's column by its name in [`LEVEL_NAMES`].
    pub fn column(&self, name: &str) -> Option<&[f64]> {
        self.levels.column(name)
    }

    pub fn regimes(&self) -> &[Option<MarketRegime>] {
        &self.regimes
    }

    /// One session's indicators, `None` where missing.
    ///
    /// # Panics
    /// If `index` is not below [`Self::len`].
    pub fn row(&self, index: usize) -> FeatureRow {
        self.levels.row(index, self.dates[index], self.regimes[index])
    }

    pub fn rows(&self) -> impl DoubleEndedIterator<Item = FeatureRow> + ExactSizeIterator {
        (0..self.len()).map(|index| self.row(index))
    }

    pub fn last_row(&self) -> Option<FeatureRow> {
        self.rows().next_back()
    }

    /// One session's features for the model, in the order of [`MODEL_FEATURES`]; `NaN` for missing, never infinite.
    ///
    /// # Panics
    /// If `index` is not below [`Self::len`].
    pub fn model_row(&self, index: usize) -> [f32; MODEL_FEATURE_COUNT] {
        let start = index * MODEL_FEATURE_COUNT;
        self.model[start..start + MODEL_FEATURE_COUNT].try_into().expect("a row has as many values as there are features")
    }

    /// All sessions' features for the model, row after row.
    pub fn model_matrix(&self) -> &[f32] {
        &self.model
    }
}

#[cfg(test)]
mod tests;

//! Where money becomes `f64`: one stock's bars as columns of plain numbers, comparable with each other.

use domain::{ActionKind, Bar, Date, Decimal, PriceHistory, TradingDate};
use rust_decimal::prelude::ToPrimitive;

/// One stock's sessions as columns, on the share basis of one date.
///
/// Every number is finite, every price above zero, dates ascend strictly: TA-Lib's recursions never recover from one
/// `NaN`, so it is refused here, before any indicator runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    dates: Vec<TradingDate>,
    open: Vec<f64>,
    high: Vec<f64>,
    low: Vec<f64>,
    close: Vec<f64>,
    volume: Vec<f64>,
    total_return: Vec<f64>,
}

/// One session of [`Series::from_rows`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesRow {
    pub date: TradingDate,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    pub volume: f64,
    pub total_return: f64,
}

/// Why rows do not make a series.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    #[error("{0}: a price is not a finite number above zero")]
    Price(TradingDate),
    #[error("{0}: the volume is not a finite number of zero or more")]
    Volume(TradingDate),
    #[error("{0} does not come after the session before it")]
    Order(TradingDate),
}

impl Series {
    /// The sessions of `history` up to `as_of`, adjusted for the splits and spin-offs whose ex-date is not after `as_of`.
    ///
    /// Between two such ex-dates all of a stock's series agree to the last bit, whatever their `as_of`. The total-return column agrees
    /// everywhere: it grows from the first session on, so that nothing later can reach back into it.
    ///
    /// `history` is what was known at the time ([`PriceHistory::known_at`]). Where a restatement is still in it, the newest counts.
    pub fn new(history: &PriceHistory, as_of: Date) -> Self {
        let adjustments = history.adjustments(as_of);
        let mut series = Self::with_capacity(history.bars.len());
        // The factors change a few times in a history, their conversion is not repeated for every bar.
        let mut current = None;
        let mut factors = (1.0, 1.0);
        let mut before: Option<(&Bar, f64)> = None;
        for (index, (record, adjustment)) in history.bars.iter().zip(&adjustments).enumerate() {
            let bar = &record.bar;
            if bar.date.date() > as_of {
                break;
            }
            if history.bars.get(index + 1).is_some_and(|next| next.bar.date == bar.date) {
                continue;
            }
            if current != Some(*adjustment) {
                current = Some(*adjustment);
                factors = (float(adjustment.price), float(adjustment.volume));
            }
            let (price, volume) = factors;
            let close = dollars(bar.close.units());
            let total_return = before.map_or(close, |(before, level)| level * growth(history, before, bar));
            series.put(SeriesRow {
                date: bar.date,
                open: dollars(bar.open.units()) * price,
                high: dollars(bar.high.units()) * price,
                low: dollars(bar.low.units()) * price,
                close: close * price,
                volume: bar.volume as f64 * volume,
                total_return,
            });
            before = Some((bar, total_return));
        }
        series
    }

    /// From numbers that were never money, such as another vendor's already adjusted bars for training.
    pub fn from_rows(rows: impl IntoIterator<Item = SeriesRow>) -> Result<Self, SeriesError> {
        let mut series = Self::with_capacity(0);
        for row in rows {
            let prices = [row.open, row.high, row.low, row.close, row.total_return];
            if !prices.iter().all(|price| price.is_finite() && *price > 0.0) {
                return Err(SeriesError::Price(row.date));
            }
            if !(row.volume.is_finite() && row.volume >= 0.0) {
                return Err(SeriesError::Volume(row.date));
            }
            if series.dates.last().is_some_and(|last| *last >= row.date) {
                return Err(SeriesError::Order(row.date));
            }
            series.put(row);
        }
        Ok(series)
    }

    fn with_capacity(sessions: usize) -> Self {
        let column = || Vec::with_capacity(sessions);
        Self {
            dates: Vec::with_capacity(sessions),
            open: column(),
            high: column(),
            low: column(),
            close: column(),
            volume: column(),
            total_return: column(),
        }
    }

    fn put(&mut self, row: SeriesRow) {
        self.dates.push(row.date);
        self.open.push(row.open);
        self.high.push(row.high);
        self.low.push(row.low);
        self.close.push(row.close);
        self.volume.push(row.volume);
        self.total_return.push(row.total_return);
    }

    /// Keeps the first `sessions`.
    pub fn truncate(&mut self, sessions: usize) {
        self.dates.truncate(sessions);
        for column in [&mut self.open, &mut self.high, &mut self.low, &mut self.close, &mut self.volume, &mut self.total_return] {
            column.truncate(sessions);
        }
    }

    pub fn len(&self) -> usize {
        self.dates.len()
    }

    pub fn is_empty(&self) -> bool {
        self.dates.is_empty()
    }

    /// The position of `date`, when the stock traded on it.
    pub fn index_of(&self, date: Date) -> Option<usize> {
        self.dates.binary_search_by_key(&date, |session| session.date()).ok()
    }

    pub fn dates(&self) -> &[TradingDate] {
        &self.dates
    }

    /// Dollars, adjusted for splits and spin-offs.
    pub fn open(&self) -> &[f64] {
        &self.open
    }

    /// Dollars, adjusted for splits and spin-offs.
    pub fn high(&self) -> &[f64] {
        &self.high
    }

    /// Dollars, adjusted for splits and spin-offs.
    pub fn low(&self) -> &[f64] {
        &self.low
    }

    /// Dollars, adjusted for splits and spin-offs.
    pub fn close(&self) -> &[f64] {
        &self.close
    }

    /// Shares, adjusted for splits.
    pub fn volume(&self) -> &[f64] {
        &self.volume
    }

    /// What the first close has become with everything that was paid or given away put back into the stock. Its level depends on
    /// where the history begins: only ratios of it may enter a feature.
    pub fn total_return(&self) -> &[f64] {
        &self.total_return
    }
}

fn dollars(units: i64) -> f64 {
    units as f64 / 10_000.0
}

/// By what a holding grows from one close to the next: the price, the shares that came by splits and spin-offs, and dividends
/// reinvested by CRSP's factor `1 − dividend / close before`, that close on the ex-date's share basis.
fn growth(history: &PriceHistory, before: &Bar, after: &Bar) -> f64 {
    let price = dollars(after.close.units()) / dollars(before.close.units());
    let first = history.actions.partition_point(|action| action.ex_date <= before.date.date());
    let end = history.actions.partition_point(|action| action.ex_date <= after.date.date());
    if first == end {
        return price;
    }
    let actions = &history.actions[first..end];
    let gained: Decimal = actions
        .iter()
        .map(|action| match &action.kind {
            ActionKind::Split { .. } | ActionKind::SpinOff { .. } => action.kind.price_ratio(),
            ActionKind::Dividend { amount, .. } => {
                let same_day: Decimal =
                    actions.iter().filter(|other| other.ex_date == action.ex_date).map(|other| other.kind.price_ratio()).product();
                let paid_of = before.close.decimal() / same_day;
                // A dividend of the whole price or more is a data fault that must not turn prices negative.
                if *amount < paid_of { paid_of / (paid_of - amount) } else { Decimal::ONE }
            }
            ActionKind::SymbolChange { .. } | ActionKind::Delisting { .. } => Decimal::ONE,
        })
        .product();
    price * float(gained)
}

fn float(factor: Decimal) -> f64 {
    factor.to_f64().expect("a decimal is finite")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{ActionKind, Bar, BarRecord, CorporateAction, Decimal, Price, Source, Timestamp};
    use jiff::civil::date;

    fn bar(day: Date, close: &str, volume: u64) -> BarRecord {
        let price: Price = close.parse().unwrap();
        let bar = Bar { date: TradingDate::new(day).unwrap(), open: price, high: price, low: price, close: price, volume };
        BarRecord { bar, source: Source::Bundled, known_at: Timestamp::UNIX_EPOCH }
    }

    fn apple() -> PriceHistory {
        let split = CorporateAction {
            ex_date: date(2020, 8, 31),
            kind: ActionKind::Split { ratio: Decimal::from(4) },
            source: Source::Bundled,
            known_at: Timestamp::UNIX_EPOCH,
        };
        let mut history = PriceHistory::new("AAPL".parse().unwrap());
        history.merge(&[bar(date(2020, 8, 28), "499.23", 46_907_479), bar(date(2020, 8, 31), "129.04", 225_702_700)], &[split]);
        history
    }

    #[test]
    fn a_split_counts_from_its_ex_date_and_not_before() {
        let before = Series::new(&apple(), date(2020, 8, 28));
        assert_eq!((before.close(), before.volume()), (&[499.23][..], &[46_907_479.0][..]));
        let after = Series::new(&apple(), date(2020, 8, 31));
        assert_eq!(after.close(), [499.23 / 4.0, 129.04]);
        assert_eq!(after.volume(), [46_907_479.0 * 4.0, 225_702_700.0]);
    }

    #[test]
    fn the_total_return_grows_from_the_first_session_and_no_later_event_reaches_back() {
        let mut history = apple();
        let dividend = CorporateAction {
            ex_date: date(2020, 8, 31),
            kind: ActionKind::Dividend { amount: Decimal::ONE, pay_date: None },
            source: Source::Bundled,
            known_at: Timestamp::UNIX_EPOCH,
        };
        history.merge(&[bar(date(2020, 9, 1), "134.18", 1)], &[dividend]);
        let series = Series::new(&history, date(2020, 9, 1));
        let [first, second, third] = series.total_return() else { panic!("three sessions") };
        // A share for 499.23 became four, and the dollar on each of them bought more of them at 124.8075, the close before.
        let expected = 4.0 * 129.04 / (1.0 - 1.0 / 124.8075);
        assert!((first - 499.23).abs() < 1e-9 && (second - expected).abs() < 1e-9 && (third / second - 134.18 / 129.04).abs() < 1e-12);
        assert_eq!(Series::new(&history, date(2020, 8, 28)).total_return(), &series.total_return()[..1]);
        assert_eq!(Series::new(&history, date(2020, 8, 31)).total_return(), &series.total_return()[..2]);
    }

    #[test]
    fn what_would_poison_an_indicator_is_refused_by_name() {
        let day = |d| TradingDate::new(date(2020, 1, d)).unwrap();
        let row = SeriesRow { date: day(2), open: 1.0, high: 1.0, low: 1.0, close: 1.0, volume: 0.0, total_return: 1.0 };
        let refused = |rows: &[SeriesRow]| Series::from_rows(rows.iter().copied()).unwrap_err();
        assert_eq!(refused(&[SeriesRow { high: f64::NAN, ..row }]), SeriesError::Price(day(2)));
        assert_eq!(refused(&[SeriesRow { low: 0.0, ..row }]), SeriesError::Price(day(2)));
        assert_eq!(refused(&[SeriesRow { total_return: f64::INFINITY, ..row }]), SeriesError::Price(day(2)));
        assert_eq!(refused(&[SeriesRow { volume: -1.0, ..row }]), SeriesError::Volume(day(2)));
        assert_eq!(refused(&[row, row]), SeriesError::Order(day(2)));
        assert_eq!(Series::from_rows([row, SeriesRow { date: day(3), ..row }]).unwrap().len(), 2);
    }
}

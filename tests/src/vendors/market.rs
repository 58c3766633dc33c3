//! What a simulated vendor knows.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use adapters::market_data::bundled::Bundled;
use domain::{ActionKind, Company, CorporateAction, Date, Decimal, PriceHistory, Symbol, TradingDate, calendar};

/// One day of one stock as traded. Nothing is checked: a vendor may say what it likes.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub day: Date,
    pub open: Decimal,
    pub high: Decimal,
    pub low: Decimal,
    pub close: Decimal,
    pub volume: u64,
}

#[derive(Debug, Clone)]
pub struct Stock {
    pub company: Company,
    /// By day.
    pub rows: Vec<Row>,
    /// By ex-date.
    pub actions: Vec<CorporateAction>,
}

impl Stock {
    /// All of a history: of a bar that was restated, the newest version.
    pub fn new(company: Company, history: &PriceHistory) -> Self {
        let mut rows: Vec<Row> = Vec::with_capacity(history.bars.len());
        for bar in history.bars.iter().map(|record| record.bar) {
            let [open, high, low, close] = [bar.open, bar.high, bar.low, bar.close].map(domain::Price::decimal);
            let row = Row { day: bar.date.date(), open, high, low, close, volume: bar.volume };
            match rows.last_mut() {
                Some(last) if last.day == row.day => *last = row,
                _ => rows.push(row),
            }
        }
        Self { company, rows, actions: history.actions.clone() }
    }

    /// The rows from `first` to `last` inclusive.
    pub(super) fn between(&self, first: Date, last: Date) -> &[Row] {
        let start = self.rows.partition_point(|row| row.day < first);
        let end = self.rows.partition_point(|row| row.day <= last);
        self.rows.get(start..end).unwrap_or(&[])
    }

    /// By what earlier prices are divided for the splits with an ex-date after `day` and up to `known`.
    pub(super) fn split_factor(&self, day: Date, known: Date) -> Decimal {
        let later = self.actions.iter().filter(|action| action.ex_date > day && action.ex_date <= known);
        later.map(|action| action.kind.share_ratio()).product()
    }

    /// The split ratio and the cash dividend of an ex-date.
    pub(super) fn events_of(&self, day: Date) -> (Decimal, Decimal) {
        let (mut ratio, mut cash) = (Decimal::ONE, Decimal::ZERO);
        for action in self.actions.iter().filter(|action| action.ex_date == day) {
            match action.kind {
                ActionKind::Split { ratio: split } => ratio *= split,
                ActionKind::Dividend { amount, .. } => cash += amount,
                // Told in other lists, or not at all.
                ActionKind::SpinOff { .. } | ActionKind::SymbolChange { .. } | ActionKind::Delisting { .. } => {}
            }
        }
        (ratio, cash)
    }
}

/// Stocks by symbol. Cheap to clone until it is changed.
#[derive(Debug, Clone, Default)]
pub struct Market {
    stocks: BTreeMap<Symbol, Arc<Stock>>,
}

impl Market {
    /// The sixty stocks that ship with the program, 2018-01-02 to 2024-03-08.
    pub fn bundled() -> Self {
        static MARKET: LazyLock<Market> = LazyLock::new(|| {
            let bundled = Bundled::new();
            let stocks = bundled
                .all_companies()
                .iter()
                .filter_map(|company| Some(Stock::new(company.clone(), bundled.history_of(&company.symbol)?)));
            Market::new(stocks)
        });
        MARKET.clone()
    }

    pub fn new(stocks: impl IntoIterator<Item = Stock>) -> Self {
        Self { stocks: stocks.into_iter().map(|stock| (stock.company.symbol.clone(), Arc::new(stock))).collect() }
    }

    /// The same prices some sessions later or earlier, so that the last one is `last`. Sessions stay sessions.
    pub fn ending_on(mut self, last: TradingDate) -> Self {
        let Some((from, to)) = self
            .stocks
            .values()
            .filter_map(|stock| Some((stock.rows.first()?.day, stock.rows.last()?.day)))
            .reduce(|(first, last), (start, end)| (first.min(start), last.max(end)))
        else {
            return self;
        };
        let old: Vec<Date> = calendar::sessions(from, to).map(TradingDate::date).collect();
        let mut moved: BTreeMap<Date, Date> = BTreeMap::new();
        let mut day = last;
        for session in old.iter().rev() {
            moved.insert(*session, day.date());
            day = day.previous();
        }
        let shift = |day: Date| moved.range(day..).next().map_or(last.next().date(), |(_, moved)| *moved);
        for stock in self.stocks.values_mut().map(Arc::make_mut) {
            stock.rows.iter_mut().for_each(|row| row.day = shift(row.day));
            stock.actions.iter_mut().for_each(|action| action.ex_date = shift(action.ex_date));
        }
        self
    }

    pub fn stocks(&self) -> impl Iterator<Item = &Stock> {
        self.stocks.values().map(Arc::as_ref)
    }

    pub fn get(&self, symbol: &Symbol) -> Option<&Stock> {
        self.stocks.get(symbol).map(Arc::as_ref)
    }

    /// Adds a stock or replaces the one of that symbol.
    pub fn put(&mut self, stock: Stock) {
        self.stocks.insert(stock.company.symbol.clone(), Arc::new(stock));
    }

    /// The vendor has never heard of it.
    pub fn forget(&mut self, symbol: &str) {
        self.stocks.remove(symbol);
    }

    /// # Panics
    /// When there is no such stock: a test that changes what is not there is wrong.
    pub fn stock_mut(&mut self, symbol: &str) -> &mut Stock {
        Arc::make_mut(self.stocks.get_mut(symbol).unwrap_or_else(|| panic!("{symbol} is not simulated")))
    }

    /// Says something else of a day from now on.
    pub fn restate(&mut self, symbol: &str, day: &str, change: impl FnOnce(&mut Row)) {
        change(self.row_mut(symbol, day));
    }

    /// Leaves a day out from now on.
    pub fn remove(&mut self, symbol: &str, day: &str) -> Row {
        let row = self.row_mut(symbol, day).clone();
        self.stock_mut(symbol).rows.retain(|other| other.day != row.day);
        row
    }

    /// Says a day twice from now on.
    pub fn duplicate(&mut self, symbol: &str, day: &str) {
        let row = self.row_mut(symbol, day).clone();
        self.insert(symbol, row);
    }

    /// Adds a row, on whatever day.
    pub fn insert(&mut self, symbol: &str, row: Row) {
        let rows = &mut self.stock_mut(symbol).rows;
        let place = rows.partition_point(|other| other.day <= row.day);
        rows.insert(place, row);
    }

    fn row_mut(&mut self, symbol: &str, day: &str) -> &mut Row {
        let date: Date = day.parse().expect("a date");
        let rows = &mut self.stock_mut(symbol).rows;
        rows.iter_mut().find(|row| row.day == date).unwrap_or_else(|| panic!("{symbol} has no row of {day}"))
    }
}

/// With the same digits: a decimal of a price has far fewer than a double can hold.
pub(super) fn number(decimal: Decimal) -> f64 {
    decimal.to_string().parse().expect("a decimal is a number")
}

//! A backtest is a replay: what the jobs do every day, over stored history in one go.
//!
//! Portfolios are revalued at the open and at the close, and in the evening, when the day's bars have come in, signals are made and
//! taken. The functions are those of the jobs (`propose`, `take`, `session::run`), and so are the instants: the ledger of a
//! replay is, entry for entry, the one that the scheduled jobs write for a user with `auto_trade` on. A test of the whole compares
//! the two.

use std::collections::BTreeMap;

use analysis::{FeatureTable, MarketContext, Series, labels, market::Member};
use domain::{
    Company, Date, PriceHistory, Symbol, Timestamp, TradingDate, UserId, calendar,
    signal::Signal,
    trading::{Cause, DayTape, Entry, Journal, MarketView, Portfolio, StockView, Trade, TradingRules, Valuation, session},
};

use crate::{
    jobs::schedule::ingestion_of,
    market::{background, effective_on, liquidity_after},
    portfolio::{
        Terms, automation,
        change::opening,
        revalue::{self, is_over, unseen_sessions},
    },
    ports::{ModelError, Scorer},
    signals::{
        PerformanceSummary, evaluate, generate,
        performance::{self, DayPerformance},
        summarize,
    },
};

/// What is replayed.
pub struct Replay<'a> {
    pub histories: &'a [PriceHistory],
    pub companies: &'a [Company],
    pub scorer: &'a dyn Scorer,
    pub rules: &'a TradingRules,
    /// Which signals are taken, and how large.
    pub terms: Terms,
    /// The first session in which anything can trade: the signals of the evening before are the first to be taken.
    pub from: TradingDate,
    pub to: TradingDate,
}

/// How it went.
pub struct Replayed {
    pub portfolio: Portfolio,
    pub entries: Vec<Entry>,
    pub trades: Vec<Trade>,
    /// One for each session in which there was something to value.
    pub valuations: Vec<Valuation>,
    /// Mean return of all stocks in equal weights, one a session.
    pub benchmark: Vec<(Date, f64)>,
    /// How good all signals were, taken or not.
    pub signals: PerformanceSummary,
    /// Signals that the limits refused or cut to nothing.
    pub refused: usize,
}

/// One stock with everything that is computed once.
struct Stock<'a> {
    company: &'a Company,
    history: &'a PriceHistory,
    /// On the share basis of the last session.
    series: Series,
    /// Features on each share basis that the stock has had, and the first day of each: a signal is made in the dollars of its day.
    tables: Vec<(Date, FeatureTable)>,
}

impl Replay<'_> {
    pub fn run(&self) -> Result<Replayed, ModelError> {
        let (stocks, context) = self.prepare();
        let days = self.score(&stocks)?;
        let mut desk = Desk::new(self);
        desk.evening(&days, &stocks, self.from.previous());
        for date in calendar::sessions(self.from.date(), self.to.date()) {
            desk.revalue(&stocks, date.open());
            desk.revalue(&stocks, date.close());
            desk.evening(&days, &stocks, date);
        }
        let evaluated: Vec<DayPerformance> = days.iter().map(|(date, signals)| evaluated(*date, signals, &stocks)).collect();
        let benchmark = context.sessions().iter().filter(|session| session.date >= self.from && session.date <= self.to);
        Ok(Replayed {
            benchmark: benchmark.map(|session| (session.date.date(), session.mean_return)).collect(),
            signals: summarize(&evaluated, 0, 0),
            portfolio: desk.portfolio,
            entries: desk.entries,
            trades: desk.trades,
            valuations: desk.valuations,
            refused: desk.refused,
        })
    }

    /// Features of the whole history at once: a session's features do not change when later bars are added, so that nothing is
    /// known too early.
    fn prepare(&self) -> (Vec<Stock<'_>>, MarketContext) {
        let as_of = self.to.date();
        let series: Vec<Series> = self.histories.iter().map(|history| Series::new(history, as_of)).collect();
        let company = |symbol: &Symbol| self.companies.iter().find(|company| company.symbol == *symbol);
        let members: Vec<Member<'_>> = self
            .histories
            .iter()
            .zip(&series)
            .map(|(history, series)| Member::always(series, company(&history.symbol).and_then(|company| company.sector)))
            .collect();
        let context = MarketContext::new(&members);
        let stocks = self.histories.iter().zip(series.iter()).filter_map(|(history, series)| {
            let company = company(&history.symbol)?;
            Some(Stock { company, history, series: series.clone(), tables: tables(history, company, &context, as_of) })
        });
        (stocks.collect(), context)
    }

    /// All signals of all sessions, from the one before the first on, scored as one batch.
    fn score(&self, stocks: &[Stock<'_>]) -> Result<BTreeMap<TradingDate, Vec<Signal>>, ModelError> {
        let first = self.from.previous();
        let places: Vec<(&Stock<'_>, &FeatureTable, usize)> = stocks
            .iter()
            .flat_map(|stock| stock.series.dates().iter().enumerate().map(move |(index, date)| (stock, index, *date)))
            .filter(|(_, _, date)| *date >= first && *date <= self.to)
            .map(|(stock, index, date)| (stock, stock.table_on(date), index))
            .collect();
        let rows: Vec<_> = places.iter().map(|(_, table, index)| table.model_row(*index)).collect();
        let scores = self.scorer.score(&rows)?;
        let mut days: BTreeMap<TradingDate, Vec<Signal>> = BTreeMap::new();
        for ((stock, table, index), raw) in places.into_iter().zip(scores) {
            let signal = stock.signal(table, index, raw, self.scorer);
            days.entry(signal.date).or_default().push(signal);
        }
        Ok(days)
    }
}

/// One table for each share basis, from the first day of that basis on.
fn tables(history: &PriceHistory, company: &Company, context: &MarketContext, as_of: Date) -> Vec<(Date, FeatureTable)> {
    let mut changes: Vec<Date> = history
        .actions
        .iter()
        .filter(|action| action.kind.price_ratio() != domain::Decimal::ONE && action.ex_date <= as_of)
        .map(|action| action.ex_date)
        .collect();
    changes.dedup();
    let lasts = changes.iter().map(|next| next.yesterday().expect("the calendar begins long before any split")).chain([as_of]);
    let firsts = std::iter::once(Date::MIN).chain(changes.iter().copied());
    firsts.zip(lasts).map(|(first, last)| (first, FeatureTable::compute(&Series::new(history, last), context, company.sector))).collect()
}

impl Stock<'_> {
    fn table_on(&self, date: TradingDate) -> &FeatureTable {
        let at = self.tables.partition_point(|(first, _)| *first <= date.date()) - 1;
        &self.tables[at].1
    }

    fn signal(&self, table: &FeatureTable, index: usize, raw: [f32; 3], scorer: &dyn Scorer) -> Signal {
        let date = table.dates()[index];
        let features = table.row(index);
        let setting = generate::Setting {
            company: self.company,
            date,
            close: self.history.bar_on(date.date()).expect("a session of the series has its bar").bar.close,
            atr: features.atr_14.unwrap_or(f64::NAN),
            volatility: features.volatility_20d,
            generated_at: ingestion_of(date),
        };
        generate::propose(&setting, raw, scorer.manifest()).0
    }

    fn view(&self, date: TradingDate) -> Option<StockView> {
        let bar = self.history.bar_on(date.date())?.bar;
        Some(StockView {
            sector: self.company.sector,
            is_active: self.company.is_active,
            last_price: bar.close,
            priced_at: date.close(),
            liquidity: liquidity_after(self.history, date),
        })
    }

    /// What of the session can be seen at `now`: its open, or all of it.
    fn tape(&self, date: TradingDate, now: Timestamp) -> Option<DayTape> {
        let day = date.date();
        let actions = effective_on(self.history, date);
        let before = background(self.history, day);
        match self.history.bar_on(day) {
            Some(record) if now < date.close() => Some(DayTape { rest: None, ..DayTape::of_bar(&record.bar, actions, before) }),
            Some(record) => Some(DayTape::of_bar(&record.bar, actions, before)),
            None => DayTape::without_prices(date, actions, before),
        }
    }
}

/// The automatic trader's portfolio.
struct Desk<'a> {
    rules: &'a TradingRules,
    terms: Terms,
    portfolio: Portfolio,
    entries: Vec<Entry>,
    trades: Vec<Trade>,
    valuations: Vec<Valuation>,
    refused: usize,
}

impl<'a> Desk<'a> {
    fn new(replay: &Replay<'a>) -> Self {
        Self {
            rules: replay.rules,
            terms: replay.terms,
            portfolio: Portfolio::empty(UserId("replay".into())),
            entries: vec![],
            trades: vec![],
            valuations: vec![],
            refused: 0,
        }
    }

    fn commit(&mut self, journal: Journal) {
        let (portfolio, entries, changes) = journal.finish();
        self.portfolio = portfolio;
        self.entries.extend(entries);
        self.trades.extend(changes.trades);
        self.valuations.extend(changes.valuations);
    }

    /// The job `revalue`.
    fn revalue(&mut self, stocks: &[Stock<'_>], now: Timestamp) {
        let mut journal = Journal::new(self.portfolio.clone(), now, Cause::job(revalue::CAUSE));
        for date in unseen_sessions(&self.portfolio, now) {
            let symbols = journal.portfolio().symbols();
            let mine = stocks.iter().filter(|stock| symbols.contains(&stock.history.symbol));
            let tapes: session::Tapes = mine.filter_map(|stock| Some((stock.history.symbol.clone(), stock.tape(date, now)?))).collect();
            session::run(&mut journal, date, &tapes, is_over(date, &tapes, now), self.rules);
        }
        self.commit(journal);
    }

    /// The job `ingest`: what follows when the bars of `date` are there.
    fn evening(&mut self, days: &BTreeMap<TradingDate, Vec<Signal>>, stocks: &[Stock<'_>], date: TradingDate) {
        let now = ingestion_of(date);
        self.revalue(stocks, now);
        let wanted = days.get(&date).map_or_else(Vec::new, |signals| automation::wanted(signals, self.terms.min_confidence, now));
        if wanted.is_empty() {
            return;
        }
        if self.portfolio.entries == 0 {
            self.commit(opening(&self.portfolio.owner, now, self.rules));
        }
        let mut symbols = self.portfolio.symbols();
        symbols.extend(wanted.iter().map(|signal| signal.symbol.clone()));
        let views = stocks.iter().filter(|stock| symbols.contains(&stock.history.symbol));
        let view = MarketView { stocks: views.filter_map(|stock| Some((stock.history.symbol.clone(), stock.view(date)?))).collect() };
        let mut journal = Journal::new(self.portfolio.clone(), now, Cause::job(automation::CAUSE));
        let attempts = automation::take(&mut journal, &wanted, &view, &self.terms.appetite, self.rules);
        self.refused += attempts.iter().filter(|attempt| attempt.is_refused()).count();
        self.commit(journal);
    }
}

/// One session's signals with what became of them, as far as the data reaches.
fn evaluated(date: TradingDate, signals: &[Signal], stocks: &[Stock<'_>]) -> DayPerformance {
    let judged: Vec<Signal> = signals
        .iter()
        .map(|signal| {
            let stock = stocks.iter().find(|stock| stock.history.symbol == signal.symbol);
            let outcome = stock.and_then(|stock| {
                let index = stock.series.index_of(date.date())?;
                let (_, table) = stock.tables.last()?;
                let label = labels::label(&stock.series, index, table.levels().atr_14[index])?;
                Some(evaluate::judge(signal.action, &label, &stock.series, index))
            });
            Signal { outcome, ..signal.clone() }
        })
        .collect();
    performance::of_day(date.date(), &judged)
}

//! A backtest is a replay: the same signals, the same order entry, the same sessions, over stored history in one go.
//!
//! Every evening the day's signals are taken automatically, the most promising first; they trade at the next open. Positions close
//! at their target, at their stop, or at the end of the signal's life.

use std::collections::BTreeMap;

use analysis::{FeatureTable, LIFE_SESSIONS, MarketContext, Series, labels, market::Member};
use domain::{
    Company, Date, PriceHistory, Quantity, Symbol, Timestamp, TradingDate, UserId, calendar,
    execution::{RiskProfile, Side},
    order::{OrderRequest, OrderSize, Origin},
    signal::{Signal, SignalAction},
    trading::{
        Cause, DayTape, Entry, Event, Journal, MarketView, Portfolio, StockView, Trade, TradingRules, Valuation, order_entry, session,
    },
};

use crate::{
    jobs::schedule::ingestion_of,
    market::background,
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
    pub from: TradingDate,
    pub to: TradingDate,
}

/// How it went.
pub struct Replayed {
    pub portfolio: Portfolio,
    pub entries: Vec<Entry>,
    pub trades: Vec<Trade>,
    /// One a session.
    pub valuations: Vec<Valuation>,
    /// Mean return of all stocks in equal weights, one a session.
    pub benchmark: Vec<(Date, f64)>,
    /// How good all signals were, taken or not.
    pub signals: PerformanceSummary,
    /// Orders that the limits refused or cut to nothing.
    pub refused: usize,
}

/// One stock with everything that is computed once.
struct Stock<'a> {
    company: &'a Company,
    history: &'a PriceHistory,
    series: Series,
    table: FeatureTable,
    /// What adjusted dollars are to be divided by to be dollars as traded, a value a session.
    basis: Vec<f64>,
}

impl Replay<'_> {
    pub fn run(&self) -> Result<Replayed, ModelError> {
        let (stocks, context) = self.prepare();
        let days = self.score(&stocks)?;
        let mut desk = Desk::open(self.rules, self.from);
        for date in calendar::sessions(self.from.date(), self.to.date()) {
            if let Some(signals) = days.get(&date.previous()) {
                desk.take(signals, &stocks, date.previous());
            }
            desk.session(&stocks, date);
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
            let basis = history.adjustments(as_of).iter().map(|adjustment| f64::try_from(adjustment.price).unwrap_or(f64::NAN)).collect();
            let table = FeatureTable::compute(series, &context, company.sector);
            Some(Stock { company, history, series: series.clone(), table, basis })
        });
        (stocks.collect(), context)
    }

    /// All signals of all sessions, from the one before the first on, scored as one batch.
    fn score(&self, stocks: &[Stock<'_>]) -> Result<BTreeMap<TradingDate, Vec<Signal>>, ModelError> {
        let first = self.from.previous();
        let places: Vec<(&Stock<'_>, usize)> = stocks
            .iter()
            .flat_map(|stock| stock.table.dates().iter().enumerate().map(move |(index, date)| (stock, index, *date)))
            .filter(|(_, _, date)| *date >= first && *date <= self.to)
            .map(|(stock, index, _)| (stock, index))
            .collect();
        let rows: Vec<_> = places.iter().map(|(stock, index)| stock.table.model_row(*index)).collect();
        let scores = self.scorer.score(&rows)?;
        let mut days: BTreeMap<TradingDate, Vec<Signal>> = BTreeMap::new();
        for ((stock, index), raw) in places.into_iter().zip(scores) {
            let signal = stock.signal(index, raw, self.scorer);
            days.entry(signal.date).or_default().push(signal);
        }
        Ok(days)
    }
}

impl Stock<'_> {
    fn signal(&self, index: usize, raw: [f32; 3], scorer: &dyn Scorer) -> Signal {
        let date = self.table.dates()[index];
        let setting = generate::Setting {
            company: self.company,
            date,
            close: self.history.bars[index].bar.close,
            atr: self.table.levels().atr_14[index] / self.basis[index],
            volatility: self.table.row(index).volatility_20d,
            generated_at: ingestion_of(date),
        };
        generate::propose(&setting, raw, scorer.manifest()).0
    }

    fn view(&self, date: TradingDate) -> Option<StockView> {
        let bar = self.history.bar_on(date.date())?.bar;
        let liquidity = background(self.history, date.next().date()).liquidity;
        Some(StockView { sector: self.company.sector, is_active: true, last_price: bar.close, priced_at: date.close(), liquidity })
    }

    fn tape(&self, date: TradingDate) -> Option<DayTape> {
        let bar = self.history.bar_on(date.date())?.bar;
        let actions =
            self.history.actions.iter().filter(|action| action.ex_date == date.date()).map(|action| action.kind.clone()).collect();
        Some(DayTape::of_bar(&bar, actions, background(self.history, date.date())))
    }
}

/// The automatic trader's portfolio.
struct Desk<'a> {
    rules: &'a TradingRules,
    portfolio: Portfolio,
    entries: Vec<Entry>,
    trades: Vec<Trade>,
    valuations: Vec<Valuation>,
    refused: usize,
}

impl<'a> Desk<'a> {
    fn open(rules: &'a TradingRules, from: TradingDate) -> Self {
        let portfolio = Portfolio::empty(UserId("replay".into()));
        let mut desk = Self { rules, portfolio, entries: vec![], trades: vec![], valuations: vec![], refused: 0 };
        desk.record(ingestion_of(from.previous()), |journal| {
            journal.record(Event::Opened { lot_method: rules.lot_method });
            journal.record(Event::Deposited { amount: rules.initial_cash });
        });
        desk
    }

    fn record(&mut self, at: Timestamp, act: impl FnOnce(&mut Journal)) {
        let mut journal = Journal::new(self.portfolio.clone(), at, Cause::job("replay"));
        act(&mut journal);
        let (portfolio, entries, changes) = journal.finish();
        self.portfolio = portfolio;
        self.entries.extend(entries);
        self.trades.extend(changes.trades);
        self.valuations.extend(changes.valuations);
    }

    /// Sells what has a signal to sell, then buys the most promising, as far as the limits allow.
    fn take(&mut self, signals: &[Signal], stocks: &[Stock<'_>], date: TradingDate) {
        let mut wanted: Vec<&Signal> = signals.iter().filter(|signal| signal.action != SignalAction::Hold).collect();
        wanted.sort_by(|a, b| {
            (a.action == SignalAction::Buy).cmp(&(b.action == SignalAction::Buy)).then(b.expected_return.total_cmp(&a.expected_return))
        });
        let mut symbols = self.portfolio.symbols();
        symbols.extend(wanted.iter().map(|signal| signal.symbol.clone()));
        let views = stocks.iter().filter(|stock| symbols.contains(&stock.history.symbol));
        let market = MarketView { stocks: views.filter_map(|stock| Some((stock.history.symbol.clone(), stock.view(date)?))).collect() };
        let (rules, mut refused) = (self.rules, 0);
        self.record(ingestion_of(date), |journal| {
            for signal in wanted {
                refused += usize::from(!accept(journal, signal, &market, rules));
            }
        });
        self.refused += refused;
    }

    fn session(&mut self, stocks: &[Stock<'_>], date: TradingDate) {
        let symbols = self.portfolio.symbols();
        let mine = stocks.iter().filter(|stock| symbols.contains(&stock.history.symbol));
        let tapes: session::Tapes = mine.filter_map(|stock| Some((stock.history.symbol.clone(), stock.tape(date)?))).collect();
        let rules = self.rules;
        self.record(date.close(), |journal| session::run(journal, date, &tapes, true, rules));
    }
}

/// Places the order that the signal proposes; `false` when the limits leave nothing of it.
fn accept(journal: &mut Journal, signal: &Signal, market: &MarketView, rules: &TradingRules) -> bool {
    let held = journal.portfolio().held(&signal.symbol);
    let is_pending = journal.portfolio().orders.iter().any(|order| order.request.symbol == signal.symbol);
    let is_buy = signal.action == SignalAction::Buy;
    // A position runs to its own exits: it is neither added to nor, without shares, sold.
    if is_pending || is_buy != held.is_zero() {
        return true;
    }
    let side = if is_buy { Side::Buy } else { Side::Sell };
    let mut request = OrderRequest { signal_id: Some(signal.id().to_string()), ..OrderRequest::market(signal.symbol.clone(), side, held) };
    if is_buy {
        request.take_profit = signal.target_price;
        request.stop_loss = signal.stop_loss;
        request.exit_on = Some(signal.date.plus_sessions(LIFE_SESSIONS).date());
        let sized = order_entry::size_purchase(journal.portfolio(), &request, journal.at(), market, rules, RiskProfile::Medium, None);
        let quantity = sized.map_or(Quantity::ZERO, |sizing| sizing.quantity);
        request.size = OrderSize::Quantity(quantity);
    }
    order_entry::place(journal, request, Origin::Automatic, market, rules).is_ok()
}

/// One session's signals with what became of them, as far as the data reaches.
fn evaluated(date: TradingDate, signals: &[Signal], stocks: &[Stock<'_>]) -> DayPerformance {
    let judged: Vec<Signal> = signals
        .iter()
        .map(|signal| {
            let stock = stocks.iter().find(|stock| stock.history.symbol == signal.symbol);
            let outcome = stock.and_then(|stock| {
                let index = stock.series.index_of(date.date())?;
                let label = labels::label(&stock.series, index, stock.table.levels().atr_14[index])?;
                Some(evaluate::judge(signal.action, &label, &stock.series, index))
            });
            Signal { outcome, ..signal.clone() }
        })
        .collect();
    performance::of_day(date.date(), &judged)
}

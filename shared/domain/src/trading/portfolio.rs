//! A portfolio's state: the fold of its ledger, and nothing that is not in it.

mod actions;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    Money, Price, Quantity, Symbol, UserId,
    execution::Side,
    lots::LotMethod,
    order::{Order, OrderId, OrderState, Origin},
    trading::{
        event::Event,
        fill::Fill,
        ledger::{Entry, EntryHash},
        position::{Exits, Position},
        trade::Trade,
    },
};

pub use actions::{AppliedAction, Concern};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portfolio {
    pub owner: UserId,
    /// How many entries its ledger has.
    pub entries: u64,
    /// The newest entry's hash.
    pub head: EntryHash,
    pub cash: Money,
    pub deposits: Money,
    /// Open positions. Closed ones are in [`Changes`] once, when they close.
    pub positions: BTreeMap<Symbol, Position>,
    /// Open orders, in the order of their placement.
    pub orders: Vec<Order>,
    /// Dividends earned and not yet paid.
    pub receivables: Vec<Receivable>,
    /// Which corporate actions of the last year or so were applied, and as what.
    pub applied_actions: Vec<AppliedAction>,
    /// What stocks are called now that changed their symbols while the portfolio had something of them.
    pub names: BTreeMap<Symbol, Symbol>,
    pub totals: Totals,
    /// The newest instant at which anything traded: sessions that ended before it are past.
    pub traded_until: Option<Timestamp>,
    /// Since when something has ended (an order, and with it perhaps a position) that no valuation has seen yet: that day still counts
    /// when nothing is held or ordered any more.
    pub unvalued_since: Option<Date>,
    /// The newest valuation at a close.
    pub last_valuation: Option<Valuation>,
    /// The one before it.
    pub previous_valuation: Option<Valuation>,
    /// The highest valuation at a close so far, or since the last drawdown halt ended.
    pub peak_equity: Money,
    /// The close at which the drawdown halt began, while it lasts.
    pub halted_since: Option<Date>,
    /// When each stock was last sold by its stop.
    pub stopped_out: BTreeMap<Symbol, Date>,
    /// Market time of the newest sale of each stock.
    pub last_sold: BTreeMap<Symbol, Timestamp>,
    pub lot_method: LotMethod,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receivable {
    pub symbol: Symbol,
    pub ex_date: Date,
    pub pay_date: Option<Date>,
    pub amount: Money,
}

/// Sums over the whole life of the portfolio.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Profit and loss of everything sold, costs included.
    pub realized_pnl: Money,
    /// Dividends earned, paid or not.
    pub dividends: Money,
    pub fees: Money,
    pub slippage: Money,
    pub trades: u64,
    /// Positions closed with a profit, with a loss, and all.
    pub winning_positions: u64,
    pub losing_positions: u64,
    pub closed_positions: u64,
    pub gross_profit: Money,
    pub gross_loss: Money,
    /// Value of everything bought and sold.
    pub turnover: Money,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Valuation {
    pub date: Date,
    pub equity: Money,
    pub cash: Money,
    /// All deposits up to then: what is not return.
    pub deposits: Money,
    /// Value of everything bought and sold up to then.
    pub turnover: Money,
}

/// What entries changed besides the portfolio itself: for the views that keep a longer memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The newest state of each order touched.
    pub orders: BTreeMap<OrderId, Order>,
    pub trades: Vec<Trade>,
    pub closed_positions: Vec<Position>,
    pub valuations: Vec<Valuation>,
}

/// Why an entry cannot follow: the ledger is damaged or belongs to somebody else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    #[error("entry {found} follows entry {after}: the sequence has a gap")]
    Gap { after: u64, found: u64 },
    #[error("entry {0} does not follow the one before it: its hash chain is broken")]
    BrokenChain(u64),
    #[error("entry {sequence} cannot be applied: {reason}")]
    Impossible { sequence: u64, reason: String },
}

impl Portfolio {
    pub fn empty(owner: UserId) -> Self {
        Self {
            owner,
            entries: 0,
            head: EntryHash::genesis(),
            cash: Money::ZERO,
            deposits: Money::ZERO,
            positions: BTreeMap::new(),
            orders: Vec::new(),
            receivables: Vec::new(),
            applied_actions: Vec::new(),
            names: BTreeMap::new(),
            totals: Totals::default(),
            traded_until: None,
            unvalued_since: None,
            last_valuation: None,
            previous_valuation: None,
            peak_equity: Money::ZERO,
            halted_since: None,
            stopped_out: BTreeMap::new(),
            last_sold: BTreeMap::new(),
            lot_method: LotMethod::default(),
        }
    }

    /// The state after all of `entries`, verifying the chain on the way.
    pub fn rebuild<'a>(owner: UserId, entries: impl IntoIterator<Item = &'a Entry>) -> Result<(Self, Changes), FoldError> {
        let mut portfolio = Self::empty(owner);
        let mut changes = Changes::default();
        for entry in entries {
            if entry.sequence != portfolio.entries + 1 {
                return Err(FoldError::Gap { after: portfolio.entries, found: entry.sequence });
            }
            if entry.previous != portfolio.head || !entry.is_intact() {
                return Err(FoldError::BrokenChain(entry.sequence));
            }
            portfolio.apply(entry, &mut changes)?;
        }
        Ok((portfolio, changes))
    }

    pub fn order(&self, id: &OrderId) -> Option<&Order> {
        self.orders.iter().find(|order| order.id == *id)
    }

    pub fn held(&self, symbol: &Symbol) -> Quantity {
        self.positions.get(symbol).map_or(Quantity::ZERO, Position::quantity)
    }

    /// Whether the market can still do something to it: otherwise it is what it was at its last valuation.
    pub fn is_active(&self) -> bool {
        let is_empty = self.positions.is_empty() && self.orders.is_empty() && self.receivables.is_empty();
        !is_empty || self.unvalued_since.is_some()
    }

    /// Every stock whose price matters to this portfolio.
    pub fn symbols(&self) -> BTreeSet<Symbol> {
        self.positions.keys().chain(self.orders.iter().map(|order| &order.request.symbol)).cloned().collect()
    }

    /// Cash, receivables and positions at `prices`; a stock without a price counts at its cost.
    pub fn equity(&self, price_of: impl Fn(&Symbol) -> Option<Price>) -> Money {
        let invested: Money = self
            .positions
            .values()
            .map(|position| price_of(&position.symbol).map_or_else(|| position.cost(), |price| position.market_value(price)))
            .sum();
        self.cash + self.receivable() + invested
    }

    /// The newest valuation at the close of a session before `date`.
    pub fn valuation_before(&self, date: Date) -> Option<Valuation> {
        self.last_valuation.filter(|last| last.date < date).or(self.previous_valuation)
    }

    /// What the portfolio gained or lost since that close, deposits apart, and what it was worth then.
    pub fn day_pnl(&self, equity: Money, date: Date) -> (Money, Money) {
        let (start, deposits) = self.valuation_before(date).map_or((self.deposits, self.deposits), |close| (close.equity, close.deposits));
        (equity - start - (self.deposits - deposits), start)
    }

    /// Dividends earned and not yet paid.
    pub fn receivable(&self) -> Money {
        self.receivables.iter().map(|receivable| receivable.amount).sum()
    }

    /// Adds one entry. `changes` collects what the entry did to orders, trades and closed positions.
    pub(super) fn apply(&mut self, entry: &Entry, changes: &mut Changes) -> Result<(), FoldError> {
        self.fold(entry, changes).map_err(|reason| FoldError::Impossible { sequence: entry.sequence, reason })?;
        self.entries = entry.sequence;
        self.head = entry.hash.clone();
        Ok(())
    }

    fn fold(&mut self, entry: &Entry, changes: &mut Changes) -> Result<(), String> {
        match &entry.event {
            Event::Opened { lot_method } => self.lot_method = *lot_method,
            Event::Deposited { amount } => {
                self.cash += *amount;
                self.deposits += *amount;
                self.peak_equity += *amount;
            }
            Event::OrderAccepted { order } => {
                self.orders.push(order.clone());
                changes.orders.insert(order.id.clone(), order.clone());
            }
            Event::OrderReplaced { order_id, order } => {
                let replaced = self.open_order(order_id)?;
                (replaced.state, replaced.updated_at) = (OrderState::Replaced, entry.at);
                replaced.reason = format!("replaced by {}", order.id);
                replaced.replaced_by = Some(order.id.clone());
                changes.orders.insert(order_id.clone(), replaced.clone());
                self.orders.retain(|open| open.id != *order_id);
                self.orders.push(order.clone());
                changes.orders.insert(order.id.clone(), order.clone());
            }
            Event::OrderWaits { order_id, reason } => {
                let order = self.open_order(order_id)?;
                (order.reason, order.updated_at) = (reason.clone(), entry.at);
                changes.orders.insert(order_id.clone(), order.clone());
            }
            Event::OrderProgressed { order_id, triggered, best_price, observed_at } => {
                let order = self.open_order(order_id)?;
                order.triggered |= *triggered;
                order.best_price = best_price.or(order.best_price);
                order.progressed_at = Some(*observed_at);
                order.updated_at = entry.at;
                changes.orders.insert(order_id.clone(), order.clone());
            }
            Event::Filled { fill } => self.fill(entry, fill, changes)?,
            Event::OrderClosed { order_id, state, reason } => {
                let order = self.open_order(order_id)?;
                (order.state, order.reason, order.updated_at) = (*state, reason.clone(), entry.at);
                changes.orders.insert(order_id.clone(), order.clone());
                self.orders.retain(|order| order.id != *order_id);
                self.unvalued_since.get_or_insert(crate::calendar::new_york_date(entry.at));
            }
            Event::LevelsSet { symbol, target_price, stop_loss, notes } => {
                let position = self.position(symbol)?;
                let on_date = position.exits.on_date;
                position.exits = Exits { target_price: *target_price, stop_loss: *stop_loss, set_at: Some(entry.at), on_date };
                position.notes.clone_from(notes);
            }
            Event::DividendEarned { .. }
            | Event::DividendAdjusted { .. }
            | Event::DividendPaid { .. }
            | Event::Split { .. }
            | Event::SpunOff { .. }
            | Event::SymbolChanged { .. }
            | Event::Delisted { .. } => self.fold_action(entry, changes)?,
            Event::Valued { date, equity, cash } => {
                let (deposits, turnover) = (self.deposits, self.totals.turnover);
                let valuation = Valuation { date: *date, equity: *equity, cash: *cash, deposits, turnover };
                self.peak_equity = self.peak_equity.max(*equity);
                self.previous_valuation = self.last_valuation.replace(valuation);
                self.unvalued_since = None;
                changes.valuations.push(valuation);
            }
            Event::BuyingHalted { date, .. } => self.halted_since = Some(*date),
            Event::BuyingResumed { peak, .. } => (self.halted_since, self.peak_equity) = (None, *peak),
        }
        Ok(())
    }

    fn open_order(&mut self, id: &OrderId) -> Result<&mut Order, String> {
        self.orders.iter_mut().find(|order| order.id == *id).ok_or_else(|| format!("order {id} is not open"))
    }

    fn position(&mut self, symbol: &Symbol) -> Result<&mut Position, String> {
        self.positions.get_mut(symbol).ok_or_else(|| format!("no position in {symbol}"))
    }

    fn fill(&mut self, entry: &Entry, fill: &Fill, changes: &mut Changes) -> Result<(), String> {
        let order = self.open_order(&fill.order_id)?;
        order.fills.push(fill.clone());
        order.updated_at = entry.at;
        let is_complete = order.remaining().is_none_or(Quantity::is_zero);
        order.state = if is_complete { OrderState::Filled } else { OrderState::PartiallyFilled };
        order.reason = if is_complete { "filled".into() } else { "filled in part; the rest waits for the next price".into() };
        let order = order.clone();
        if is_complete {
            self.orders.retain(|open| open.id != order.id);
        }

        self.traded_until = self.traded_until.max(Some(fill.reference_at));
        let trade = match fill.side {
            Side::Buy => self.buy(entry, fill, &order)?,
            Side::Sell => self.sell(entry, fill, &order, changes)?,
        };
        self.totals.fees += fill.total_fees();
        self.totals.slippage += fill.slippage_cost();
        self.totals.turnover += fill.notional();
        self.totals.trades += 1;
        changes.trades.push(trade);
        changes.orders.insert(order.id.clone(), order);
        Ok(())
    }

    fn buy(&mut self, entry: &Entry, fill: &Fill, order: &Order) -> Result<Trade, String> {
        let cost = fill.notional() + fill.total_fees();
        if cost > self.cash {
            return Err(format!("a purchase for {cost} with {} in cash", self.cash));
        }
        self.cash -= cost;
        // Who buys it now means the stock of this name, whichever had it before.
        self.names.remove(&fill.symbol);
        let position = self.positions.entry(fill.symbol.clone()).or_insert_with(|| {
            let id = format!("{}-{}", fill.symbol, entry.sequence);
            Position::opened(id, fill.symbol.clone(), fill.executed_at, order.request.signal_id.clone())
        });
        position.lots.buy(fill.quantity, cost, fill.executed_at).map_err(|error| error.to_string())?;
        position.fees += fill.total_fees();
        let (target, stop) = (order.request.take_profit, order.request.stop_loss);
        if target.is_some() || stop.is_some() {
            let exits = &mut position.exits;
            (exits.target_price, exits.stop_loss) = (target.or(exits.target_price), stop.or(exits.stop_loss));
            exits.set_at = Some(fill.executed_at);
        }
        position.exits.on_date = order.request.exit_on.or(position.exits.on_date);
        position.last_traded = Some((fill.reference_at, fill.basis));
        Ok(Trade {
            sequence: entry.sequence,
            position_id: position.id.clone(),
            signal_id: position.signal_id.clone(),
            fill: fill.clone(),
            realized_pnl: None,
        })
    }

    fn sell(&mut self, entry: &Entry, fill: &Fill, order: &Order, changes: &mut Changes) -> Result<Trade, String> {
        let method = self.lot_method;
        let proceeds = fill.notional() - fill.total_fees();
        let position = self.position(&fill.symbol)?;
        let sale = position.lots.sell(fill.quantity, proceeds, method).map_err(|error| error.to_string())?;
        position.realized_pnl += sale.realized_pnl();
        position.fees += fill.total_fees();
        position.last_traded = Some((fill.reference_at, fill.basis));
        let trade = Trade {
            sequence: entry.sequence,
            position_id: position.id.clone(),
            signal_id: position.signal_id.clone(),
            fill: fill.clone(),
            realized_pnl: Some(sale.realized_pnl()),
        };
        self.cash += proceeds;
        self.totals.realized_pnl += sale.realized_pnl();
        self.last_sold.insert(fill.symbol.clone(), fill.executed_at);
        if order.origin == Origin::StopLoss {
            self.stopped_out.insert(fill.symbol.clone(), crate::calendar::new_york_date(fill.executed_at));
        }
        if self.held(&fill.symbol).is_zero() {
            self.close_position(&fill.symbol, fill.executed_at, changes);
        }
        Ok(trade)
    }

    fn close_position(&mut self, symbol: &Symbol, at: Timestamp, changes: &mut Changes) {
        let Some(mut position) = self.positions.remove(symbol) else { return };
        position.closed_at = Some(at);
        self.unvalued_since.get_or_insert(crate::calendar::new_york_date(at));
        let pnl = position.total_pnl();
        self.totals.closed_positions += 1;
        if pnl > Money::ZERO {
            self.totals.winning_positions += 1;
            self.totals.gross_profit += pnl;
        } else if pnl < Money::ZERO {
            self.totals.losing_positions += 1;
            self.totals.gross_loss += -pnl;
        }
        changes.closed_positions.push(position);
    }
}

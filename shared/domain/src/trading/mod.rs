//! The trading engine: pure functions from a portfolio, what its owner asks for and what the market shows to ledger entries.
//!
//! 1. [`order_entry`] checks a request and accepts or refuses it,
//! 2. [`session`] runs one session over a portfolio: corporate actions, the open, the range, the close,
//! 3. [`matching`] says whether a price reaches an order, [`filling`] what then changes hands at what cost,
//! 4. [`corporate_actions`] apply what a session brings, [`restatement`] what comes late, told again in the order of the market,
//! 5. [`event`]s record what happened, [`ledger`] chains them, [`portfolio`] is their fold.

pub mod corporate_actions;
pub mod event;
pub mod exits;
pub mod fill;
pub mod filling;
mod halt;
mod hindsight;
pub mod journal;
pub mod ledger;
pub mod market_view;
pub mod matching;
pub mod order_entry;
pub mod portfolio;
pub mod position;
pub mod restatement;
pub mod rules;
pub mod session;
pub mod tape;
pub mod trade;

pub use corporate_actions::Statement;
pub use event::{Event, Restated};
pub use fill::{Fill, PriceBasis};
pub use journal::Journal;
pub use ledger::{Cause, Entry, EntryHash};
pub use market_view::{MarketView, StockView};
pub use order_entry::OrderRefusal;
pub use portfolio::{Changes, Concern, FoldError, Portfolio, Valuation};
pub use position::{Exits, Position};
pub use rules::TradingRules;
pub use tape::{Background, DayTape, SessionRest};
pub use trade::Trade;

#[cfg(test)]
mod tests;

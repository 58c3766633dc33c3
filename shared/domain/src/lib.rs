//! Values and rules of paper trading: pure, synchronous, deterministic.
//!
//! Nothing here reads a clock, a file, the environment or randomness: the current instant is an argument.

pub mod bar;
pub mod calendar;
pub mod company;
pub mod corporate_action;
pub mod execution;
pub mod history;
pub mod lots;
pub mod money;
pub mod order;
pub mod signal;
pub mod symbol;
pub mod trading;
pub mod trading_date;
pub mod user;

pub use bar::Bar;
pub use company::{Company, Sector};
pub use corporate_action::{ActionClass, ActionKind, CorporateAction};
pub use history::{BarRecord, PriceHistory, Source};
pub use jiff::{Timestamp, ToSpan, civil::Date};
pub use money::{Money, Price, Quantity};
pub use rust_decimal::Decimal;
pub use symbol::Symbol;
pub use trading_date::TradingDate;
pub use user::{Email, Role, UserId};

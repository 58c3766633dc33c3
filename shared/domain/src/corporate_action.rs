//! Events that change what a share is or pays, separate from its prices.
//!
//! **Identity.** What was said of one stock, one ex-date and one [`ActionClass`] at one instant is a *statement*: a single
//! split, or the regular and the special dividend that share an ex-date. A later statement about the same ex-date and class
//! replaces the earlier one as a whole from its `known_at` on. Amounts, ratios and pay dates are what is stated, not what
//! it is known by: otherwise a corrected dividend would be a second one, or a special dividend a correction of the regular
//! one.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{Source, Symbol};

/// One event of one stock, effective before the open of its ex-date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorporateAction {
    /// First session on which the stock trades without what the event gives.
    pub ex_date: Date,
    #[serde(flatten)]
    pub kind: ActionKind,
    pub source: Source,
    /// When this system could first have known of it.
    pub known_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ActionKind {
    /// `ratio` shares for each old one: 4 for a 4:1 split, 0.125 for a 1:8 reverse split.
    Split { ratio: Decimal },
    /// Part of the company was given away: the price fell by the factor `1 / ratio` with the number of shares unchanged.
    SpinOff { ratio: Decimal },
    /// Cash in dollars for each share held at the open of the ex-date, as declared (never adjusted).
    /// `pay_date` is not known for all history; the cash then counts on the ex-date.
    Dividend { amount: Decimal, pay_date: Option<Date> },
    /// The stock trades under another name from the ex-date on. Stands in the history of the old symbol, which ends here;
    /// that of the new one goes on.
    SymbolChange { to: Symbol },
    /// The stock no longer trades from the ex-date on. `value` is what a share is then worth in cash, zero or more dollars;
    /// while nobody knows it, the last close counts.
    Delisting { value: Option<Decimal> },
}

/// What sort of event it is, in the order in which those of one ex-date take effect: a dividend is paid for each share
/// after a split, and what has another name keeps all that was due under the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionClass {
    Split,
    SpinOff,
    Dividend,
    SymbolChange,
    Delisting,
}

impl ActionClass {
    /// Whether the stock no longer trades under its symbol from the ex-date on.
    pub fn ends_symbol(self) -> bool {
        matches!(self, Self::SymbolChange | Self::Delisting)
    }
}

impl ActionKind {
    pub fn class(&self) -> ActionClass {
        match self {
            Self::Split { .. } => ActionClass::Split,
            Self::SpinOff { .. } => ActionClass::SpinOff,
            Self::Dividend { .. } => ActionClass::Dividend,
            Self::SymbolChange { .. } => ActionClass::SymbolChange,
            Self::Delisting { .. } => ActionClass::Delisting,
        }
    }

    /// By how much an earlier price must be divided to be comparable with a later one.
    pub fn price_ratio(&self) -> Decimal {
        match self {
            Self::Split { ratio } | Self::SpinOff { ratio } => *ratio,
            Self::Dividend { .. } | Self::SymbolChange { .. } | Self::Delisting { .. } => Decimal::ONE,
        }
    }

    /// By how much an earlier number of shares must be multiplied to be comparable with a later one.
    pub fn share_ratio(&self) -> Decimal {
        match self {
            Self::Split { ratio } => *ratio,
            _ => Decimal::ONE,
        }
    }

    /// Whether someone who says `self` says nothing that `known` does not say. Silence about a pay date or a final value
    /// contradicts nobody.
    fn adds_nothing_to(&self, known: &Self) -> bool {
        match (self, known) {
            (Self::Dividend { amount, pay_date }, Self::Dividend { amount: known_amount, pay_date: known_date }) => {
                amount == known_amount && (pay_date.is_none() || pay_date == known_date)
            }
            (Self::Delisting { value }, Self::Delisting { value: known_value }) => value.is_none() || value == known_value,
            _ => self == known,
        }
    }
}

/// What is said of one ex-date and class, by the instant of the saying.
pub(crate) type Statements<'a> = BTreeMap<(Date, ActionClass, Timestamp), Vec<&'a CorporateAction>>;

/// `actions` as statements. One event that is told twice is one event.
pub(crate) fn statements(actions: &[CorporateAction]) -> Statements<'_> {
    let mut statements = Statements::new();
    for action in actions {
        let statement = statements.entry((action.ex_date, action.kind.class(), action.known_at)).or_default();
        if !statement.iter().any(|told| told.kind == action.kind) {
            statement.push(action);
        }
    }
    statements
}

/// Whether the statement `said` differs from `known` in nothing that it says.
pub(crate) fn agrees<'a>(said: impl IntoIterator<Item = &'a ActionKind>, known: impl IntoIterator<Item = &'a ActionKind>) -> bool {
    let mut unmatched: Vec<&ActionKind> = known.into_iter().collect();
    let all_known = said.into_iter().all(|kind| {
        let place = unmatched.iter().position(|known| kind.adds_nothing_to(known));
        place.map(|place| unmatched.swap_remove(place)).is_some()
    });
    all_known && unmatched.is_empty()
}

//! Taking signals without being asked: by the job for every user who wants it, and by the replay for its one portfolio.
//!
//! What is decided is decided here, by functions of a portfolio and a market view. The job adds only where both come from and that
//! nothing is done twice.

use domain::{
    Symbol, Timestamp, TradingDate,
    order::{Order, Origin},
    signal::{Signal, SignalAction, SignalId, SignalStatus},
    trading::{Cause, Journal, MarketView, TradingRules, order_entry},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tracing::warn;

use super::{
    Appetite, Desk, Idempotency,
    change::{Change, Decided},
    decisions::propose,
};
use crate::{
    UseCaseError,
    auth::User,
    ports::{Decision, DecisionKind},
};

/// The cause of the entries that follow from it.
pub(crate) const CAUSE: &str = "auto_trade";

/// Orders placed at once: each comes with a decision, and a transaction takes a hundred items. More than the limit on open positions
/// lets through by far.
const MOST_TAKEN: usize = 40;
/// Refusals written down at once, those of the most promising signals.
const MOST_REFUSALS: usize = 15;

/// What is taken, and how large.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Terms {
    /// Signals with less confidence are left alone; 0 takes all.
    pub min_confidence: f64,
    pub appetite: Appetite,
}

impl Terms {
    fn of(user: &User) -> Self {
        let appetite = Appetite { profile: user.profile.risk_tolerance, max_position_size: user.profile.max_position_size };
        Self { min_confidence: user.preferences.auto_trade_min_confidence, appetite }
    }
}

/// What became of a signal that could have been taken.
pub(crate) struct Attempt {
    signal: SignalId,
    /// The order, or why the limits refused it.
    result: Result<Order, String>,
}

impl Attempt {
    pub(crate) fn is_refused(&self) -> bool {
        self.result.is_err()
    }
}

/// What one run of the job did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AutoTrading {
    /// Users for whom signals are taken.
    pub traders: usize,
    pub taken: usize,
    pub refused: usize,
    /// Portfolios that could not be served; the next run tries again.
    pub failures: usize,
}

/// What it did to one portfolio: what a repetition gets to know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Outcome {
    taken: usize,
    refused: usize,
}

impl Desk {
    /// Takes the active ones of `date`'s signals for each of `traders`: every signal once a portfolio, however often this runs and
    /// wherever it was interrupted. One portfolio that cannot be served does not stop the others.
    pub async fn auto_trade(&self, traders: &[User], date: TradingDate, signals: &[Signal], now: Timestamp) -> AutoTrading {
        let mut done = AutoTrading { traders: traders.len(), ..AutoTrading::default() };
        for trader in traders {
            match self.auto_trade_one(trader, signals, date, now).await {
                Ok(outcome) => {
                    done.taken += outcome.taken;
                    done.refused += outcome.refused;
                }
                Err(error) => {
                    warn!(user_id = %trader.id, %error, "signals were not taken");
                    done.failures += 1;
                }
            }
        }
        done
    }

    async fn auto_trade_one(&self, trader: &User, signals: &[Signal], date: TradingDate, now: Timestamp) -> Result<Outcome, UseCaseError> {
        let terms = Terms::of(trader);
        let wanted = wanted(signals, terms.min_confidence, now);
        if wanted.is_empty() {
            return Ok(Outcome::default());
        }
        // What was refused yesterday is not tried again today: the receipt stands for all signals of the day that were looked at.
        let once = looked_at(date, &wanted);
        if self.store.receipt(&trader.id, once.key()).await?.is_some() {
            return Ok(Outcome::default());
        }
        let change = Change { user: &trader.id, cause: Cause::job(CAUSE), idempotency: Some(&once), now };
        self.change(change, |journal| self.take_undecided(journal, &wanted, date, terms)).await
    }

    async fn take_undecided(
        &self,
        mut journal: Journal,
        wanted: &[&Signal],
        date: TradingDate,
        terms: Terms,
    ) -> Result<(Journal, Decided<Outcome>), UseCaseError> {
        let decided = self.store.decisions(&journal.portfolio().owner, date.date()).await?;
        let undecided: Vec<&Signal> =
            wanted.iter().copied().filter(|signal| !decided.iter().any(|decision| decision.signal == signal.id())).collect();
        let mut symbols = journal.portfolio().symbols();
        symbols.extend(undecided.iter().map(|signal| signal.symbol.clone()));
        let view = self.market.view(&symbols.into_iter().collect::<Vec<Symbol>>(), journal.at()).await?;
        let attempts = take(&mut journal, &undecided, &view, &terms.appetite, &self.rules);
        let refused = attempts.iter().filter(|attempt| attempt.is_refused()).count();
        let answer = Outcome { taken: attempts.len() - refused, refused };
        Ok((journal, Decided { answer, decisions: decisions(attempts) }))
    }
}

/// The signals to take, sales first, so that their room is there for the purchases, which go by what they promise.
pub(crate) fn wanted(signals: &[Signal], min_confidence: f64, now: Timestamp) -> Vec<&Signal> {
    let is_wanted = |signal: &&Signal| {
        signal.action != SignalAction::Hold && signal.confidence >= min_confidence && signal.status(now) == SignalStatus::Active
    };
    let mut wanted: Vec<&Signal> = signals.iter().filter(is_wanted).collect();
    wanted.sort_by(|a, b| {
        (a.action == SignalAction::Buy)
            .cmp(&(b.action == SignalAction::Buy))
            .then(b.expected_return.total_cmp(&a.expected_return))
            .then_with(|| a.symbol.cmp(&b.symbol))
    });
    wanted
}

/// Places the orders that `signals` propose, one after the other, as far as the limits allow.
///
/// A position runs to its own exits: it is not added to. A signal to sell what is not held proposes nothing to a long-only account.
pub(crate) fn take(
    journal: &mut Journal,
    signals: &[&Signal],
    view: &MarketView,
    appetite: &Appetite,
    rules: &TradingRules,
) -> Vec<Attempt> {
    let (mut attempts, mut taken) = (Vec::new(), 0);
    for signal in signals {
        let portfolio = journal.portfolio();
        let is_pending = portfolio.orders.iter().any(|order| order.request.symbol == signal.symbol);
        let is_held = !portfolio.held(&signal.symbol).is_zero();
        if is_pending || is_held == (signal.action == SignalAction::Buy) {
            continue;
        }
        let result = place(journal, signal, view, appetite, rules);
        taken += usize::from(result.is_ok());
        attempts.push(Attempt { signal: signal.id(), result });
        if taken == MOST_TAKEN {
            break;
        }
    }
    attempts
}

fn place(journal: &mut Journal, signal: &Signal, view: &MarketView, appetite: &Appetite, rules: &TradingRules) -> Result<Order, String> {
    let proposal = propose(journal.portfolio(), signal, journal.at(), view, appetite, rules).map_err(|refusal| refusal.to_string())?;
    if let Some(detail) = proposal.nothing_to_buy() {
        return Err(detail);
    }
    order_entry::place(journal, proposal.order, Origin::Automatic, view, rules).map_err(|refusal| refusal.to_string())
}

/// The records of what was done: an acceptance with its order, or a signal let pass with the reason.
fn decisions(attempts: Vec<Attempt>) -> Vec<Decision> {
    let mut refusals = 0;
    let recorded = attempts.into_iter().filter_map(|Attempt { signal, result }| match result {
        Ok(order) => Some(Decision { signal, kind: DecisionKind::Accept, notes: None, order: Some(order.id), auto: true }),
        Err(reason) => {
            refusals += 1;
            let decision = Decision { signal, kind: DecisionKind::Ignore, notes: Some(reason), order: None, auto: true };
            (refusals <= MOST_REFUSALS).then_some(decision)
        }
    });
    recorded.collect()
}

/// The same signals are looked at once. More of the same day, because stocks came late or the user asks for less confidence, are
/// another look.
fn looked_at(date: TradingDate, wanted: &[&Signal]) -> Idempotency {
    let ids: Vec<String> = wanted.iter().map(|signal| signal.id().to_string()).collect();
    let ids = ids.join(" ");
    Idempotency::new(format!("auto-trade-{date}-{}", &hex::encode(Sha256::digest(&ids))[..16]), ids.as_bytes())
}

//! What a job does with just the use cases that it needs: one process runs them in a row, functions of the cloud each their own.

use std::{collections::BTreeMap, fmt};

use domain::{Date, Symbol, Timestamp, TradingDate, signal::Signal};

use crate::{
    UseCaseError,
    auth::User,
    digest::{Digest, Mailed},
    portfolio::{AutoTrading, Desk},
    signals::{Generated, Signals},
};

/// Signals that a run made or found, and how many days' signals turned out to be over.
#[derive(Debug, Clone)]
pub struct Made {
    pub generated: Generated,
    /// Days whose signals were evaluated.
    pub evaluated: usize,
}

/// Vendors correct themselves: what signals took from the old bars is no longer said. `restated` has the oldest date concerned.
pub async fn restate(signals: &Signals, restated: &BTreeMap<Symbol, Date>, now: Timestamp) -> Result<String, UseCaseError> {
    if restated.is_empty() {
        return Ok(String::new());
    }
    let done = signals.restate(restated, now).await?;
    Ok(format!("; {} stocks restated, {} signals withdrawn, {} judged again", restated.len(), done.withdrawn, done.judged_again))
}

/// The signals of the last closed session; where they are fresh, also what became of those that have ended.
pub async fn generate_signals(signals: &Signals, now: Timestamp) -> Result<Made, UseCaseError> {
    let generated = signals.generate(now).await?;
    let evaluated = if generated.is_repeat { 0 } else { signals.evaluate(now).await? };
    Ok(Made { generated, evaluated })
}

/// Lets the market act on every portfolio.
pub async fn revalue(desk: &Desk, now: Timestamp) -> Result<String, UseCaseError> {
    let done = desk.revalue(now).await?;
    let failures = if done.failures == 0 { String::new() } else { format!(", {} failed", done.failures) };
    Ok(format!("{} portfolios revalued, {} fills{failures}", done.portfolios, done.fills))
}

/// Takes the signals of `date` for those of `subscribers` who want it. Says nothing where nobody does or nothing came of it.
pub async fn auto_trade(desk: &Desk, subscribers: &[User], date: TradingDate, signals: &[Signal], now: Timestamp) -> String {
    let traders: Vec<User> = subscribers.iter().filter(|user| user.trades_automatically()).cloned().collect();
    let AutoTrading { traders, taken, refused, failures } = desk.auto_trade(&traders, date, signals, now).await;
    if taken + refused + failures == 0 {
        return String::new();
    }
    let failures = if failures == 0 { String::new() } else { format!(", {failures} failed") };
    format!("; {taken} orders for {traders} automatic traders, {refused} refused{failures}")
}

/// Writes to those of `subscribers` who want it what the session of `date` brought. Mail is never what a job fails for.
pub async fn digest(
    digest: &Digest,
    subscribers: &[User],
    date: TradingDate,
    signals: &[Signal],
    now: Timestamp,
    wall: Timestamp,
) -> String {
    let readers: Vec<User> = subscribers.iter().filter(|user| user.reads_digest()).cloned().collect();
    match digest.send(&readers, date, signals, now, wall).await {
        Ok(Mailed { sent: 0, failures: 0 }) => String::new(),
        Ok(Mailed { sent, failures: 0 }) => format!("; {sent} mails"),
        Ok(Mailed { sent, failures }) => format!("; {sent} mails, {failures} could not be sent"),
        Err(error) => format!("; no mails: {error}"),
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (signals, date) = (self.generated.signals.len(), self.generated.date);
        if self.generated.is_repeat {
            write!(f, "{signals} signals of {date} there already")
        } else {
            write!(f, "{signals} signals of {date} generated, {} days evaluated", self.evaluated)
        }
    }
}

//! The evening's mail: what a session brought, for those who asked to be told.

mod market_day;
mod message;

use std::sync::Arc;

use domain::{Timestamp, TradingDate, signal::Signal};
use tracing::warn;

use crate::{
    UseCaseError,
    auth::User,
    market::{Market, MarketSnapshot},
    portfolio::{Desk, TradeFilter, automation::wanted},
    ports::{MailError, Mailer},
};

use self::{market_day::MarketDay, message::Section};

/// More lines of a kind make a mail that nobody reads.
const MOST_LINES: usize = 10;

/// Writes each reader one mail a session.
#[derive(Clone)]
pub struct Digest {
    market: Market,
    desk: Desk,
    mailer: Arc<dyn Mailer>,
}

/// How many mails went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mailed {
    pub sent: usize,
    pub failures: usize,
}

#[derive(Debug, thiserror::Error)]
enum NotTold {
    #[error(transparent)]
    UseCase(#[from] UseCaseError),
    #[error(transparent)]
    Mail(#[from] MailError),
}

impl Digest {
    pub fn new(market: Market, desk: Desk, mailer: Arc<dyn Mailer>) -> Self {
        Self { market, desk, mailer }
    }

    /// Mails what the session of `date` brought to each of `readers`, whose preferences say of what. Nobody is written to twice about a
    /// session, however often this runs; a mail that cannot be sent is lost, since the next evening has another. `wall` is the mail's date.
    pub async fn send(
        &self,
        readers: &[User],
        date: TradingDate,
        signals: &[Signal],
        now: Timestamp,
        wall: Timestamp,
    ) -> Result<Mailed, UseCaseError> {
        let mut mailed = Mailed::default();
        if readers.is_empty() {
            return Ok(mailed);
        }
        let snapshot = self.market.snapshot().await?;
        for reader in readers {
            match self.tell(reader, date, signals, &snapshot, now, wall).await {
                Ok(was_sent) => mailed.sent += usize::from(was_sent),
                Err(error) => {
                    warn!(user_id = %reader.id, %error, "the digest was not sent");
                    mailed.failures += 1;
                }
            }
        }
        Ok(mailed)
    }

    async fn tell(
        &self,
        reader: &User,
        date: TradingDate,
        signals: &[Signal],
        snapshot: &MarketSnapshot,
        now: Timestamp,
        wall: Timestamp,
    ) -> Result<bool, NotTold> {
        // Before anything else: a job that dies in between writes once too few, never twice.
        if !self.desk.is_first(&reader.id, &format!("digest-{date}"), now).await? {
            return Ok(false);
        }
        let preferences = reader.preferences;
        let mut sections = Vec::new();
        if preferences.email_portfolio_updates {
            sections.push(self.portfolio(reader, date, now).await?);
        }
        if preferences.email_signals {
            sections.push(proposals(signals, now));
        }
        if preferences.email_market_updates {
            sections.push(MarketDay::of(snapshot, date).section());
        }
        self.mailer.send(&message::mail(&reader.email, date, &sections), wall).await?;
        Ok(true)
    }

    async fn portfolio(&self, reader: &User, date: TradingDate, now: Timestamp) -> Result<Section, UseCaseError> {
        let summary = self.desk.summary(&reader.id, now).await?;
        let filter = TradeFilter { start: Some(date.date()), end: Some(date.date()), ..TradeFilter::default() };
        let trades = self.desk.trades(&reader.id, &filter, None, MOST_LINES).await?;
        let mut lines = vec![
            format!("Worth {}, of which {} in cash", message::dollars(summary.total_value), message::dollars(summary.cash_balance)),
            format!("Today {}{}", message::change(summary.day_pnl), message::in_brackets(summary.day_pnl_percent)),
            format!("Since the beginning {}{}", message::change(summary.total_pnl), message::in_brackets(summary.total_pnl_percent)),
        ];
        lines.extend(trades.iter().map(|trade| {
            let (fill, verb) = (&trade.fill, if trade.realized_pnl.is_some() { "Sold" } else { "Bought" });
            let result = trade.realized_pnl.map(|pnl| format!(", {} realised", message::change(pnl))).unwrap_or_default();
            format!("{verb} {} {} at ${}{result}", fill.quantity, fill.symbol, fill.price)
        }));
        Ok(Section { title: "Your paper portfolio".into(), lines })
    }
}

/// The signals that propose a trade, sales first, then what promises most.
fn proposals(signals: &[Signal], now: Timestamp) -> Section {
    let wanted = wanted(signals, 0.0, now);
    let mut lines: Vec<String> = wanted.iter().take(MOST_LINES).map(|signal| proposal(signal)).collect();
    match wanted.len() {
        0 => lines.push("None: the model sees no trade that would pay for its costs".into()),
        all if all > MOST_LINES => lines.push(format!("and {} more", all - MOST_LINES)),
        _ => {}
    }
    Section { title: "Signals".into(), lines }
}

fn proposal(signal: &Signal) -> String {
    let level = |name: &str, price: Option<domain::Price>| price.map(|price| format!(", {name} ${price}")).unwrap_or_default();
    format!(
        "{} {} ({}) at ${}: confidence {:.0} %{}{}",
        signal.action.name(),
        signal.symbol,
        signal.company,
        signal.entry_price,
        100.0 * signal.confidence,
        level("target", signal.target_price),
        level("stop", signal.stop_loss),
    )
}

//! Positions: listing, exit levels, closing.

use std::collections::BTreeMap;

use domain::{
    Price, Sector, Symbol, Timestamp, UserId,
    execution::Side,
    order::{Order, OrderRequest, Origin},
    signal::{Signal, SignalId},
    trading::{Cause, Event, Position, Trade, order_entry},
};

use super::{
    Desk, Idempotency,
    change::{Change, Decided},
};
use crate::UseCaseError;

/// More trades than this are never read for one answer.
const MOST_TRADES: usize = 1_000;

#[derive(Debug, Clone, Default)]
pub struct PositionFilter {
    pub symbol: Option<Symbol>,
    pub sector: Option<Sector>,
    /// Closed positions instead of open ones.
    pub closed: bool,
}

/// A position with its newest price and what is known of its company and signal.
#[derive(Debug, Clone, PartialEq)]
pub struct PositionView {
    pub position: Position,
    pub company: String,
    pub sector: Option<Sector>,
    /// The newest price; of a closed position none.
    pub price: Option<Price>,
    /// The signal that opened it, where it is still known.
    pub signal: Option<Signal>,
}

/// New exit levels; what is absent stays, what is given replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelsRequest {
    pub target_price: Option<Option<Price>>,
    pub stop_loss: Option<Option<Price>>,
    pub notes: Option<Option<String>>,
}

impl Desk {
    /// The matching positions by symbol, or for closed ones the last closed first.
    pub async fn positions(&self, user: &UserId, filter: &PositionFilter, now: Timestamp) -> Result<Vec<PositionView>, UseCaseError> {
        let positions: Vec<Position> = if filter.closed {
            self.store.closed_positions(user).await?
        } else {
            self.portfolio(user, now).await?.positions.into_values().collect()
        };
        let wanted =
            positions.into_iter().filter(|position| filter.symbol.as_ref().is_none_or(|symbol| position.symbol == *symbol)).collect();
        let views = self.views(wanted, now).await?;
        Ok(views.into_iter().filter(|view| filter.sector.is_none_or(|sector| view.sector == Some(sector))).collect())
    }

    /// A position, open or closed, with its trades, newest first.
    pub async fn position(&self, user: &UserId, id: &str, now: Timestamp) -> Result<(PositionView, Vec<Trade>), UseCaseError> {
        let position = self.find_position(user, id, now).await?;
        let trades = self.store.trades(user, None, MOST_TRADES).await?.into_iter().filter(|trade| trade.position_id == id).collect();
        let view = self.views(vec![position], now).await?.remove(0);
        Ok((view, trades))
    }

    async fn find_position(&self, user: &UserId, id: &str, now: Timestamp) -> Result<Position, UseCaseError> {
        let open = self.portfolio(user, now).await?.positions.into_values().find(|position| position.id == id);
        if let Some(position) = open {
            return Ok(position);
        }
        let closed = self.store.closed_positions(user).await?;
        closed.into_iter().find(|position| position.id == id).ok_or_else(|| UseCaseError::NotFound(format!("position {id}")))
    }

    /// Sets the levels at which the position is closed; they act from the next observed price on.
    pub async fn set_levels(
        &self,
        user: &UserId,
        id: &str,
        levels: &LevelsRequest,
        cause: &Cause,
        idempotency: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<PositionView, UseCaseError> {
        let position: Position = self
            .change(Change { user, cause: cause.clone(), idempotency, now }, |mut journal| async move {
                let position = open_position(journal.portfolio().positions.values(), id)?;
                let symbol = position.symbol.clone();
                let price = self.market.view(std::slice::from_ref(&symbol), now).await?.price(&symbol);
                let target_price = levels.target_price.unwrap_or(position.exits.target_price);
                let stop_loss = levels.stop_loss.unwrap_or(position.exits.stop_loss);
                check_levels(target_price, stop_loss, price)?;
                let notes = levels.notes.clone().unwrap_or_else(|| position.notes.clone());
                journal.record(Event::LevelsSet { symbol: symbol.clone(), target_price, stop_loss, notes });
                let changed = journal.portfolio().positions[&symbol].clone();
                Ok((journal, Decided::from(changed)))
            })
            .await?;
        Ok(self.views(vec![position], now).await?.remove(0))
    }

    /// Sells all of the position at the market.
    pub async fn close_position(
        &self,
        user: &UserId,
        id: &str,
        cause: &Cause,
        idempotency: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<Order, UseCaseError> {
        self.change(Change { user, cause: cause.clone(), idempotency, now }, |mut journal| async move {
            let position = open_position(journal.portfolio().positions.values(), id)?;
            let request = OrderRequest::market(position.symbol.clone(), Side::Sell, position.quantity());
            let view = self.view_for(journal.portfolio(), &request.symbol, now).await?;
            let order = order_entry::place(&mut journal, request, Origin::User, &view, &self.rules)?;
            Ok((journal, Decided::from(order)))
        })
        .await
    }

    pub(super) async fn views(&self, positions: Vec<Position>, now: Timestamp) -> Result<Vec<PositionView>, UseCaseError> {
        let symbols: Vec<Symbol> = positions.iter().filter(|position| position.is_open()).map(|position| position.symbol.clone()).collect();
        let (view, signals) = futures::try_join!(self.market.view(&symbols, now), self.signals_of(&positions))?;
        let companies = self.market.companies().companies().await?;
        let views = positions.into_iter().map(|position| {
            let company = companies.iter().find(|company| company.symbol == position.symbol);
            PositionView {
                company: company.map_or_else(|| position.symbol.to_string(), |company| company.name.clone()),
                sector: company.and_then(|company| company.sector),
                price: position.is_open().then(|| view.price(&position.symbol)).flatten(),
                signal: position.signal_id.as_ref().and_then(|id| signals.get(id)).cloned(),
                position,
            }
        });
        Ok(views.collect())
    }

    async fn signals_of(&self, positions: &[Position]) -> Result<BTreeMap<String, Signal>, UseCaseError> {
        let mut signals = BTreeMap::new();
        for id in positions.iter().filter_map(|position| position.signal_id.as_ref()) {
            let Ok(parsed) = id.parse::<SignalId>() else { continue };
            if let Ok(signal) = self.signals.find(&parsed).await {
                signals.insert(id.clone(), signal);
            }
        }
        Ok(signals)
    }
}

fn open_position<'a>(mut positions: impl Iterator<Item = &'a Position>, id: &str) -> Result<Position, UseCaseError> {
    positions.find(|position| position.id == id).cloned().ok_or_else(|| UseCaseError::NotFound(format!("open position {id}")))
}

/// A target below or a stop above the price would fire at once; who wants that can close the position.
fn check_levels(target: Option<Price>, stop: Option<Price>, price: Option<Price>) -> Result<(), UseCaseError> {
    let Some(price) = price else { return Ok(()) };
    match (target, stop) {
        (Some(target), _) if target <= price => {
            Err(UseCaseError::Invalid { field: "target_price", detail: format!("the target {target} is not above the price {price}") })
        }
        (_, Some(stop)) if stop >= price => {
            Err(UseCaseError::Invalid { field: "stop_loss", detail: format!("the stop {stop} is not below the price {price}") })
        }
        _ => Ok(()),
    }
}

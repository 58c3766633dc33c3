//! Placing, previewing, cancelling and listing orders.

use domain::{
    Symbol, Timestamp, UserId,
    order::{Order, OrderId, OrderRequest, OrderState, Origin},
    trading::{
        Cause, Event,
        order_entry::{self, Estimate},
    },
};

use super::{
    Desk, Idempotency,
    change::{Change, Decided},
};
use crate::{UseCaseError, market::Market};

/// More orders than this are never read for one answer.
const MOST_ORDERS: usize = 1_000;

#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    pub symbol: Option<Symbol>,
    pub state: Option<OrderState>,
}

/// What an order would do if it filled at the newest price. Nothing is stored.
pub type Preview = Estimate;

impl Desk {
    /// Places an order. A client order id that was used before gives the order it named then.
    pub async fn place(
        &self,
        user: &UserId,
        request: &OrderRequest,
        cause: &Cause,
        idempotency: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<Order, UseCaseError> {
        self.known_stock(&request.symbol).await?;
        if let Some(first) = self.by_client_id(user, request).await? {
            return Ok(first);
        }
        self.change(Change { user, cause: cause.clone(), idempotency, now }, |mut journal| async move {
            let view = self.view_for(journal.portfolio(), &request.symbol, now).await?;
            let order = order_entry::place(&mut journal, request.clone(), Origin::User, &view, &self.rules)?;
            Ok((journal, Decided::from(order)))
        })
        .await
    }

    pub async fn preview(&self, user: &UserId, request: &OrderRequest, now: Timestamp) -> Result<Preview, UseCaseError> {
        self.known_stock(&request.symbol).await?;
        let portfolio = self.portfolio(user, now).await?;
        let view = self.view_for(&portfolio, &request.symbol, now).await?;
        Ok(order_entry::estimate(&portfolio, request, now, &view, &self.rules)?)
    }

    /// Cancels what has not filled yet.
    pub async fn cancel(
        &self,
        user: &UserId,
        id: &OrderId,
        cause: &Cause,
        idempotency: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<Order, UseCaseError> {
        let known = self.order(user, id).await?;
        self.change(Change { user, cause: cause.clone(), idempotency, now }, |mut journal| {
            let state = known.state;
            async move {
                if journal.portfolio().order(id).is_none() {
                    return Err(UseCaseError::TooLate(format!("order {id} is {} and can no longer be cancelled", state.name())));
                }
                let reason = "cancelled by its owner".to_owned();
                journal.record(Event::OrderClosed { order_id: id.clone(), state: OrderState::Canceled, reason });
                let (_, _, changes) = journal.clone().finish();
                let order = changes.orders.get(id).cloned().expect("the entry touched the order");
                Ok((journal, Decided::from(order)))
            }
        })
        .await
    }

    pub async fn order(&self, user: &UserId, id: &OrderId) -> Result<Order, UseCaseError> {
        self.store.order(user, id).await?.ok_or_else(|| UseCaseError::NotFound(format!("order {id}")))
    }

    /// The matching orders, newest first, and how many match.
    pub async fn orders(
        &self,
        user: &UserId,
        filter: &OrderFilter,
        skip: usize,
        limit: usize,
    ) -> Result<(Vec<Order>, usize), UseCaseError> {
        let all = self.store.orders(user, None, MOST_ORDERS).await?;
        let matching: Vec<Order> = all
            .into_iter()
            .filter(|order| filter.symbol.as_ref().is_none_or(|symbol| order.request.symbol == *symbol))
            .filter(|order| filter.state.is_none_or(|state| order.state == state))
            .collect();
        let total = matching.len();
        Ok((matching.into_iter().skip(skip).take(limit).collect(), total))
    }

    async fn by_client_id(&self, user: &UserId, request: &OrderRequest) -> Result<Option<Order>, UseCaseError> {
        let Some(wanted) = &request.client_order_id else { return Ok(None) };
        let orders = self.store.orders(user, None, MOST_ORDERS).await?;
        Ok(orders.into_iter().find(|order| order.request.client_order_id.as_ref() == Some(wanted)))
    }

    /// Refuses a symbol that no company has, before anything else is looked at.
    pub(super) async fn known_stock(&self, symbol: &Symbol) -> Result<(), UseCaseError> {
        let known = Market::companies(&self.market).company(symbol).await?;
        known.map(|_| ()).ok_or_else(|| UseCaseError::UnknownSymbol(symbol.clone()))
    }
}

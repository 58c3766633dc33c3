//! Placing, previewing, cancelling and listing orders.

use domain::{
    Symbol, Timestamp, UserId,
    order::{Order, OrderChange, OrderId, OrderRequest, OrderState, Origin},
    trading::{
        Cause, Event,
        order_entry::{self, Estimate},
    },
};

use serde::{Deserialize, Serialize};

use super::{
    Desk, Idempotency,
    change::{Change, Decided},
};
use crate::{UseCaseError, market::Market, ports::ClientOrder};

/// More orders than this are never read for one answer.
const MOST_ORDERS: usize = 1_000;

#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    pub symbol: Option<Symbol>,
    pub state: Option<OrderState>,
}

/// What an order would do if it filled at the newest price. Nothing is stored.
pub type Preview = Estimate;

/// An order, and whether this request placed it or an earlier one by the same client order id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    pub order: Order,
    pub is_new: bool,
}

impl Desk {
    /// Places an order. A client order id that was used before gives the order it named then, as that is now; for another order it is
    /// refused.
    pub async fn place(
        &self,
        user: &UserId,
        request: &OrderRequest,
        cause: &Cause,
        idempotency: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<Placed, UseCaseError> {
        self.known_stock(&request.symbol).await?;
        self.change(Change { user, cause: cause.clone(), idempotency, now }, |mut journal| async move {
            // After the state was loaded: an order of that name by a rival makes the commit fail, and is found on the next try.
            let same = |first: &ClientOrder| first.request == *request;
            if let Some(order) = self.first_named(user, request.client_order_id.as_deref(), same).await? {
                return Ok((journal, Decided::from(Placed { order, is_new: false })));
            }
            let view = self.view_for(journal.portfolio(), &request.symbol, now).await?;
            let order = order_entry::place(&mut journal, request.clone(), Origin::User, &view, &self.rules)?;
            Ok((journal, Decided::from(Placed { order, is_new: true })))
        })
        .await
    }

    /// Replaces an open order by one that differs from it in `change`, with all checks of a placed one. As for [`Desk::place`], a
    /// client order id that replaced the same order before gives the order it named then.
    pub async fn replace(
        &self,
        user: &UserId,
        id: &OrderId,
        change: &OrderChange,
        cause: &Cause,
        idempotency: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<Order, UseCaseError> {
        let known = &self.order(user, id).await?;
        self.change(Change { user, cause: cause.clone(), idempotency, now }, |mut journal| async move {
            let same = |first: &ClientOrder| first.replaces.as_ref() == Some(id);
            if let Some(order) = self.first_named(user, change.client_order_id.as_deref(), same).await? {
                return Ok((journal, Decided::from(order)));
            }
            let view = self.view_for(journal.portfolio(), &known.request.symbol, now).await?;
            let order = order_entry::replace(&mut journal, id, change, &view, &self.rules)?;
            let order = order.ok_or_else(|| UseCaseError::TooLate(format!("order {id} is no longer open and cannot be replaced")))?;
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
                    return Err(UseCaseError::TooLate(too_late_to_cancel(id, state)));
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

    /// The order that the client's name stands for already, if it is the `same` that is asked for again.
    async fn first_named(
        &self,
        user: &UserId,
        name: Option<&str>,
        same: impl Fn(&ClientOrder) -> bool,
    ) -> Result<Option<Order>, UseCaseError> {
        let Some(name) = name else { return Ok(None) };
        let Some(first) = self.store.client_order(user, name).await? else { return Ok(None) };
        if !same(&first) {
            return Err(UseCaseError::ClientOrderIdTaken(first.order));
        }
        self.order(user, &first.order).await.map(Some)
    }

    /// Refuses an order for a symbol that no company has, before anything else is looked at.
    pub(super) async fn known_stock(&self, symbol: &Symbol) -> Result<(), UseCaseError> {
        let known = Market::companies(&self.market).company(symbol).await?;
        known.map(|_| ()).ok_or_else(|| UseCaseError::UnknownSymbol(symbol.clone()))
    }
}

/// The state's name is the protocol's, which spells one of them unlike our sentences.
fn too_late_to_cancel(id: &OrderId, state: OrderState) -> String {
    match state {
        OrderState::Canceled => format!("order {id} is cancelled already"),
        _ => format!("order {id} is {} and can no longer be cancelled", state.name()),
    }
}

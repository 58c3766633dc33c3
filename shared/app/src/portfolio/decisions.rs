//! What a user does about a signal: accept it with a sized order, reject it, or ignore it.

use domain::{
    Money, Quantity, Timestamp, UserId,
    calendar::new_york_date,
    execution::{RiskProfile, Side, Sizing},
    order::{Order, OrderRequest, OrderSize, Origin},
    signal::{Signal, SignalAction, SignalId, SignalStatus},
    trading::{Cause, Journal, MarketView, OrderRefusal, Portfolio, TradingRules, order_entry},
};
use serde::{Deserialize, Serialize};

use super::{
    Desk, Idempotency,
    change::{Change, Decided},
};
use crate::{
    UseCaseError,
    ports::{Decision, DecisionKind},
};

/// What the user decided, and what their profile says about size.
#[derive(Debug, Clone)]
pub struct DecisionRequest {
    pub signal: SignalId,
    pub kind: DecisionKind,
    /// Shares to trade instead of the computed size.
    pub quantity: Option<Quantity>,
    pub notes: Option<String>,
    pub appetite: Appetite,
}

/// What a user's profile says about the size of a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Appetite {
    pub profile: RiskProfile,
    /// The most that one position may be worth; `None` leaves it to the limits of the system.
    pub max_position_size: Option<Money>,
}

/// The order that followed an accepted signal, and how its size came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Acceptance {
    pub order: Order,
    /// Absent when the user gave the quantity.
    pub sizing: Option<Sizing>,
}

impl Desk {
    /// Records the decision; an acceptance places the order in the same step. `None` when nothing was traded.
    pub async fn decide(
        &self,
        user: &UserId,
        request: &DecisionRequest,
        cause: &Cause,
        idempotency: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<Option<Acceptance>, UseCaseError> {
        let signal = self.signals.find(&request.signal).await?;
        if request.kind != DecisionKind::Accept {
            self.check_undecided(user, &signal).await?;
            let decision =
                Decision { signal: request.signal.clone(), kind: request.kind, notes: request.notes.clone(), order: None, auto: false };
            self.store.decide(user, &decision).await?;
            return Ok(None);
        }
        let acceptance = self
            .change(Change { user, cause: cause.clone(), idempotency, now }, |journal| self.accept(journal, user, request, &signal, now))
            .await?;
        Ok(Some(acceptance))
    }

    async fn accept(
        &self,
        mut journal: Journal,
        user: &UserId,
        request: &DecisionRequest,
        signal: &Signal,
        now: Timestamp,
    ) -> Result<(Journal, Decided<Acceptance>), UseCaseError> {
        self.check_acceptable(user, signal, now).await?;
        let view = self.view_for(journal.portfolio(), &signal.symbol, now).await?;
        let proposal = match request.quantity {
            Some(quantity) => {
                Proposal { order: OrderRequest { size: OrderSize::Quantity(quantity), ..proposed_order(signal) }, sizing: None }
            }
            None => propose(journal.portfolio(), signal, now, &view, &request.appetite, &self.rules)?,
        };
        if let Some(detail) = proposal.nothing_to_buy() {
            return Err(UseCaseError::Invalid { field: "quantity", detail });
        }
        let Proposal { order, sizing } = proposal;
        let order = order_entry::place(&mut journal, order, Origin::User, &view, &self.rules)?;
        let decision = Decision {
            signal: request.signal.clone(),
            kind: DecisionKind::Accept,
            notes: request.notes.clone(),
            order: Some(order.id.clone()),
            auto: false,
        };
        Ok((journal, Decided { answer: Acceptance { order, sizing }, decisions: vec![decision] }))
    }

    /// An acceptance has traded and cannot be taken back; a rejection can be thought over.
    async fn check_undecided(&self, user: &UserId, signal: &Signal) -> Result<(), UseCaseError> {
        match self.store.decision(user, &signal.id()).await? {
            Some(decision) if decision.kind == DecisionKind::Accept => {
                Err(UseCaseError::TooLate("you have accepted this signal already; close the position instead".into()))
            }
            _ => Ok(()),
        }
    }

    async fn check_acceptable(&self, user: &UserId, signal: &Signal, now: Timestamp) -> Result<(), UseCaseError> {
        self.check_undecided(user, signal).await?;
        match (signal.status(now), signal.action) {
            (SignalStatus::Active, SignalAction::Hold) => {
                Err(UseCaseError::Invalid { field: "action", detail: "a HOLD signal proposes no trade; there is nothing to accept".into() })
            }
            (SignalStatus::Active, _) => Ok(()),
            (status, _) => Err(UseCaseError::SignalOver(status)),
        }
    }
}

/// An order for a signal with its size, and how the size of a purchase came about.
pub(crate) struct Proposal {
    pub(crate) order: OrderRequest,
    pub(crate) sizing: Option<Sizing>,
}

impl Proposal {
    /// Why the limits leave no share to buy; `None` when they leave some.
    pub(crate) fn nothing_to_buy(&self) -> Option<String> {
        let cut = self.sizing.as_ref()?.reason_for_zero()?;
        Some(format!("no share can be bought ({}): {}", cut.limit, cut.detail))
    }
}

/// Sizes what the signal proposes: a purchase by the risk budget and the limits, a sale by what is held and not promised already.
pub(crate) fn propose(
    portfolio: &Portfolio,
    signal: &Signal,
    at: Timestamp,
    view: &MarketView,
    appetite: &Appetite,
    rules: &TradingRules,
) -> Result<Proposal, OrderRefusal> {
    let order = proposed_order(signal);
    let (quantity, sizing) = match order.side {
        Side::Sell => (order_entry::risk_view(portfolio, &order.symbol, at, view, None).holding, None),
        Side::Buy => {
            let sizing = order_entry::size_purchase(portfolio, &order, at, view, rules, appetite.profile, appetite.max_position_size)?;
            (sizing.quantity, Some(sizing))
        }
    };
    Ok(Proposal { order: OrderRequest { size: OrderSize::Quantity(quantity), ..order }, sizing })
}

/// The order that the signal proposes, its size still open: the sale of what is held, or a purchase with its exits. What the signal
/// promises, it promises for its life: whoever takes it, the position closes at the target, at the stop, or at the close of the
/// signal's last session.
fn proposed_order(signal: &Signal) -> OrderRequest {
    let side = if signal.action == SignalAction::Sell { Side::Sell } else { Side::Buy };
    let order =
        OrderRequest { signal_id: Some(signal.id().to_string()), ..OrderRequest::market(signal.symbol.clone(), side, Quantity::ZERO) };
    match side {
        Side::Sell => order,
        Side::Buy => OrderRequest {
            take_profit: signal.target_price,
            stop_loss: signal.stop_loss,
            exit_on: Some(new_york_date(signal.valid_until)),
            ..order
        },
    }
}

//! What a user does about a signal: accept it with a sized order, reject it, or ignore it.

use domain::{
    Money, Quantity, Timestamp, UserId,
    execution::{RiskProfile, Side, Sizing},
    order::{Order, OrderRequest, OrderSize, Origin},
    signal::{Signal, SignalAction, SignalId, SignalStatus},
    trading::{Cause, Journal, order_entry},
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
    pub profile: RiskProfile,
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
            let decision = Decision { signal: request.signal.clone(), kind: request.kind, notes: request.notes.clone(), order: None };
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
        let mut order = proposed_order(signal);
        let sizing = match (request.quantity, order.side) {
            (Some(quantity), _) => {
                order.size = OrderSize::Quantity(quantity);
                None
            }
            (None, Side::Sell) => {
                order.size = OrderSize::Quantity(order_entry::risk_view(journal.portfolio(), &order.symbol, now, &view, None).holding);
                None
            }
            (None, Side::Buy) => {
                let sizing = order_entry::size_purchase(
                    journal.portfolio(),
                    &order,
                    now,
                    &view,
                    &self.rules,
                    request.profile,
                    request.max_position_size,
                )?;
                if let Some(cut) = sizing.reason_for_zero() {
                    return Err(UseCaseError::Invalid {
                        field: "quantity",
                        detail: format!("no share can be bought ({}): {}", cut.limit, cut.detail),
                    });
                }
                order.size = OrderSize::Quantity(sizing.quantity);
                Some(sizing)
            }
        };
        let order = order_entry::place(&mut journal, order, Origin::User, &view, &self.rules)?;
        let decision = Decision {
            signal: request.signal.clone(),
            kind: DecisionKind::Accept,
            notes: request.notes.clone(),
            order: Some(order.id.clone()),
        };
        Ok((journal, Decided { answer: Acceptance { order, sizing }, decision: Some(decision) }))
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
            (status, _) => Err(UseCaseError::TooLate(format!("this signal is {}; accept an active one", status.name()))),
        }
    }
}

/// The order that the signal proposes, its size still open: a purchase with its exits, or the sale of what is held.
fn proposed_order(signal: &Signal) -> OrderRequest {
    let side = if signal.action == SignalAction::Sell { Side::Sell } else { Side::Buy };
    let (take_profit, stop_loss) = if side == Side::Buy { (signal.target_price, signal.stop_loss) } else { (None, None) };
    OrderRequest {
        take_profit,
        stop_loss,
        signal_id: Some(signal.id().to_string()),
        ..OrderRequest::market(signal.symbol.clone(), side, Quantity::ZERO)
    }
}

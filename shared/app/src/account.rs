//! What users may have of what is kept about them: all of it, and its end.

use std::sync::Arc;

use domain::{
    Email, Timestamp,
    order::{Order, OrderId},
    trading::{Entry, Portfolio, Position, Trade, Valuation},
};

use crate::{
    UseCaseError,
    auth::{Actor, AuditAction, AuditEntry, Auth, AuthError, Origin, Principal, User},
    ports::{Decision, PortfolioStore},
};

/// Leaving with everything, or for good.
#[derive(Clone)]
pub struct Accounts {
    auth: Arc<Auth>,
    portfolios: Arc<dyn PortfolioStore>,
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AccountError {
    #[error(transparent)]
    Auth(#[from] AuthError),
    #[error(transparent)]
    Portfolio(#[from] UseCaseError),
}

impl From<crate::ports::StoreError> for AccountError {
    fn from(error: crate::ports::StoreError) -> Self {
        Self::Auth(error.into())
    }
}

/// Where a page of an export begins. The order is that of the variants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportFrom {
    Start,
    /// Orders before this one, newest first.
    Orders(OrderId),
    /// Trades with a lower sequence, newest first.
    Trades(u64),
    /// Ledger entries with a higher sequence, oldest first.
    Ledger(u64),
}

/// A page of everything that is kept about a user.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// What there is one of, or little: on the first page.
    pub summary: Option<ExportSummary>,
    pub orders: Vec<Order>,
    pub trades: Vec<Trade>,
    pub ledger: Vec<Entry>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<ExportFrom>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ExportSummary {
    pub user: User,
    /// `None` where nothing was ever traded.
    pub portfolio: Option<Portfolio>,
    pub closed_positions: Vec<Position>,
    pub valuations: Vec<Valuation>,
    pub decisions: Vec<Decision>,
}

impl Accounts {
    pub fn new(auth: Arc<Auth>, portfolios: Arc<dyn PortfolioStore>) -> Self {
        Self { auth, portfolios }
    }

    /// At most `limit` orders, trades and ledger entries together, from `from` on; the first page also has the rest.
    pub async fn export(
        &self,
        principal: &Principal,
        from: ExportFrom,
        limit: usize,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Export, AccountError> {
        let owner = &principal.user_id;
        let mut export = Export { summary: None, orders: vec![], trades: vec![], ledger: vec![], next: None };
        if from == ExportFrom::Start {
            let entry = AuditEntry::new(AuditAction::AccountExported, Actor::User(owner.clone()), origin, now);
            self.auth.record(entry.on(Some(owner))).await;
            export.summary = Some(self.summary(principal).await?);
        }
        // Each list fills what is left of the page; one that does not end there is where the next page begins.
        let mut left = limit;
        if let ExportFrom::Start | ExportFrom::Orders(_) = &from {
            let before = if let ExportFrom::Orders(id) = &from { Some(id) } else { None };
            export.orders = self.portfolios.orders(owner, before, left).await?;
            left -= export.orders.len();
            if left == 0 {
                export.next = export.orders.last().map(|order| ExportFrom::Orders(order.id.clone()));
                return Ok(export);
            }
        }
        if !matches!(from, ExportFrom::Ledger(_)) {
            let before = if let ExportFrom::Trades(sequence) = from { Some(sequence) } else { None };
            export.trades = self.portfolios.trades(owner, before, left).await?;
            left -= export.trades.len();
            if left == 0 {
                export.next = export.trades.last().map(|trade| ExportFrom::Trades(trade.sequence));
                return Ok(export);
            }
        }
        let after = if let ExportFrom::Ledger(sequence) = from { sequence } else { 0 };
        export.ledger = self.portfolios.entries(owner, after, left + 1).await?;
        if export.ledger.len() > left {
            export.ledger.truncate(left);
            export.next = export.ledger.last().map(|entry| ExportFrom::Ledger(entry.sequence));
        }
        Ok(export)
    }

    async fn summary(&self, principal: &Principal) -> Result<ExportSummary, AccountError> {
        let owner = &principal.user_id;
        Ok(ExportSummary {
            user: self.auth.user(owner).await?,
            portfolio: self.portfolios.load(owner).await?,
            closed_positions: self.portfolios.closed_positions(owner).await?,
            valuations: self.portfolios.valuations(owner, None).await?,
            decisions: self.portfolios.decisions(owner, domain::Date::ZERO).await?,
        })
    }

    /// Deletes the account and everything in it, once the owner has confirmed with the address and a fresh code.
    ///
    /// Each step can be repeated, and after each one the owner can still sign in and ask again; only the last takes that away.
    pub async fn delete(
        &self,
        principal: &Principal,
        email: &Email,
        code: &str,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        self.auth.confirm(principal, email, code, origin, now).await?;
        self.auth.begin_closing(principal, origin, now).await?;
        self.portfolios.forget(&principal.user_id).await?;
        self.auth.forget(principal, origin, now).await?;
        Ok(())
    }
}

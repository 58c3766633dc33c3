//! What administrators did and who was turned away, for those who must find out later.
//!
//! An action is recorded each time it happens. Denials, which anybody can cause, are recorded once an hour for each who and what, so
//! that nobody can flood the log; what a stranger wrote (an address, a token, a path) never gets into it.

use std::time::Duration;

use domain::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Auth, AuthError, Origin, entropy};
use crate::ports::AuditPage;

/// How long an entry is kept.
const LIFE: Duration = Duration::from_hours(365 * 24);

/// Into how many groups sources without an account fall: entries an hour for each kind of denial, however many machines attack.
const SOURCES: u8 = 255;

/// The same for denials about one account.
const SOURCES_OF_AN_ACCOUNT: u8 = 16;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub id: String,
    /// Wall time.
    pub at: Timestamp,
    pub action: AuditAction,
    pub actor: Actor,
    /// The account that it was done to.
    pub subject: Option<UserId>,
    /// Method and template of the route, such as `PUT /api/v1/admin/users/{id}/role`.
    pub route: Option<String>,
    /// What else there is to know, such as the old and the new role.
    pub detail: Option<String>,
    /// The request's id, by which the other logs find it.
    pub request_id: Option<String>,
    /// The network address that it came from.
    pub source: Option<String>,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "user_id")]
pub enum Actor {
    User(UserId),
    /// Whoever configures and starts the system.
    Operator,
    /// Nobody has proved who they are.
    Anonymous,
}

/// What was done, or was not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditAction {
    /// The operator's settings made an account an administrator's.
    AdminAppointed,
    RoleChanged,
    UserDeactivated,
    UserReactivated,
    /// Any other request that only an administrator may make.
    AdminRequest,
    LoggedOutEverywhere,
    AccountExported,
    /// The owner confirmed; from here on the account cannot trade any more.
    AccountClosing,
    /// Nothing of the account is left but the log.
    AccountDeleted,

    /// A wrong, expired or used-up code.
    LoginFailed,
    /// Too many wrong codes or tries: not even looked at.
    LoginThrottled,
    /// A right code of an account that is deactivated, or of an address that may not sign up.
    LoginRefused,
    /// A wrong code where the owner of an account was to confirm something.
    ConfirmationFailed,
    /// A bearer token that is not good, or no longer.
    TokenRefused,
    /// A request that asks for a higher role.
    RoleInsufficient,
}

impl AuditAction {
    pub const ALL: [Self; 15] = [
        Self::AdminAppointed,
        Self::RoleChanged,
        Self::UserDeactivated,
        Self::UserReactivated,
        Self::AdminRequest,
        Self::LoggedOutEverywhere,
        Self::AccountExported,
        Self::AccountClosing,
        Self::AccountDeleted,
        Self::LoginFailed,
        Self::LoginThrottled,
        Self::LoginRefused,
        Self::ConfirmationFailed,
        Self::TokenRefused,
        Self::RoleInsufficient,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::AdminAppointed => "admin_appointed",
            Self::RoleChanged => "role_changed",
            Self::UserDeactivated => "user_deactivated",
            Self::UserReactivated => "user_reactivated",
            Self::AdminRequest => "admin_request",
            Self::LoggedOutEverywhere => "logged_out_everywhere",
            Self::AccountExported => "account_exported",
            Self::AccountClosing => "account_closing",
            Self::AccountDeleted => "account_deleted",
            Self::LoginFailed => "login_failed",
            Self::LoginThrottled => "login_throttled",
            Self::LoginRefused => "login_refused",
            Self::ConfirmationFailed => "confirmation_failed",
            Self::TokenRefused => "token_refused",
            Self::RoleInsufficient => "role_insufficient",
        }
    }

    fn is_denial(self) -> bool {
        matches!(
            self,
            Self::LoginFailed
                | Self::LoginThrottled
                | Self::LoginRefused
                | Self::ConfirmationFailed
                | Self::TokenRefused
                | Self::RoleInsufficient
        )
    }
}

impl AuditEntry {
    pub fn new(action: AuditAction, actor: Actor, origin: &Origin, at: Timestamp) -> Self {
        Self {
            id: entropy::id(),
            at,
            action,
            actor,
            subject: None,
            route: None,
            detail: None,
            request_id: origin.request_id.clone(),
            source: origin.ip.map(|ip| ip.to_canonical().to_string()),
        }
    }

    #[must_use]
    pub fn on(self, subject: Option<&UserId>) -> Self {
        Self { subject: subject.cloned(), ..self }
    }

    #[must_use]
    pub fn by_route(self, route: String) -> Self {
        Self { route: Some(route), ..self }
    }

    #[must_use]
    pub fn because(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    pub fn expires_at(&self) -> Timestamp {
        self.at + LIFE
    }

    /// The name under which it is recorded once, and not again within the hour; `None` for what is recorded each time.
    fn once(&self) -> Option<String> {
        let is_reading = self.route.as_deref().is_some_and(|route| route.starts_with("GET ") || route.starts_with("HEAD "));
        let is_repeated = self.action.is_denial() || (self.action == AuditAction::AdminRequest && is_reading);
        if !is_repeated {
            return None;
        }
        let who = match (&self.actor, &self.subject) {
            (Actor::User(user), _) => format!("{user}#{}", self.route.as_deref().unwrap_or_default()),
            (_, Some(subject)) => format!("{subject}#{}", self.group() % SOURCES_OF_AN_ACCOUNT),
            (_, None) => format!("anybody#{}", self.group() % SOURCES),
        };
        Some(format!("{}#{}#{who}", self.at.strftime("%Y-%m-%dT%H"), self.action.name()))
    }

    fn group(&self) -> u8 {
        Sha256::digest(self.source.as_deref().unwrap_or_default())[0]
    }
}

impl Auth {
    /// Writes an entry. The log is not a reason to refuse what it is about: a failure is told to the operator's logs.
    pub async fn record(&self, entry: AuditEntry) {
        let Some(once) = entry.once() else {
            return tell(self.store.append_audit(&entry, None).await.map(|_| ()));
        };
        let Err(ticket) = self.denials.get(&once, entry.at) else { return };
        let appended = self.store.append_audit(&entry, Some(&once)).await;
        if appended.is_ok() {
            self.denials.put(ticket, once, (), entry.at);
        }
        tell(appended.map(|_| ()));
    }

    /// The log, newest first: at most `limit` entries from `after` ([`AuditPage::next`] of the page before) on.
    pub async fn audit(&self, after: Option<&str>, limit: u32, now: Timestamp) -> Result<AuditPage, AuthError> {
        Ok(self.store.audit(after, limit, now - LIFE, now).await?)
    }
}

fn tell(outcome: Result<(), crate::ports::StoreError>) {
    if let Err(error) = outcome {
        tracing::error!(%error, "an entry of the audit log is lost");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(action: AuditAction, actor: &str, source: [u8; 4], at: &str) -> AuditEntry {
        let actor = if actor.is_empty() { Actor::Anonymous } else { Actor::User(UserId(actor.into())) };
        AuditEntry::new(action, actor, &Origin { ip: Some(source.into()), ..Origin::default() }, at.parse().unwrap())
    }

    #[test]
    fn names_are_those_that_are_stored() {
        for action in AuditAction::ALL {
            assert_eq!(serde_json::to_string(&action).unwrap(), format!("\"{}\"", action.name()));
        }
    }

    #[test]
    fn denials_are_told_once_an_hour_and_actions_each_time() {
        use AuditAction::{AdminRequest, LoginFailed, RoleChanged, RoleInsufficient};

        let first = entry(RoleInsufficient, "ann", [192, 0, 2, 1], "2026-11-23T10:00:00Z").by_route("POST /a".into());
        for (other, is_same) in [
            (entry(RoleInsufficient, "ann", [192, 0, 2, 9], "2026-11-23T10:59:59Z").by_route("POST /a".into()), true),
            (entry(RoleInsufficient, "ann", [192, 0, 2, 1], "2026-11-23T11:00:00Z").by_route("POST /a".into()), false),
            (entry(RoleInsufficient, "ann", [192, 0, 2, 1], "2026-11-23T10:00:00Z").by_route("POST /b".into()), false),
            (entry(RoleInsufficient, "bob", [192, 0, 2, 1], "2026-11-23T10:00:00Z").by_route("POST /a".into()), false),
            (entry(LoginFailed, "", [192, 0, 2, 1], "2026-11-23T10:00:00Z"), false),
        ] {
            assert_eq!(first.once() == other.once(), is_same, "{other:?}");
        }
        let act = |action, route: &str| entry(action, "ann", [192, 0, 2, 1], "2026-11-23T10:00:00Z").by_route(route.into()).once();
        assert_eq!((act(RoleChanged, "PUT /a"), act(AdminRequest, "POST /a")), (None, None));
        assert!(act(AdminRequest, "GET /a").is_some(), "reading is told once an hour");
    }

    #[test]
    fn however_many_machines_attack_the_log_grows_within_bounds() {
        let ann = UserId("ann".into());
        let sources = (0..20_000_u32).map(u32::to_be_bytes);
        let at = "2026-11-23T10:00:00Z";
        let [strangers, about_ann] = [None, Some(&ann)].map(|subject| {
            let names = sources.clone().map(|source| entry(AuditAction::LoginFailed, "", source, at).on(subject).once());
            names.collect::<std::collections::HashSet<_>>().len()
        });
        assert_eq!((strangers, about_ann), (SOURCES.into(), SOURCES_OF_AN_ACCOUNT.into()));
    }
}

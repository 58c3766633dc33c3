//! Who is asking: sign-in by one-time code, tokens, sessions, roles and the user's own settings.
//!
//! Codes and tokens live in wall time, also where the market's clock is a replay: `now` is always the wall clock's here.
//! What the store must guarantee under races is said at [`IdentityStore`].

mod admin;
mod audit;
mod cache;
mod closing;
mod code;
pub mod entropy;
mod error;
mod limits;
mod login;
mod mail;
mod origin;
mod policy;
mod secrets;
mod session;
mod sign_up;
mod token;
mod user;

use std::{sync::Arc, time::Duration};

use domain::UserId;

use crate::ports::{IdentityStore, Mailer};

pub use audit::{Actor, AuditAction, AuditEntry};
pub use code::CODE_LENGTH;
pub use error::AuthError;
pub use limits::{Bucket, RateError, Taken};
pub use login::{CodeSent, Login};
pub use mail::code_in;
pub use origin::Origin;
pub use policy::{AuthPolicy, Limits};
pub use secrets::{Secrets, SecretsError, SigningKey};
pub use session::{Principal, bearer, subscribers};
pub use sign_up::{SignUp, SignUpError};
pub use user::{Preferences, Profile, User};

/// The use cases of identity.
pub struct Auth {
    store: Arc<dyn IdentityStore>,
    mailer: Arc<dyn Mailer>,
    policy: AuthPolicy,
    codes: code::CodeHasher,
    tokens: token::Tokens,
    users: cache::Cache<UserId, Arc<User>>,
    /// Whose session one is, by its id.
    sessions: cache::Cache<String, UserId>,
    /// Denials that the log has had this hour.
    denials: cache::Cache<String, ()>,
}

impl Auth {
    pub fn new(store: Arc<dyn IdentityStore>, mailer: Arc<dyn Mailer>, policy: AuthPolicy, secrets: &Secrets) -> Self {
        Self {
            codes: code::CodeHasher::new(secrets),
            tokens: token::Tokens::new(secrets, &policy.issuer, &policy.audience),
            users: cache::Cache::new(policy.user_cache),
            sessions: cache::Cache::new(policy.session_cache),
            denials: cache::Cache::new(Duration::from_hours(1)),
            store,
            mailer,
            policy,
        }
    }

    pub fn policy(&self) -> &AuthPolicy {
        &self.policy
    }
}

//! Signing in: a code by mail, and the code for a token.

use std::time::{Duration, Instant};

use domain::{Email, Role, Timestamp, UserId};
use tracing::info;

use super::{Actor, AuditAction, AuditEntry, Auth, AuthError, Origin, Preferences, Profile, SignUp, Taken, User, code, entropy, mail};
use crate::ports::{CodeTry, Session, StoreError};

/// Wrong codes are forgotten when this long no other followed.
const FAILURES_REMEMBERED: Duration = Duration::from_hours(24);

/// The same answer whether or not the address has an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeSent {
    /// From now until the code stops working.
    pub expires_in: Duration,
}

/// A sign-in that succeeded.
#[derive(Debug, Clone, PartialEq)]
pub struct Login {
    pub access_token: String,
    pub expires_at: Timestamp,
    pub expires_in: Duration,
    pub user: User,
}

impl Auth {
    /// Mails a fresh code, which voids the one before, to an address that has an active account or may get one.
    pub async fn request_otp(&self, email: &Email, origin: &Origin, now: Timestamp) -> Result<CodeSent, AuthError> {
        let started = Instant::now();
        let answer = self.send_code(email, origin, now).await;
        tokio::time::sleep(self.rest(started.elapsed())).await;
        answer
    }

    /// From an answer that took `elapsed` to the next multiple of the floor.
    fn rest(&self, elapsed: Duration) -> Duration {
        let floor = self.policy.request_floor;
        if floor.is_zero() {
            return Duration::ZERO;
        }
        let steps = elapsed.as_nanos().div_ceil(floor.as_nanos()).max(1);
        (floor * u32::try_from(steps).unwrap_or(u32::MAX)).saturating_sub(elapsed)
    }

    async fn send_code(&self, email: &Email, origin: &Origin, now: Timestamp) -> Result<CodeSent, AuthError> {
        let limits = &self.policy.limits;
        let by_source = self.store.take(&format!("codes#{}", origin.source()), &limits.codes_per_source, now).await?;
        allowed(by_source)?;
        let by_address = self.store.take(&format!("codes#{email}"), &limits.codes_per_address, now).await?;
        allowed(by_address)?;

        let welcome = match self.store.user_by_email(email).await? {
            Some(user) => user.is_active,
            None => self.policy.sign_up.allows(email),
        };
        // Who is not welcome gets a code too, only not by mail: what a login answers later cannot tell the difference either.
        let code = code::generate();
        self.store.put_code(email, &self.codes.record(email, &code, now, self.policy.code_life)).await?;
        if welcome {
            self.mail_code(email, &code, origin, now).await?;
        }
        Ok(CodeSent { expires_in: self.policy.code_life })
    }

    /// Where not everybody may sign up, an error would tell that the address has an account: it is told to the operator alone.
    async fn mail_code(&self, email: &Email, code: &str, origin: &Origin, now: Timestamp) -> Result<(), AuthError> {
        match self.mailer.send(&mail::sign_in(email, code, self.policy.code_life, origin, now), now).await {
            Err(error) if self.policy.sign_up != SignUp::Open => tracing::error!(%error, "a code was not mailed"),
            sent => sent?,
        }
        Ok(())
    }

    /// Uses a code up and opens a session; a first sign-in creates the account.
    pub async fn login(&self, email: &Email, code: &str, origin: &Origin, now: Timestamp) -> Result<Login, AuthError> {
        let started = Instant::now();
        let outcome = self.try_login(email, code, origin, now).await;
        if let Some(action) = outcome.as_ref().err().and_then(denial) {
            self.record_failed_login(action, email, origin, now).await;
            // What the log has had already takes no time: when the answer comes must not tell whether that was about an account.
            tokio::time::sleep(self.rest(started.elapsed())).await;
        }
        outcome
    }

    async fn try_login(&self, email: &Email, code: &str, origin: &Origin, now: Timestamp) -> Result<Login, AuthError> {
        self.use_code(email, code, origin, now).await?;
        let user = self.owner(email, now).await?;
        self.open_session(user, origin, now).await
    }

    /// About an account where there is one, never about an address: that is what a stranger wrote.
    async fn record_failed_login(&self, action: AuditAction, email: &Email, origin: &Origin, now: Timestamp) {
        match self.store.owner_of(email).await {
            Ok(owner) => self.record(AuditEntry::new(action, Actor::Anonymous, origin, now).on(owner.as_ref())).await,
            Err(error) => tracing::error!(%error, "an entry of the audit log is lost"),
        }
    }

    /// Uses a code up, if it is the address's; limits of sources and of wrong codes apply.
    pub(super) async fn use_code(&self, email: &Email, code: &str, origin: &Origin, now: Timestamp) -> Result<(), AuthError> {
        allowed(self.store.take(&format!("logins#{}", origin.source()), &self.policy.limits.logins_per_source, now).await?)?;
        self.check_code(email, code, now).await
    }

    async fn check_code(&self, email: &Email, code: &str, now: Timestamp) -> Result<(), AuthError> {
        let failures = self.store.failures(email, now).await?;
        if let Some(last_at) = failures.last_at {
            let heard_at = last_at + self.policy.limits.wait_after(failures.count);
            if now < heard_at {
                return Err(AuthError::Throttled { retry_after: Duration::try_from(heard_at.duration_since(now)).unwrap_or_default() });
            }
        }
        let record = match self.store.try_code(email, self.policy.max_tries, now).await? {
            CodeTry::Allowed(record) => record,
            CodeTry::Exhausted => return Err(AuthError::TooManyTries),
            CodeTry::Expired => return Err(AuthError::ExpiredCode),
            CodeTry::Absent => return Err(AuthError::InvalidCode),
        };
        if !self.codes.matches(&record, email, code.trim()) {
            self.store.record_failure(email, now, now + FAILURES_REMEMBERED).await?;
            return Err(AuthError::InvalidCode);
        }
        // Several may have come here with the right code at once: the store lets one of them pass.
        if !self.store.take_code(email, &record.challenge).await? {
            return Err(AuthError::InvalidCode);
        }
        if failures.count > 0 {
            self.store.clear_failures(email).await?;
        }
        Ok(())
    }

    /// The account of an address that has just proved to be the caller's.
    async fn owner(&self, email: &Email, now: Timestamp) -> Result<User, AuthError> {
        match self.store.user_by_email(email).await? {
            Some(user) if user.is_active => Ok(user),
            Some(_) => Err(AuthError::Deactivated),
            None if self.policy.sign_up.allows(email) => self.find_or_create(email, Role::default(), now).await,
            None => Err(AuthError::SignUpClosed),
        }
    }

    pub(super) async fn find_or_create(&self, email: &Email, role: Role, now: Timestamp) -> Result<User, AuthError> {
        let user = User {
            id: UserId(entropy::id()),
            email: email.clone(),
            role,
            is_active: true,
            is_verified: false,
            created_at: now,
            last_sign_in_at: None,
            profile: Profile::default(),
            preferences: Preferences::default(),
        };
        match self.store.create_user(&user).await {
            Ok(()) => {
                info!(user_id = %user.id, role = role.name(), "user created");
                Ok(user)
            }
            // Another request of the same person was faster.
            Err(StoreError::Conflict(_)) => self.store.user_by_email(email).await?.ok_or(AuthError::UnknownUser),
            Err(error) => Err(error.into()),
        }
    }

    async fn open_session(&self, user: User, origin: &Origin, now: Timestamp) -> Result<Login, AuthError> {
        // A token counts in whole seconds, so the session does too and both end together.
        let expires_at = Timestamp::from_second((now + self.policy.token_life).as_second()).expect("a rounded-down instant is in range");
        let session = Session { id: entropy::id(), user_id: user.id.clone(), opened_at: now, expires_at, origin: origin.to_string() };
        self.store.open_session(&session).await.map_err(|error| match error {
            // Deactivated or deleted since the code was looked at.
            StoreError::Conflict(_) => AuthError::Deactivated,
            other => other.into(),
        })?;
        self.users.remove(&user.id);
        let user = User { is_verified: true, last_sign_in_at: Some(now), ..user };
        let access_token = self.tokens.sign(&user.id, user.role, &session.id, now, expires_at);
        info!(user_id = %user.id, session_id = %session.id, "signed in");
        Ok(Login { access_token, expires_at, expires_in: self.policy.token_life, user })
    }
}

/// What a failed login is in the audit log.
fn denial(error: &AuthError) -> Option<AuditAction> {
    match error {
        AuthError::InvalidCode | AuthError::ExpiredCode => Some(AuditAction::LoginFailed),
        AuthError::TooManyTries | AuthError::Throttled { .. } => Some(AuditAction::LoginThrottled),
        AuthError::SignUpClosed | AuthError::Deactivated => Some(AuditAction::LoginRefused),
        _ => None,
    }
}

fn allowed(taken: Taken) -> Result<(), AuthError> {
    if taken.allowed { Ok(()) } else { Err(AuthError::Throttled { retry_after: taken.retry_after }) }
}

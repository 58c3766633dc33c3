//! Signing in, tokens and users, by the real use cases on the real table.

mod audit;
mod closing;
mod codes;
mod limits;
mod standing;
mod tokens;
mod users;

use std::sync::{Arc, Mutex};

use app::{
    auth::{Auth, AuthPolicy, Login, Origin, Principal, Secrets, code_in},
    ports::{Mail, MailError, Mailer},
};
use async_trait::async_trait;
use domain::Email;
use jiff::{SignedDuration, Timestamp};

use super::IdentityTable;
use crate::store::{Store, testing};

/// Keeps the mails that were sent.
#[derive(Default)]
struct Mailbox(Mutex<Vec<Mail>>);

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, mail: &Mail, _now: Timestamp) -> Result<(), MailError> {
        self.0.lock().unwrap().push(mail.clone());
        Ok(())
    }
}

/// One service with its table, mailbox and keys, on a clock that is moved by hand.
struct World {
    auth: Auth,
    table: Arc<IdentityTable>,
    mailbox: Arc<Mailbox>,
    secrets: Secrets,
}

impl World {
    async fn new() -> Self {
        Self::with(AuthPolicy::default()).await
    }

    async fn with(policy: AuthPolicy) -> Self {
        Self::over(&testing::store().await, policy)
    }

    fn over(store: &Store, policy: AuthPolicy) -> Self {
        let table = Arc::new(IdentityTable::new(store));
        let mailbox = Arc::new(Mailbox::default());
        let secrets = Secrets::generate();
        Self { auth: Auth::new(table.clone(), mailbox.clone(), policy, &secrets), table, mailbox, secrets }
    }

    /// Another copy of the service on the same table, as a second Lambda would be.
    fn copy(&self, policy: AuthPolicy, secrets: &Secrets) -> Auth {
        Auth::new(self.table.clone(), self.mailbox.clone(), policy, secrets)
    }

    fn mails(&self) -> usize {
        self.mailbox.0.lock().unwrap().len()
    }

    async fn code(&self, email: &Email, now: Timestamp) -> String {
        self.auth.request_otp(email, &origin(1), now).await.unwrap();
        code_in(&self.mailbox.0.lock().unwrap().last().unwrap().text).unwrap().to_owned()
    }

    async fn login(&self, email: &str, now: Timestamp) -> Login {
        let email = email.parse().unwrap();
        let code = self.code(&email, now).await;
        self.auth.login(&email, &code, &origin(1), now).await.unwrap()
    }

    async fn principal(&self, email: &str, now: Timestamp) -> Principal {
        self.auth.verify(&self.login(email, now).await.access_token, now).await.unwrap()
    }
}

fn origin(host: u8) -> Origin {
    Origin { ip: Some([192, 0, 2, host].into()), user_agent: Some("curl/8.5.0".into()), request_id: Some("request-1".into()) }
}

fn start() -> Timestamp {
    "2026-01-05T15:00:00.5Z".parse().unwrap()
}

fn after(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

fn ann() -> Email {
    "ann@example.com".parse().unwrap()
}

/// A code that is certainly not this one.
fn wrong(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

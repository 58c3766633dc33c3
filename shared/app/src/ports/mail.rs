//! Sending mail.

use std::fmt;

use async_trait::async_trait;
use domain::{Email, Timestamp};

/// One mail to one person, as plain text and as HTML that says the same.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    pub to: Email,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// A mail is private, and a sign-in code is a secret: logs see neither.
impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("subject", &self.subject).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// No mail can ever reach this address, or the service has given it up.
    #[error("mail to this address cannot be delivered: {0}")]
    Undeliverable(String),
    /// The service asks for less: the request was repeated and still refused. Nothing was sent; later it will be.
    #[error("too much mail is being sent")]
    Throttled,
    /// The operator has something to do before any mail like this can be sent, such as verifying the sender, or leaving the
    /// sandbox in which recipients must be verified, too.
    #[error("mail is not set up: {0}")]
    NotSetUp(String),
    /// Nothing was sent; trying again later may work.
    #[error("mail cannot be sent now: {0}")]
    Unavailable(String),
}

#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands the mail over for delivery and returns without waiting for it to arrive. `now` becomes the mail's date.
    async fn send(&self, mail: &Mail, now: Timestamp) -> Result<(), MailError>;
}

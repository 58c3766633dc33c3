//! On one machine the sign-in code is also shown where the server was started: nobody has to look for the outbox.

use adapters::mail::Outbox;
use app::{
    auth::code_in,
    ports::{Mail, MailError, Mailer},
};
use async_trait::async_trait;
use domain::Timestamp;

pub struct PrintingMailer {
    outbox: Outbox,
}

impl PrintingMailer {
    pub fn new(outbox: Outbox) -> Self {
        Self { outbox }
    }
}

#[async_trait]
impl Mailer for PrintingMailer {
    async fn send(&self, mail: &Mail, now: Timestamp) -> Result<(), MailError> {
        self.outbox.send(mail, now).await?;
        if let Some(code) = code_in(&mail.text) {
            println!("  code for {}: {code}", mail.to);
        }
        Ok(())
    }
}

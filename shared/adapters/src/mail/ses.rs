//! Mail by SES.

use std::time::Duration;

use app::ports::{Mail, MailError, Mailer};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sesv2::{
    Client,
    config::Builder,
    error::{BuildError, DisplayErrorContext, ProvideErrorMetadata, SdkError},
    types::{Body, Content, Destination, EmailContent, Message},
};
use jiff::Timestamp;

use crate::aws;

/// A [`Mailer`] over SES v2.
#[derive(Debug, Clone)]
pub struct Ses {
    client: Client,
    sender: String,
    configuration_set: Option<String>,
}

impl Ses {
    /// `sender` is an address, or a name and an address in angle brackets, of a verified identity. The configuration set says what
    /// becomes of bounces and complaints.
    pub fn new(config: &SdkConfig, sender: &str, configuration_set: Option<&str>) -> Self {
        let config = Builder::from(config).timeout_config(aws::patience(Duration::from_secs(5), Duration::from_secs(12))).build();
        Self { client: Client::from_conf(config), sender: sender.to_owned(), configuration_set: configuration_set.map(str::to_owned) }
    }
}

#[async_trait]
impl Mailer for Ses {
    /// SES dates the mail itself.
    async fn send(&self, mail: &Mail, _: Timestamp) -> Result<(), MailError> {
        let content = content(mail).map_err(|error| MailError::Undeliverable(error.to_string()))?;
        let sent = self
            .client
            .send_email()
            .from_email_address(&self.sender)
            .destination(Destination::builder().to_addresses(mail.to.as_str()).build())
            .content(content)
            .set_configuration_set_name(self.configuration_set.clone())
            .send()
            .await;
        match sent {
            Ok(sent) => {
                tracing::info!(message_id = sent.message_id, "mail handed over");
                Ok(())
            }
            Err(error) => Err(meaning(&error)),
        }
    }
}

fn content(mail: &Mail) -> Result<EmailContent, BuildError> {
    let utf8 = |text: &str| Content::builder().data(text).charset("UTF-8").build();
    let body = Body::builder().text(utf8(&mail.text)?).html(utf8(&mail.html)?).build();
    let message = Message::builder().subject(utf8(&mail.subject)?).body(body).build();
    Ok(EmailContent::builder().simple(message).build())
}

/// SES names its refusals; of those that can have two reasons, the text tells which.
fn meaning<E>(error: &SdkError<E>) -> MailError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let text = error.message().unwrap_or("no reason given").to_owned();
    match error.code() {
        Some("TooManyRequestsException" | "ThrottlingException" | "Throttling" | "LimitExceededException") => MailError::Throttled,
        // In the sandbox, recipients must be verified as well: the address may be as good as any.
        Some("MessageRejected") if text.contains("not verified") => MailError::NotSetUp(text),
        Some("MessageRejected") => MailError::Undeliverable(text),
        Some("BadRequestException") if text.to_ascii_lowercase().contains("address") => MailError::Undeliverable(text),
        Some(
            "MailFromDomainNotVerifiedException"
            | "AccountSuspendedException"
            | "SendingPausedException"
            | "NotFoundException"
            | "BadRequestException"
            | "AccessDeniedException"
            | "AccessDenied",
        ) => MailError::NotSetUp(text),
        _ => MailError::Unavailable(DisplayErrorContext(error).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Service, reply};

    fn mail() -> Mail {
        Mail {
            to: "ann@example.com".parse().unwrap(),
            subject: "Grüße".into(),
            text: "Your code is 012345".into(),
            html: "<b>012345</b>".into(),
        }
    }

    #[tokio::test]
    async fn a_mail_goes_out_as_text_and_html_from_the_configured_identity() {
        let service = Service::start(|_, _| reply(200, r#"{"MessageId":"m-1"}"#)).await;
        let ses = Ses::new(&service.config(), "StockGPT <no-reply@example.com>", Some("stockgpt-dev"));
        ses.send(&mail(), Timestamp::UNIX_EPOCH).await.unwrap();

        let asked = service.asked();
        assert_eq!((asked.len(), asked[0].target.as_str()), (1, "POST /v2/email/outbound-emails"));
        let sent = asked[0].json();
        assert_eq!(sent["FromEmailAddress"], "StockGPT <no-reply@example.com>");
        assert_eq!(sent["Destination"]["ToAddresses"], serde_json::json!(["ann@example.com"]));
        assert_eq!(sent["ConfigurationSetName"], "stockgpt-dev");
        let message = &sent["Content"]["Simple"];
        assert_eq!(message["Subject"], serde_json::json!({"Data": "Grüße", "Charset": "UTF-8"}));
        assert_eq!(message["Body"]["Text"]["Data"], "Your code is 012345");
        assert_eq!(message["Body"]["Html"]["Data"], "<b>012345</b>");
    }

    #[tokio::test]
    async fn refusals_are_told_apart_and_only_what_may_pass_is_tried_again() {
        let unverified = "Email address is not verified. The following identities failed the check in region US-EAST-1: ann@example.com";
        for (status, code, text, expected, tries) in [
            (400, "MessageRejected", unverified, MailError::NotSetUp(unverified.into()), 1),
            (400, "MessageRejected", "Virus found", MailError::Undeliverable("Virus found".into()), 1),
            (400, "MailFromDomainNotVerifiedException", "set up MX", MailError::NotSetUp("set up MX".into()), 1),
            (403, "SendingPausedException", "paused", MailError::NotSetUp("paused".into()), 1),
            (429, "TooManyRequestsException", "Maximum sending rate exceeded", MailError::Throttled, 4),
        ] {
            let service = Service::start(move |_, _| reply(status, format!(r#"{{"message":"{text}"}}"#)).kind(code)).await;
            let sent = Ses::new(&service.config(), "no-reply@example.com", None).send(&mail(), Timestamp::UNIX_EPOCH).await;
            assert_eq!((sent, service.asked().len()), (Err(expected), tries), "{code}");
        }
    }

    #[tokio::test]
    async fn a_service_that_cannot_be_reached_may_come_back() {
        let service = Service::start(|_, _| reply(503, "{}")).await;
        let sent = Ses::new(&service.config(), "no-reply@example.com", None).send(&mail(), Timestamp::UNIX_EPOCH).await;
        assert!(matches!(sent, Err(MailError::Unavailable(_))), "{sent:?}");
    }
}

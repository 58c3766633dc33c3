//! A mail as an Internet message.

use app::ports::{Mail, MailError};
use jiff::Timestamp;
use lettre::message::{Mailbox, Message, MultiPart};

/// The bytes of the message: headers, then the text and the HTML as alternatives. `id` makes the `Message-ID` unique.
pub fn render(from: &Mailbox, mail: &Mail, id: &str, now: Timestamp) -> Result<Vec<u8>, MailError> {
    let to = mail.to.as_str().parse().map_err(|_| MailError::Undeliverable("the address is not one that mail can be sent to".into()))?;
    let message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(&mail.subject)
        .date(now.into())
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()));
    message.map(|message| message.formatted()).map_err(|error| MailError::Undeliverable(error.to_string()))
}

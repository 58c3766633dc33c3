//! Mail on one machine: a directory in which each mail is a file that any mail program opens.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use app::{
    auth::entropy,
    ports::{Mail, MailError, Mailer},
};
use async_trait::async_trait;
use jiff::Timestamp;
use lettre::message::Mailbox;

use super::message::render;

/// Writes each mail as `<time>-<id>.eml`; names sort by time.
#[derive(Debug, Clone)]
pub struct Outbox {
    directory: PathBuf,
    from: Mailbox,
}

impl Outbox {
    /// Makes the directory if there is none.
    pub fn open(directory: impl Into<PathBuf>, from: Mailbox) -> io::Result<Self> {
        let directory = directory.into();
        fs::create_dir_all(&directory)?;
        Ok(Self { directory, from })
    }

    /// `StockGPT <no-reply@localhost>`: the sender where no domain is set up.
    pub fn local_sender() -> Mailbox {
        "StockGPT <no-reply@localhost>".parse().expect("the address is well formed")
    }
}

#[async_trait]
impl Mailer for Outbox {
    async fn send(&self, mail: &Mail, now: Timestamp) -> Result<(), MailError> {
        let id = entropy::id();
        let message = render(&self.from, mail, &id, now)?;
        let path = self.directory.join(format!("{}-{}.eml", now.strftime("%Y%m%dT%H%M%S.%9fZ"), &id[..8]));
        let written = tokio::task::spawn_blocking(move || write_whole(&path, &message)).await;
        written
            .map_err(|error| MailError::Unavailable(error.to_string()))?
            .map_err(|error| MailError::Unavailable(format!("the outbox cannot be written: {error}")))
    }
}

/// Who reads the directory sees a file whole or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("part");
    fs::write(&unfinished, bytes)?;
    fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use app::auth::code_in;
    use mail_parser::MessageParser;

    use super::*;

    fn mail(to: &str) -> Mail {
        Mail {
            to: to.parse().unwrap(),
            subject: "Grüße".into(),
            text: "Your code is\n\n    012345\n\nValid for 5 minutes – once.\n".into(),
            html: "<p>Your code is <b>012345</b></p>".into(),
        }
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn a_mail_is_a_file_that_mail_programs_understand() {
        let directory = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(directory.path().join("outbox"), Outbox::local_sender()).unwrap();
        let now = "2026-11-23T03:50:30.25Z".parse().unwrap();
        outbox.send(&mail("admin@localhost"), now).await.unwrap();

        let names = names(&directory.path().join("outbox"));
        assert_eq!(names.len(), 1);
        let (time, rest) = names[0].split_once('-').unwrap();
        assert_eq!((time, rest.len(), &rest[8..]), ("20261123T035030.250000000Z", 12, ".eml"));
        let bytes = fs::read(directory.path().join("outbox").join(&names[0])).unwrap();
        let message = MessageParser::default().parse(&bytes).unwrap();
        assert_eq!(message.subject(), Some("Grüße"));
        assert_eq!(message.date().unwrap().to_rfc3339(), "2026-11-23T03:50:30Z");
        assert_eq!(message.from().unwrap().first().unwrap().address(), Some("no-reply@localhost"));
        assert_eq!(message.to().unwrap().first().unwrap().address(), Some("admin@localhost"));
        assert!(message.message_id().unwrap().ends_with("@localhost"));
        let text = message.body_text(0).unwrap();
        assert_eq!(code_in(&text), Some("012345"));
        assert!(text.contains("5 minutes – once."));
        assert!(message.body_html(0).unwrap().contains("<b>012345</b>"));
    }

    #[tokio::test]
    async fn names_sort_by_time_and_never_collide() {
        let directory = tempfile::tempdir().unwrap();
        let outbox = Arc::new(Outbox::open(directory.path(), Outbox::local_sender()).unwrap());
        for second in [3, 1, 2, 2, 2] {
            outbox.send(&mail("ann@example.com"), Timestamp::from_second(second).unwrap()).await.unwrap();
        }
        let names = names(directory.path());
        let seconds: Vec<&str> = names.iter().map(|name| &name[13..15]).collect();
        assert_eq!(seconds, ["01", "02", "02", "02", "03"], "{names:?}");
    }

    #[tokio::test]
    async fn any_address_that_may_sign_in_can_be_mailed() {
        let directory = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(directory.path(), Outbox::local_sender()).unwrap();
        for to in ["ann.lee+stocks@example.com", "admin@localhost", "o'neil!#$%&*@example.com", "jürgen@example.com", "ann@münchen.example"]
        {
            assert_eq!(outbox.send(&mail(to), Timestamp::UNIX_EPOCH).await, Ok(()), "{to}");
        }
    }

    #[tokio::test]
    async fn a_directory_that_is_gone_is_said() {
        let directory = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(directory.path().join("outbox"), Outbox::local_sender()).unwrap();
        fs::remove_dir(directory.path().join("outbox")).unwrap();
        let error = outbox.send(&mail("ann@example.com"), Timestamp::UNIX_EPOCH).await.unwrap_err();
        assert!(matches!(&error, MailError::Unavailable(reason) if reason.contains("outbox cannot be written")), "{error}");
    }
}

//! Mail: written as an Internet message (RFC 5322), then handed to whatever carries it.

pub mod message;
pub mod outbox;

pub use outbox::Outbox;

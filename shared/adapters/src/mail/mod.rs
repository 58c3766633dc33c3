//! Mail: an Internet message (RFC 5322) in a directory, or handed to the service that carries it.

pub mod message;
pub mod outbox;
#[cfg(feature = "cloud")]
pub mod ses;

pub use outbox::Outbox;

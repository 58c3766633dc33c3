//! Parameters of handlers. Each refuses bad input with a problem that names the field.

mod idempotency;
mod json;
mod page;
mod parameter;
mod path;
mod presence;
mod query;
mod reason;
mod user;

pub use idempotency::{Idempotent, MaybeKey};
pub use json::Json;
pub use page::{Limit, Skip};
pub use parameter::{Day, Fraction, Instant, Pixels, SearchText, date_range};
pub use path::Path;
pub(crate) use presence::{given, present};
pub(crate) use query::or_nothing;
pub use query::{BodyOrQuery, InQuery, Query};
pub use user::{Admin, AuthUser, RequestOrigin, Source, Trader};

//! What the use cases' errors mean to a client. Inner errors know no HTTP; this is the one place where they get a status.

use app::{
    UseCaseError,
    account::AccountError,
    auth::AuthError,
    ports::{MailError, StoreError},
};
use axum::http::{HeaderValue, StatusCode, header};
use domain::{signal::SignalStatus, trading::OrderRefusal};

use crate::problem::Problem;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(_) => Self::conflict("concurrent-change", "somebody else changed this at the same moment; try again"),
            StoreError::Throttled => Self::unavailable("the store is busy at the moment; try again shortly", 1),
            StoreError::Unavailable(_) => Self::dependency("the store", &error),
            StoreError::Refused(_) | StoreError::Damaged { .. } => Self::internal(&error),
        }
    }
}

impl From<MailError> for Problem {
    fn from(error: MailError) -> Self {
        match error {
            MailError::Undeliverable(_) => Self::invalid("email", "mail to this address cannot be delivered"),
            MailError::Throttled => Self::unavailable("too much mail is being sent at the moment; try again shortly", 5),
            MailError::NotSetUp(_) | MailError::Unavailable(_) => Self::dependency("the mail service", &error),
        }
    }
}

impl From<UseCaseError> for Problem {
    fn from(error: UseCaseError) -> Self {
        let detail = sentence(&error.to_string());
        match error {
            UseCaseError::UnknownSymbol(_) => Self::new(StatusCode::NOT_FOUND, "unknown-symbol", detail),
            UseCaseError::NotFound(_) => Self::not_found(detail),
            UseCaseError::Invalid { field, detail } => Self::unusable(field, detail),
            UseCaseError::Refused(refusal) => refusal.into(),
            UseCaseError::KeyReused => Self::conflict("idempotency-key-reused", detail),
            UseCaseError::ClientOrderIdTaken(_) => Self::conflict("client-order-id-taken", detail),
            UseCaseError::TooLate(_) => Self::conflict("too-late", detail),
            UseCaseError::SignalOver(SignalStatus::Expired) => Self::conflict("signal-expired", detail),
            UseCaseError::SignalOver(_) => Self::conflict("signal-cancelled", detail),
            UseCaseError::Busy => Self::unavailable(detail, 1),
            UseCaseError::Unavailable(_) => Self::dependency("a part of the service that this needs", &error),
        }
    }
}

impl From<OrderRefusal> for Problem {
    fn from(refusal: OrderRefusal) -> Self {
        let problem = Self::refused(refusal.name(), sentence(&refusal.to_string()));
        match refusal {
            OrderRefusal::Level { field, detail } => problem.at(field, detail),
            OrderRefusal::NothingOrdered | OrderRefusal::FractionalOrder | OrderRefusal::NothingLeft { .. } => {
                problem.at("quantity", refusal.to_string())
            }
            _ => problem,
        }
    }
}

/// Inner errors are phrases; people read sentences.
pub(crate) fn sentence(phrase: &str) -> String {
    let mut letters = phrase.chars();
    let start: String = letters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    let end = if phrase.ends_with(['.', '!', '?']) { "" } else { "." };
    start + letters.as_str() + end
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        let detail = error.to_string();
        match error {
            AuthError::InvalidCode => unauthorized("invalid-code", detail, BARE_CHALLENGE).at("otp", "is not valid"),
            AuthError::ExpiredCode => unauthorized("expired-code", detail, BARE_CHALLENGE).at("otp", "has expired"),
            AuthError::TooManyTries => unauthorized("too-many-tries", detail, BARE_CHALLENGE).at("otp", "was tried too often"),
            AuthError::Throttled { retry_after } => {
                let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
                Self::too_many_requests("too-many-requests", detail, seconds.max(1))
            }
            AuthError::SignUpClosed => Self::new(StatusCode::FORBIDDEN, "sign-up-closed", detail),
            AuthError::Deactivated => Self::new(StatusCode::FORBIDDEN, "account-deactivated", detail),
            AuthError::MissingToken => unauthorized("missing-token", detail, BARE_CHALLENGE),
            AuthError::MalformedToken => refused_token("malformed-token", detail),
            AuthError::WrongAlgorithm => refused_token("wrong-algorithm", detail),
            AuthError::ForgedToken => refused_token("forged-token", detail),
            AuthError::ExpiredToken => refused_token("expired-token", detail),
            AuthError::RevokedToken => refused_token("revoked-token", detail),
            AuthError::UnknownUser => Self::not_found(detail),
            AuthError::LastAdmin => Self::conflict("last-admin", detail),
            AuthError::OtherAddress => Self::invalid("email", detail),
            AuthError::Mail(error) => error.into(),
            AuthError::Store(error) => error.into(),
        }
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Auth(error) => error.into(),
            AccountError::Portfolio(error) => error.into(),
        }
    }
}

/// RFC 6750, 3: a request without a token gets a challenge without an error code.
const BARE_CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="stockgpt""#);

fn unauthorized(kind: &'static str, detail: String, challenge: HeaderValue) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, kind, detail).header(header::WWW_AUTHENTICATE, challenge)
}

/// RFC 6750, 3.1: a token that was sent and is not, or no longer, good.
fn refused_token(kind: &'static str, detail: String) -> Problem {
    // Within a quoted string only these two need care; anything beyond printable ASCII may not be in a header at all.
    let quotable: String = detail.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect();
    let challenge = format!(r#"Bearer realm="stockgpt", error="invalid_token", error_description="{quotable}""#);
    unauthorized(kind, detail, HeaderValue::from_str(&challenge).expect("printable ASCII"))
}

//! Bodies of the Auth routes.

use app::auth::{Login, Principal, User};
use domain::{Email, Role, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use crate::{
    extract::{InQuery, or_nothing},
    routes::vocabulary::RoleName,
};

/// Asks for a one-time code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeRequest {
    #[schema(value_type = String, format = Email, example = "ann@example.com")]
    pub(super) email: Email,
}

/// The same in the query, for clients that send no body.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CodeQuery {
    /// Instead of the body.
    #[param(value_type = Option<String>, format = Email, nullable = false)]
    email: Email,
}

impl InQuery for CodeRequest {
    type Query = CodeQuery;
}

impl From<CodeQuery> for CodeRequest {
    fn from(query: CodeQuery) -> Self {
        Self { email: query.email }
    }
}

/// Turns a one-time code into a token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginRequest {
    #[schema(value_type = String, format = Email, example = "ann@example.com")]
    pub(super) email: Email,
    /// The code from the mail.
    #[schema(value_type = String, pattern = r"^\s*[0-9]{6}\s*$", example = "042137")]
    pub(super) otp: Otp,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LoginQuery {
    /// Instead of the body.
    #[param(value_type = Option<String>, format = Email, nullable = false)]
    email: Email,
    /// Instead of the body.
    #[param(value_type = Option<String>, pattern = r"^\s*[0-9]{6}\s*$", nullable = false)]
    otp: Otp,
}

impl InQuery for LoginRequest {
    type Query = LoginQuery;
}

impl From<LoginQuery> for LoginRequest {
    fn from(query: LoginQuery) -> Self {
        Self { email: query.email, otp: query.otp }
    }
}

macro_rules! or_nothing {
    ($($name:ident($request:ty);)*) => {$(
        /// The body as the document shows it.
        pub(super) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                or_nothing::<$request>()
            }
        }

        impl ToSchema for $name {
            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                schemas.push((<$request>::name().into(), <$request>::schema()));
            }
        }
    )*};
}

or_nothing! {
    CodeRequestOrNothing(CodeRequest);
    LoginRequestOrNothing(LoginRequest);
}

/// Digits of a code; a secret, so it does not show itself.
pub(in crate::routes) struct Otp(pub(in crate::routes) String);

impl std::fmt::Debug for Otp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Otp(…)")
    }
}

impl<'de> Deserialize<'de> for Otp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.trim();
        if digits.len() == app::auth::CODE_LENGTH && digits.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Self(digits.to_owned()));
        }
        Err(de::Error::custom(format_args!("must be the {} digits from the mail", app::auth::CODE_LENGTH)))
    }
}

/// Confirms that a code may be on its way: the same whether or not the address has an account.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CodeSentBody {
    pub(super) message: String,
    /// Seconds until the code stops working.
    #[schema(example = 300)]
    pub(super) expires_in: u64,
}

/// A token and whose it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LoginBody {
    access_token: String,
    #[schema(value_type = String, pattern = "^bearer$", example = "bearer")]
    token_type: &'static str,
    /// Seconds until the token stops working.
    #[schema(example = 86_400)]
    expires_in: u64,
    user: UserBody,
}

impl From<Login> for LoginBody {
    fn from(login: Login) -> Self {
        Self {
            access_token: login.access_token,
            token_type: "bearer",
            expires_in: login.expires_in.as_secs(),
            user: UserBody::from(&login.user),
        }
    }
}

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct UserBody {
    pub(super) id: String,
    #[schema(format = Email)]
    pub(super) email: String,
    #[schema(value_type = RoleName)]
    pub(super) role: Role,
    pub(super) is_active: bool,
    /// Whether a code mailed to the address has come back.
    pub(super) is_verified: bool,
}

impl From<&User> for UserBody {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.to_string(),
            role: user.role,
            is_active: user.is_active,
            is_verified: user.is_verified,
        }
    }
}

/// A sentence for the person who asked.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::routes) struct MessageBody {
    #[schema(example = "You are logged out.")]
    pub(in crate::routes) message: String,
}

/// How many sessions ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LoggedOut)]
pub(super) struct LoggedOutBody {
    #[schema(example = "You are logged out everywhere.")]
    pub(super) message: String,
    /// Sessions that were open, or whose end was not cleared away yet.
    #[schema(example = 3)]
    pub(super) sessions: usize,
}

/// What a token that was accepted says.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokenBody {
    /// Always true: a token that is not valid gets 401.
    valid: bool,
    user_id: String,
    #[schema(format = Email)]
    email: String,
    #[schema(value_type = RoleName)]
    role: Role,
    expires_at: Timestamp,
}

impl From<&Principal> for TokenBody {
    fn from(principal: &Principal) -> Self {
        Self {
            valid: true,
            user_id: principal.user_id.to_string(),
            email: principal.email.to_string(),
            role: principal.role,
            expires_at: principal.expires_at,
        }
    }
}

/// How signing in works here.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuthStatusBody {
    #[schema(value_type = String, example = "operational")]
    pub(super) service: &'static str,
    /// Digits of a code.
    #[schema(example = 6)]
    pub(super) otp_length: usize,
    /// Seconds for which a code works.
    #[schema(example = 300)]
    pub(super) otp_expires_in: u64,
    /// Seconds for which a token works.
    #[schema(example = 86_400)]
    pub(super) token_expires_in: u64,
}

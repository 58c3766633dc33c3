//! Bearer tokens: JSON Web Tokens (RFC 7519) signed with HS256, and nothing else.

use std::{collections::HashMap, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{Role, Timestamp, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use serde::{Deserialize, Serialize};

use super::{AuthError, Secrets, cache::Cache};

const ALGORITHM: Algorithm = Algorithm::HS256;
const ALGORITHM_NAME: &str = "HS256";

/// Seconds that the clocks of two copies of this service may differ.
const CLOCK_SKEW_SECONDS: i64 = 60;

/// For how long a signature that was found to be right is not computed again. No token lives longer for it: other keys make another
/// [`Tokens`], and what a token says of its time is held against each request's own instant.
const PROVEN: Duration = Duration::from_mins(1);

/// What a token says. The role is what it was when the token was made; what counts is the store's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: String,
    /// The user's id: a token travels and is logged in places, so it carries no address.
    pub(super) sub: UserId,
    role: Role,
    /// The session's id.
    pub(super) jti: String,
    iat: i64,
    exp: i64,
}

impl Claims {
    pub(super) fn expires_at(&self) -> Result<Timestamp, AuthError> {
        Timestamp::from_second(self.exp).map_err(|_| AuthError::MalformedToken)
    }
}

/// Makes and reads tokens.
pub(super) struct Tokens {
    issuer: String,
    audience: String,
    header: Header,
    signing: EncodingKey,
    verifying: HashMap<String, DecodingKey>,
    validation: Validation,
    /// What tokens with a right signature say: verifying one takes longer than all else that a request for a list does.
    proven: Cache<String, Arc<Claims>>,
}

/// As much of a token's header as decides how to read the rest.
#[derive(Deserialize)]
struct Peek {
    alg: String,
    kid: Option<String>,
}

impl Tokens {
    pub(super) fn new(secrets: &Secrets, issuer: &str, audience: &str) -> Self {
        let mut validation = Validation::new(ALGORITHM);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // The library reads the wall clock by itself; this crate is given the time and compares in `read`.
        validation.validate_exp = false;

        let current = &secrets.signing_keys()[0];
        let mut header = Header::new(ALGORITHM);
        header.kid = Some(current.id.clone());
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            header,
            signing: EncodingKey::from_secret(current.secret()),
            verifying: secrets.verifying_keys().map(|key| (key.id.clone(), DecodingKey::from_secret(key.secret()))).collect(),
            validation,
            proven: Cache::new(PROVEN),
        }
    }

    pub(super) fn sign(&self, user: &UserId, role: Role, session: &str, issued_at: Timestamp, expires_at: Timestamp) -> String {
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: user.clone(),
            role,
            jti: session.into(),
            iat: issued_at.as_second(),
            exp: expires_at.as_second(),
        };
        jsonwebtoken::encode(&self.header, &claims, &self.signing).expect("an HMAC key signs anything")
    }

    /// The claims of a token that is well formed, ours, and not over. Whether its session is still open is another question.
    pub(super) fn read(&self, token: &str, now: Timestamp) -> Result<Arc<Claims>, AuthError> {
        let claims = match self.proven.get(token, now) {
            Ok(claims) => claims,
            Err(ticket) => {
                let claims = Arc::new(self.prove(token)?);
                self.proven.put(ticket, token.to_owned(), claims.clone(), now);
                claims
            }
        };
        if claims.exp <= now.as_second() {
            return Err(AuthError::ExpiredToken);
        }
        if claims.iat > now.as_second().saturating_add(CLOCK_SKEW_SECONDS) {
            return Err(AuthError::MalformedToken);
        }
        Ok(claims)
    }

    /// The claims of a token that is well formed and signed by us, whatever they say of its time.
    fn prove(&self, token: &str) -> Result<Claims, AuthError> {
        let header = peek(token)?;
        if header.alg != ALGORITHM_NAME {
            return Err(AuthError::WrongAlgorithm);
        }
        let key = header.kid.and_then(|id| self.verifying.get(&id)).ok_or(AuthError::ForgedToken)?;
        let proven = jsonwebtoken::decode::<Claims>(token, key, &self.validation);
        Ok(proven.map_err(|error| refusal(error.kind()))?.claims)
    }
}

/// Reads the header before any key is chosen: the library refuses what it does not know as malformed, `none` included.
fn peek(token: &str) -> Result<Peek, AuthError> {
    let [header, _, _] = token.split('.').collect::<Vec<_>>()[..] else { return Err(AuthError::MalformedToken) };
    let header = BASE64_URL_SAFE_NO_PAD.decode(header).map_err(|_| AuthError::MalformedToken)?;
    serde_json::from_slice(&header).map_err(|_| AuthError::MalformedToken)
}

fn refusal(kind: &ErrorKind) -> AuthError {
    match kind {
        ErrorKind::InvalidSignature | ErrorKind::InvalidIssuer | ErrorKind::InvalidAudience => AuthError::ForgedToken,
        ErrorKind::InvalidAlgorithm => AuthError::WrongAlgorithm,
        _ => AuthError::MalformedToken,
    }
}

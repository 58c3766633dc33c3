//! Tokens that are not what they seem.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Sha256, Sha384, Sha512};

use crate::harness::Server;

/// The server's own signing key: even who has it gets nowhere with what the rules forbid.
struct Key {
    id: String,
    secret: Vec<u8>,
}

impl Key {
    fn of(server: &Server) -> Self {
        let text = std::fs::read_to_string(server.data_dir().join("secrets.json")).unwrap();
        let secrets: Value = serde_json::from_str(&text).unwrap();
        let key = &secrets["signing_keys"][0];
        Self { id: key["id"].as_str().unwrap().to_owned(), secret: BASE64_STANDARD.decode(key["secret"].as_str().unwrap()).unwrap() }
    }

    fn mac(&self, algorithm: &str, text: &str) -> Vec<u8> {
        macro_rules! sign {
            ($hash:ty) => {{
                let mut mac = Hmac::<$hash>::new_from_slice(&self.secret).unwrap();
                mac.update(text.as_bytes());
                mac.finalize().into_bytes().to_vec()
            }};
        }
        match algorithm {
            "HS384" => sign!(Sha384),
            "HS512" => sign!(Sha512),
            _ => sign!(Sha256),
        }
    }

    /// A token that says what it is told to, signed as its header says.
    fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = format!("{}.{}", encoded(header), encoded(claims));
        let mac = self.mac(header["alg"].as_str().unwrap_or_default(), &text);
        format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac))
    }
}

fn encoded(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

fn decoded(token: &str, part: usize) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(part).unwrap()).unwrap()).unwrap()
}

fn with(value: &Value, name: &str, other: Value) -> Value {
    let mut value = value.clone();
    value[name] = other;
    value
}

fn without(value: &Value, name: &str) -> Value {
    let mut value = value.clone();
    value.as_object_mut().unwrap().remove(name);
    value
}

pub(super) async fn confusion(server: &Server) {
    let (ann, bob) = (server.log_in("ann@example.com").await, server.log_in("bob@example.com").await);
    let gone = server.log_in("ann@example.com").await;
    gone.send(reqwest::Method::POST, "auth/logout", None, &[]).await.ok();
    let key = Key::of(server);
    let stranger = Key { id: key.id.clone(), secret: vec![7; 32] };
    let (header, claims, bobs) = (decoded(ann.token(), 0), decoded(ann.token(), 1), decoded(bob.token(), 1));
    assert_eq!(header["kid"], key.id);
    let now = Timestamp::now().as_second();
    let claim = |name: &str, value: Value| key.sign(&header, &with(&claims, name, value));
    let head = |name: &str, value: Value| key.sign(&with(&header, name, value), &claims);
    let unsigned = |algorithm: &str| format!("{}.{}.", encoded(&json!({"alg": algorithm, "typ": "JWT", "kid": key.id})), encoded(&claims));
    let signature = ann.token().rsplit_once('.').unwrap().1;
    let jwk = json!({"kty": "oct", "k": BASE64_URL_SAFE_NO_PAD.encode([7; 32])});

    let rows = [
        ("signed as it should be, to see that the rest fails for its own reason", key.sign(&header, &claims), None),
        ("none", unsigned("none"), Some("wrong-algorithm")),
        ("None", unsigned("None"), Some("wrong-algorithm")),
        ("nOnE", unsigned("nOnE"), Some("wrong-algorithm")),
        ("none with a signature", head("alg", json!("none")), Some("wrong-algorithm")),
        ("an empty algorithm", unsigned(""), Some("wrong-algorithm")),
        ("small letters", head("alg", json!("hs256")), Some("wrong-algorithm")),
        ("HS384 with our key", head("alg", json!("HS384")), Some("wrong-algorithm")),
        ("HS512 with our key", head("alg", json!("HS512")), Some("wrong-algorithm")),
        ("RS256, the signature an HMAC", head("alg", json!("RS256")), Some("wrong-algorithm")),
        ("ES256, the signature an HMAC", head("alg", json!("ES256")), Some("wrong-algorithm")),
        ("PS256, the signature an HMAC", head("alg", json!("PS256")), Some("wrong-algorithm")),
        ("EdDSA, the signature an HMAC", head("alg", json!("EdDSA")), Some("wrong-algorithm")),
        ("an algorithm that is a list", head("alg", json!(["HS256"])), Some("malformed-token")),
        ("no algorithm", key.sign(&without(&header, "alg"), &claims), Some("malformed-token")),
        ("no key id", key.sign(&without(&header, "kid"), &claims), Some("forged-token")),
        ("an empty key id", head("kid", json!("")), Some("forged-token")),
        ("a key id that is a path", head("kid", json!("../../../../dev/null")), Some("forged-token")),
        ("a key id that is a query", head("kid", json!("x' UNION SELECT 'secret")), Some("forged-token")),
        ("a key id that is an address", head("kid", json!("http://evil.example/key")), Some("forged-token")),
        ("a key id that is a number", head("kid", json!(0)), Some("malformed-token")),
        ("a key id that is a list", head("kid", json!([key.id])), Some("malformed-token")),
        ("our key id, another's signature", stranger.sign(&header, &claims), Some("forged-token")),
        ("a key of its own in the header", stranger.sign(&with(&header, "jwk", jwk), &claims), Some("forged-token")),
        ("the address of a key", stranger.sign(&with(&header, "jku", json!("http://127.0.0.1:9/k")), &claims), Some("forged-token")),
        ("a certificate", stranger.sign(&with(&header, "x5c", json!(["MIIB"])), &claims), Some("forged-token")),
        ("signed with nothing", Key { id: key.id.clone(), secret: vec![] }.sign(&header, &claims), Some("forged-token")),
        (
            "signed with the key's id",
            Key { id: key.id.clone(), secret: key.id.clone().into() }.sign(&header, &claims),
            Some("forged-token"),
        ),
        ("another issuer", claim("iss", json!("https://evil.example")), Some("forged-token")),
        ("another audience", claim("aud", json!("other-api")), Some("forged-token")),
        ("expired a second ago", claim("exp", json!(now - 1)), Some("expired-token")),
        ("expired before it began", claim("exp", json!(0)), Some("expired-token")),
        ("issued tomorrow", claim("iat", json!(now + 86_400)), Some("malformed-token")),
        ("an expiry that is a text", claim("exp", json!("never")), Some("malformed-token")),
        ("an expiry beyond numbers", claim("exp", json!(1e300)), Some("malformed-token")),
        ("no expiry", key.sign(&header, &without(&claims, "exp")), Some("malformed-token")),
        ("no subject", key.sign(&header, &without(&claims, "sub")), Some("malformed-token")),
        ("no id", key.sign(&header, &without(&claims, "jti")), Some("malformed-token")),
        ("a role that there is not", claim("role", json!("root")), Some("malformed-token")),
        ("another's subject", claim("sub", bobs["sub"].clone()), Some("revoked-token")),
        ("another's session", claim("jti", bobs["jti"].clone()), Some("revoked-token")),
        ("nobody's session", claim("jti", json!("x")), Some("revoked-token")),
        ("a subject that is a key of the store", claim("sub", json!("x#SESSION")), Some("revoked-token")),
        ("logged out", gone.token().to_owned(), Some("revoked-token")),
        ("no signature", format!("{}.{}.", encoded(&header), encoded(&claims)), Some("forged-token")),
        ("half a signature", format!("{}.{}.{}", encoded(&header), encoded(&claims), &signature[..20]), Some("forged-token")),
        (
            "another's claims under one's own signature",
            format!("{}.{}.{signature}", encoded(&header), encoded(&bobs)),
            Some("forged-token"),
        ),
        ("two parts", format!("{}.{}", encoded(&header), encoded(&claims)), Some("malformed-token")),
        ("five parts", "a.b.c.d.e".to_owned(), Some("malformed-token")),
        ("nothing encoded", "...".to_owned(), Some("malformed-token")),
        ("no token at all", "x".to_owned(), Some("malformed-token")),
        ("another alphabet", ann.token().replace('.', "=."), Some("malformed-token")),
    ];
    for (name, token, expected) in rows {
        let answer = ann.with_token(Some(&token)).get("users/me").await;
        let Some(kind) = expected else {
            answer.ok();
            continue;
        };
        let problem = answer.problem(401);
        assert_eq!(problem["type"], format!("urn:stockgpt:problem:{kind}"), "{name}: {problem}");
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with(r#"Bearer realm="stockgpt", error="invalid_token", error_description=""#), "{name}: {challenge}");
        assert!(!answer.text.contains(&token) || token.len() < 6, "{name}: the token is not repeated");
    }
    // Higher claims than the store's: what counts is the store.
    let raised = ann.with_token(Some(&claim("role", json!("admin"))));
    assert_eq!(raised.get("users/me").await.ok()["role"], "trader");
    raised.get("admin/users").await.problem(403);
}

pub(super) async fn misplaced(server: &Server) {
    let ann = server.log_in("ann@example.com").await;
    let (nobody, token) = (ann.with_token(None), ann.token().to_owned());
    let bearer = format!("Bearer {token}");
    let cookie = format!("access_token={token}");
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("ann:{token}")));
    let get = reqwest::Method::GET;
    for (name, path, headers) in [
        ("in the query", format!("users/me?access_token={token}"), vec![]),
        ("in a cookie", "users/me".to_owned(), vec![("cookie", cookie.as_str())]),
        ("in another header", "users/me".to_owned(), vec![("x-authorization", bearer.as_str())]),
        ("of a proxy", "users/me".to_owned(), vec![("proxy-authorization", bearer.as_str())]),
        ("as a password", "users/me".to_owned(), vec![("authorization", basic.as_str())]),
    ] {
        let answer = nobody.send(get.clone(), &path, None, &headers).await;
        assert_eq!(answer.problem(401)["type"], "urn:stockgpt:problem:missing-token", "{name}");
        assert_eq!(answer.headers["www-authenticate"], r#"Bearer realm="stockgpt""#, "{name}: no token, no error about one");
    }
    for (name, headers) in [
        ("twice", vec![("authorization", bearer.as_str()), ("authorization", bearer.as_str())]),
        ("without a space", vec![("authorization", token.as_str())]),
        ("with nothing behind", vec![("authorization", "Bearer ")]),
    ] {
        let answer = nobody.send(get.clone(), "users/me", None, &headers).await;
        assert_eq!(answer.problem(401)["type"], "urn:stockgpt:problem:malformed-token", "{name}");
    }
    let answer = nobody.send(get, "users/me", None, &[("authorization", &format!("bEARER {token}"))]).await;
    assert!(answer.status.is_success(), "the scheme's case does not matter");
}

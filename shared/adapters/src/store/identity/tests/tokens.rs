//! Which tokens are accepted, and for how long.

use std::{collections::BTreeSet, time::Duration};

use app::auth::{AuthError, AuthPolicy, Secrets, code_in};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

use super::*;

/// A token as an attacker would write it.
fn forged(header: &Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn only_our_own_open_unaltered_tokens_are_accepted() {
    use AuthError::{ExpiredToken, ForgedToken, MalformedToken, WrongAlgorithm};

    let world = World::new().await;
    let token = world.login("ann@example.com", start()).await.access_token;
    let (header, claims) = (part(&token, 0), part(&token, 1));
    let signature = token.rsplit_once('.').unwrap().1;
    assert_eq!(header["alg"], "HS256");
    assert_eq!(
        claims.as_object().unwrap().keys().map(String::as_str).collect::<BTreeSet<_>>(),
        ["aud", "exp", "iat", "iss", "jti", "role", "sub"].into()
    );
    let with = |value: &Value, name: &str, new: Value| {
        let mut value = value.clone();
        value[name] = new;
        value
    };
    let signed_elsewhere = async |policy: AuthPolicy, secrets: &Secrets| {
        let auth = world.copy(policy, secrets);
        auth.request_otp(&ann(), &origin(1), after(200)).await.unwrap();
        let code = code_in(&world.mailbox.0.lock().unwrap().last().unwrap().text).unwrap().to_owned();
        auth.login(&ann(), &code, &origin(1), after(200)).await.unwrap().access_token
    };
    let mut other_secret: Value = serde_json::from_str(&world.secrets.to_json()).unwrap();
    other_secret["signing_keys"][0]["secret"] = json!(BASE64_STANDARD.encode([7; 32]));
    let other_secret = Secrets::from_json(&other_secret.to_string()).unwrap();
    let other_issuer = signed_elsewhere(AuthPolicy { issuer: "evil".into(), ..AuthPolicy::default() }, &world.secrets).await;
    let other_audience = signed_elsewhere(AuthPolicy { audience: "other".into(), ..AuthPolicy::default() }, &world.secrets).await;
    let other_secret = signed_elsewhere(AuthPolicy::default(), &other_secret).await;
    let other_keys = signed_elsewhere(AuthPolicy::default(), &Secrets::generate()).await;

    for (name, token, now, expected) in [
        ("itself", token.clone(), after(200), Ok(())),
        ("in its last second", token.clone(), after(86_398), Ok(())),
        ("expired", token.clone(), after(86_400), Err(ExpiredToken)),
        ("from the future", token.clone(), after(-120), Err(MalformedToken)),
        ("empty", String::new(), start(), Err(MalformedToken)),
        ("one part", "abc".into(), start(), Err(MalformedToken)),
        ("four parts", format!("{token}.x"), start(), Err(MalformedToken)),
        ("not base64", "a!.b!.c!".into(), start(), Err(MalformedToken)),
        ("no JSON", format!("{}.e30.x", BASE64_URL_SAFE_NO_PAD.encode("hello")), start(), Err(MalformedToken)),
        ("none", forged(&json!({"alg": "none", "typ": "JWT"}), &claims, ""), start(), Err(WrongAlgorithm)),
        ("None", forged(&with(&header, "alg", json!("None")), &claims, ""), start(), Err(WrongAlgorithm)),
        ("HS512", forged(&with(&header, "alg", json!("HS512")), &claims, signature), start(), Err(WrongAlgorithm)),
        ("RS256", forged(&with(&header, "alg", json!("RS256")), &claims, signature), start(), Err(WrongAlgorithm)),
        ("no algorithm", forged(&json!({"typ": "JWT"}), &claims, signature), start(), Err(MalformedToken)),
        ("no key id", forged(&json!({"alg": "HS256"}), &claims, signature), start(), Err(ForgedToken)),
        ("unknown key id", forged(&with(&header, "kid", json!("x")), &claims, signature), start(), Err(ForgedToken)),
        ("a higher role", forged(&header, &with(&claims, "role", json!("admin")), signature), start(), Err(ForgedToken)),
        ("a longer life", forged(&header, &with(&claims, "exp", json!(4_000_000_000_u32)), signature), after(86_400), Err(ForgedToken)),
        ("another user", forged(&header, &with(&claims, "sub", json!("x")), signature), start(), Err(ForgedToken)),
        ("no signature", forged(&header, &claims, ""), start(), Err(ForgedToken)),
        ("another issuer", other_issuer, after(200), Err(ForgedToken)),
        ("another audience", other_audience, after(200), Err(ForgedToken)),
        ("our key's id, another secret", other_secret, after(200), Err(ForgedToken)),
        ("another key", other_keys, after(200), Err(ForgedToken)),
    ] {
        assert_eq!(world.auth.verify(&token, now).await.map(|_| ()), expected, "{name}");
    }
}

#[tokio::test]
async fn keys_are_rotated_with_overlap() {
    let world = World::new().await;
    let old = world.login("ann@example.com", start()).await.access_token;
    let mut secrets = world.secrets.clone();
    secrets.announce();
    // A copy that has noticed the announcement, and one that has noticed the rotation too.
    let behind = world.copy(AuthPolicy::default(), &secrets);
    secrets.rotate();
    let rotated = world.copy(AuthPolicy::default(), &secrets);
    assert!(rotated.verify(&old, after(1)).await.is_ok());
    let code = world.code(&ann(), after(2)).await;
    let new = rotated.login(&ann(), &code, &origin(1), after(2)).await.unwrap().access_token;
    assert_ne!(part(&new, 0)["kid"], part(&old, 0)["kid"]);
    for copy in [&rotated, &behind] {
        assert!(copy.verify(&new, after(3)).await.is_ok());
        assert!(copy.verify(&old, after(3)).await.is_ok());
    }
    assert_eq!(world.auth.verify(&new, after(3)).await, Err(AuthError::ForgedToken));
}

#[tokio::test]
async fn a_logout_holds_at_once_in_every_copy() {
    for session_cache in [Duration::ZERO, Duration::from_mins(1)] {
        let world = World::with(AuthPolicy { session_cache, ..AuthPolicy::default() }).await;
        let other = world.copy(AuthPolicy::default(), &world.secrets);
        let (first, second) = (world.login("ann@example.com", start()).await, world.login("ann@example.com", start()).await);
        let principal = world.auth.verify(&first.access_token, start()).await.unwrap();
        other.verify(&first.access_token, start()).await.unwrap();
        world.auth.logout(&principal).await.unwrap();
        world.auth.logout(&principal).await.unwrap();
        for auth in [&world.auth, &other] {
            assert_eq!(auth.verify(&first.access_token, start()).await, Err(AuthError::RevokedToken));
            assert!(auth.verify(&second.access_token, start()).await.is_ok());
        }
        let third = world.login("ann@example.com", start()).await;
        let bob = world.login("bob@example.com", start()).await;
        let principal = world.auth.verify(&third.access_token, start()).await.unwrap();
        assert_eq!(world.auth.logout_everywhere(&principal, &origin(1), start()).await, Ok(2));
        for auth in [&world.auth, &other] {
            assert_eq!(auth.verify(&second.access_token, start()).await, Err(AuthError::RevokedToken));
            assert_eq!(auth.verify(&third.access_token, start()).await, Err(AuthError::RevokedToken));
            assert!(auth.verify(&bob.access_token, start()).await.is_ok());
        }
    }
}

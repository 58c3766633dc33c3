//! Tokens, roles and limits.

use axum::body::Body;

use crate::support::{app, edge, get_with, request, send, strict};

const BARE: &str = r#"Bearer realm="stockgpt""#;

#[tokio::test]
async fn bad_tokens_get_the_challenge_that_fits() {
    let app = app(edge());
    for (headers, status, kind, challenge) in [
        (&[][..], 401, "missing-token", Some(BARE)),
        (&[("authorization", "Basic YTpi")][..], 401, "missing-token", Some(BARE)),
        (
            &[("authorization", "Bearer")][..],
            401,
            "malformed-token",
            Some(r#"Bearer realm="stockgpt", error="invalid_token", error_description="The bearer token is malformed.""#),
        ),
        (
            &[("authorization", "Bearer made-up")][..],
            401,
            "forged-token",
            Some(r#"Bearer realm="stockgpt", error="invalid_token", error_description="The bearer token is not one of ours.""#),
        ),
        (
            &[("authorization", "Bearer expired")][..],
            401,
            "expired-token",
            Some(r#"Bearer realm="stockgpt", error="invalid_token", error_description="The bearer token has expired. Log in again.""#),
        ),
        (
            &[("authorization", "Bearer viewer"), ("authorization", "Bearer admin")][..],
            401,
            "malformed-token",
            Some(r#"Bearer realm="stockgpt", error="invalid_token", error_description="The bearer token is malformed.""#),
        ),
        (&[("authorization", "Bearer deactivated")][..], 403, "account-deactivated", None),
        (&[("authorization", "Bearer storeless")][..], 503, "unavailable", None),
    ] {
        let answer = get_with(&app, "/api/v1/mine", headers).await;
        assert_eq!(answer.status, status, "{headers:?}");
        assert_eq!(answer.json()["type"], format!("urn:stockgpt:problem:{kind}"), "{headers:?}");
        assert_eq!(answer.header("www-authenticate"), challenge, "{headers:?}");
        assert!(!answer.text().contains("10.0.0.7"), "causes stay inside");
    }
}

#[tokio::test]
async fn a_role_includes_the_ones_before_it() {
    let app = app(edge());
    for (line, viewer, trader, admin) in
        [("GET /api/v1/mine", 200, 200, 200), ("POST /api/v1/trade", 403, 200, 200), ("POST /api/v1/manage", 403, 403, 200)]
    {
        for (role, expected) in [("viewer", viewer), ("trader", trader), ("admin", admin)] {
            let token = format!("Bearer {role}");
            let answer = send(&app, request(line, &[("authorization", &token)], Body::empty())).await;
            assert_eq!(answer.status, expected, "{line} as {role}");
            if expected == 403 {
                assert!(answer.header("www-authenticate").unwrap().contains(r#"error="insufficient_scope""#), "{line} as {role}");
            }
        }
    }
}

#[tokio::test]
async fn routes_for_anyone_do_not_mind_a_bad_token() {
    assert_eq!(get_with(&app(edge()), "/api/v1/now", &[("authorization", "Bearer expired")]).await.status, 200);
}

#[tokio::test]
async fn a_user_has_a_limit_and_sees_it_coming() {
    let app = app(strict(2));
    let ask = |role: &'static str| {
        let app = app.clone();
        async move { get_with(&app, "/api/v1/mine", &[("authorization", role)]).await }
    };
    for (role, status, remaining) in
        [("Bearer trader", 200, "1"), ("Bearer trader", 200, "0"), ("Bearer trader", 429, "0"), ("Bearer admin", 200, "1")]
    {
        let answer = ask(role).await;
        assert_eq!(answer.status, status, "{role}");
        assert_eq!((answer.header("x-ratelimit-limit"), answer.header("x-ratelimit-remaining")), (Some("2"), Some(remaining)));
        assert!(answer.header("x-ratelimit-reset").unwrap().parse::<i64>().unwrap() > 1_600_000_000, "Unix seconds");
        assert_eq!(answer.header("retry-after").is_some(), status == 429);
    }
    for _ in 0..5 {
        assert_eq!(get_with(&app, "/health", &[("authorization", "Bearer trader")]).await.status, 200, "probes are not counted");
    }
}

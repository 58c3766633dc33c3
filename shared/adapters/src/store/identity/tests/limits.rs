//! Waits, limits and what is cleared away.

use std::time::Duration;

use app::{
    auth::{AuthError, AuthPolicy, Bucket, Limits},
    ports::IdentityStore,
};
use futures::future::join_all;

use super::*;

#[tokio::test]
async fn wrong_codes_in_a_row_make_the_next_wait_longer() {
    let limits = Limits { codes_per_address: Bucket::new(100, Duration::from_secs(1)), ..Limits::default() };
    let world = World::with(AuthPolicy { limits, ..AuthPolicy::default() }).await;
    let guess = async |now| {
        let code = world.code(&ann(), now).await;
        world.auth.login(&ann(), &wrong(&code), &origin(1), now).await.map(|_| ()).unwrap_err()
    };
    for second in 0..10 {
        assert_eq!(guess(after(second)).await, AuthError::InvalidCode);
    }
    assert_eq!(guess(after(10)).await, AuthError::Throttled { retry_after: Duration::from_secs(29) });
    assert_eq!(guess(after(39)).await, AuthError::InvalidCode);
    assert_eq!(guess(after(40)).await, AuthError::Throttled { retry_after: Duration::from_secs(59) });
    // The right code does not help against the wait, and clears the count after it.
    let code = world.code(&ann(), after(50)).await;
    assert!(matches!(world.auth.login(&ann(), &code, &origin(1), after(50)).await, Err(AuthError::Throttled { .. })));
    assert!(world.auth.login(&ann(), &code, &origin(1), after(99)).await.is_ok());
    assert_eq!(guess(after(100)).await, AuthError::InvalidCode);
    assert_eq!(guess(after(101)).await, AuthError::InvalidCode);
}

#[tokio::test]
async fn requests_are_limited_by_address_and_by_source() {
    let limits = Limits {
        codes_per_address: Bucket::new(2, Duration::from_mins(1)),
        codes_per_source: Bucket::new(3, Duration::from_secs(10)),
        logins_per_source: Bucket::new(2, Duration::from_secs(10)),
        ..Limits::default()
    };
    let world = World::with(AuthPolicy { limits, ..AuthPolicy::default() }).await;
    let request = async |email: &str, host, now| match world.auth.request_otp(&email.parse().unwrap(), &origin(host), now).await {
        Ok(_) => None,
        Err(AuthError::Throttled { retry_after }) => Some(retry_after.as_secs()),
        Err(error) => panic!("{error}"),
    };
    assert_eq!(request("ann@example.com", 1, start()).await, None);
    assert_eq!(request("ann@example.com", 2, start()).await, None);
    assert_eq!(request("ann@example.com", 3, start()).await, Some(60));
    assert_eq!(request("ann@example.com", 3, after(60)).await, None);
    for email in ["a@example.com", "b@example.com", "c@example.com"] {
        assert_eq!(request(email, 9, start()).await, None);
    }
    assert_eq!(request("d@example.com", 9, start()).await, Some(10));
    for expected in [AuthError::InvalidCode, AuthError::InvalidCode, AuthError::Throttled { retry_after: Duration::from_secs(10) }] {
        assert_eq!(world.auth.login(&"z@example.com".parse().unwrap(), "000000", &origin(9), start()).await.map(|_| ()), Err(expected));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_never_gives_more_than_it_holds() {
    let world = World::new().await;
    let bucket = Bucket::new(7, Duration::from_secs(10));
    let callers = (0..50).map(|_| {
        let table = world.table.clone();
        tokio::spawn(async move { table.take("test", &bucket, start()).await.unwrap().allowed })
    });
    let given = join_all(callers).await.into_iter().map(Result::unwrap).filter(|allowed| *allowed).count();
    assert_eq!(given, 7);
    let taken = world.table.take("test", &bucket, after(10)).await.unwrap();
    assert!(taken.allowed && taken.remaining == 0);
    let taken = world.table.take("test", &bucket, after(11)).await.unwrap();
    assert_eq!((taken.allowed, taken.retry_after), (false, Duration::from_secs(9)));
    let taken = world.table.take("test", &bucket, after(1000)).await.unwrap();
    assert_eq!((taken.allowed, taken.remaining), (true, 6));
}

#[tokio::test]
async fn the_daily_clearing_takes_what_is_over_and_nothing_else() {
    let world = World::new().await;
    let token = world.login("ann@example.com", start()).await.access_token;
    world.code(&"bob@example.com".parse().unwrap(), start()).await;
    assert_eq!(world.auth.purge_expired(after(1)).await, Ok(0));
    assert!(world.auth.purge_expired(after(3600)).await.unwrap() >= 1);
    assert!(world.auth.verify(&token, after(3601)).await.is_ok());
    // The session is what is left that ends.
    assert_eq!(world.auth.purge_expired(after(86_400)).await, Ok(1));
    assert_eq!(world.auth.purge_expired(after(86_400)).await, Ok(0));
    assert_eq!(world.table.users(None, 10).await.unwrap().users.len(), 1);
}

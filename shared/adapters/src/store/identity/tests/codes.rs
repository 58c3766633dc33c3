//! What a sign-in code is good for, and how often.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use app::{
    auth::{AuthError, AuthPolicy, SignUp},
    ports::IdentityStore,
};
use domain::{Email, Role};
use futures::future::join_all;

use super::*;

#[tokio::test]
async fn a_first_sign_in_makes_an_account_and_the_next_finds_it() {
    let world = World::new().await;
    let first = world.login("ann@example.com", start()).await;
    assert_eq!((first.user.role, first.user.is_active, first.user.is_verified), (Role::Trader, true, true));
    assert_eq!((first.user.created_at, first.user.last_sign_in_at), (start(), Some(start())));
    assert_eq!(first.expires_in, Duration::from_hours(24));
    let second = world.login("ann@example.com", after(60)).await;
    assert_eq!(second.user.id, first.user.id);
    assert_ne!(second.access_token, first.access_token);
    let principal = world.auth.verify(&second.access_token, after(60)).await.unwrap();
    assert_eq!((principal.user_id, principal.email, principal.role), (first.user.id, ann(), Role::Trader));
    assert_eq!(principal.expires_at, second.expires_at);
}

#[tokio::test]
async fn codes_live_as_the_rules_say() {
    use AuthError::{ExpiredCode, InvalidCode, TooManyTries};
    use Try::{Renew, Right, Wrong};

    // What is tried, in order: how many seconds after the request, which code, and what comes of it.
    enum Try {
        Right,
        Wrong,
        Renew,
    }

    for (name, steps) in [
        ("right", vec![(0, Right, Ok(()))]),
        ("right at the last moment", vec![(299, Right, Ok(()))]),
        ("expired", vec![(300, Right, Err(ExpiredCode))]),
        ("used twice", vec![(1, Right, Ok(())), (2, Right, Err(InvalidCode))]),
        ("wrong, then right", vec![(1, Wrong, Err(InvalidCode)), (2, Right, Ok(()))]),
        (
            "five tries",
            vec![
                (1, Wrong, Err(InvalidCode)),
                (1, Wrong, Err(InvalidCode)),
                (1, Wrong, Err(InvalidCode)),
                (1, Wrong, Err(InvalidCode)),
                (1, Wrong, Err(InvalidCode)),
                (1, Wrong, Err(TooManyTries)),
                (1, Right, Err(TooManyTries)),
                (2, Renew, Ok(())),
                (3, Right, Ok(())),
            ],
        ),
        (
            "the fifth is right",
            vec![
                (1, Wrong, Err(InvalidCode)),
                (1, Wrong, Err(InvalidCode)),
                (1, Wrong, Err(InvalidCode)),
                (1, Wrong, Err(InvalidCode)),
                (1, Right, Ok(())),
            ],
        ),
    ] {
        let world = World::new().await;
        let mut code = world.code(&ann(), start()).await;
        for (step, (second, attempt, expected)) in steps.into_iter().enumerate() {
            let now = after(second);
            let typed = match attempt {
                Right => format!(" {code} "),
                Wrong => wrong(&code),
                Renew => {
                    code = world.code(&ann(), now).await;
                    continue;
                }
            };
            let result = world.auth.login(&ann(), &typed, &origin(1), now).await;
            assert_eq!(result.map(|_| ()), expected, "{name}, step {step}");
        }
    }
}

#[tokio::test]
async fn a_new_code_voids_the_old() {
    let world = World::new().await;
    let old = world.code(&ann(), start()).await;
    let new = loop {
        // One time in a million the new code is the old one again, and then it is right to take it.
        let new = world.code(&ann(), after(120)).await;
        if new != old {
            break new;
        }
    };
    assert_eq!(world.auth.login(&ann(), &old, &origin(1), after(121)).await.map(|_| ()), Err(AuthError::InvalidCode));
    assert!(world.auth.login(&ann(), &new, &origin(1), after(122)).await.is_ok());
}

#[tokio::test]
async fn a_code_is_for_its_address_only() {
    let world = World::new().await;
    let code = world.code(&ann(), start()).await;
    for other in ["bob@example.com", "ann+tag@example.com"] {
        assert_eq!(world.auth.login(&other.parse().unwrap(), &code, &origin(1), start()).await.map(|_| ()), Err(AuthError::InvalidCode));
    }
    assert!(world.auth.login(&" ANN@Example.com".parse().unwrap(), &code, &origin(1), start()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_use_a_code_at_once_one_gets_in() {
    let world = Arc::new(World::new().await);
    let code = world.code(&ann(), start()).await;
    let logins = (0..20).map(|host| {
        let (world, code) = (world.clone(), code.clone());
        tokio::spawn(async move { world.auth.login(&ann(), &code, &origin(host), start()).await })
    });
    let results: Vec<_> = join_all(logins).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for result in results.into_iter().filter_map(Result::err) {
        assert!(matches!(result, AuthError::InvalidCode | AuthError::TooManyTries), "{result}");
    }
    assert_eq!(world.table.users(None, 10).await.unwrap().users.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_guesses_have_five_tries_together() {
    let world = Arc::new(World::new().await);
    let code = world.code(&ann(), start()).await;
    let guesses = (0..40).map(|host| {
        let (world, guess) = (world.clone(), wrong(&code));
        tokio::spawn(async move { world.auth.login(&ann(), &guess, &origin(host), start()).await.map(|_| ()).unwrap_err() })
    });
    let refusals: Vec<AuthError> = join_all(guesses).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(refusals.iter().filter(|refusal| **refusal == AuthError::InvalidCode).count(), 5);
    assert_eq!(refusals.iter().filter(|refusal| **refusal == AuthError::TooManyTries).count(), 35);
}

#[tokio::test]
async fn strangers_cannot_tell_who_has_an_account() {
    let floor = Duration::from_millis(100);
    let policy = AuthPolicy { sign_up: SignUp::closed(), request_floor: floor, ..AuthPolicy::default() };
    let world = World::with(policy).await;
    world.auth.ensure_admin(&ann(), start()).await.unwrap();
    let stranger: Email = "bob@example.com".parse().unwrap();
    let timed = async |email: &Email| {
        let asked = Instant::now();
        let answer = world.auth.request_otp(email, &origin(1), start()).await;
        (answer, asked.elapsed())
    };
    let ((known, known_after), (unknown, unknown_after)) = (timed(&ann()).await, timed(&stranger).await);
    assert_eq!(known, unknown);
    assert!(known_after >= floor && unknown_after >= floor, "{known_after:?} {unknown_after:?}");
    assert_eq!(world.mails(), 1);
    for _ in 0..5 {
        assert_eq!(world.auth.login(&stranger, "000000", &origin(1), start()).await.map(|_| ()), Err(AuthError::InvalidCode));
    }
    assert_eq!(world.auth.login(&stranger, "000000", &origin(1), start()).await.map(|_| ()), Err(AuthError::TooManyTries));
    assert_eq!(world.table.users(None, 10).await.unwrap().users.len(), 1);
}

//! The end of an account: nothing of it stays, whatever crosses it.

use std::fmt::Write;

use app::{
    account::{AccountError, Accounts},
    auth::AuthError,
    ports::{Decision, DecisionKind, IdentityStore, PortfolioStore, Session, StoreError},
};
use domain::{Role, UserId};
use futures::future::join_all;

use super::*;
use crate::store::{Item, Key, PortfolioTable, Store};

/// More than are read or deleted at once.
const ITEMS: usize = 300;

struct Office {
    world: World,
    store: Store,
    portfolios: Arc<PortfolioTable>,
    accounts: Accounts,
}

impl Office {
    async fn open() -> Self {
        let store = testing::store().await;
        let world = World::over(&store, AuthPolicy::default());
        let portfolios = Arc::new(PortfolioTable::new(&store));
        let accounts = Accounts::new(Arc::new(world.copy(AuthPolicy::default(), &world.secrets)), portfolios.clone());
        Self { world, store, portfolios, accounts }
    }

    /// Somebody with open sessions, a wrong code, and a portfolio of many items.
    async fn resident(&self, email: &str) -> (Principal, Vec<String>) {
        let address: Email = email.parse().unwrap();
        let tokens = vec![self.world.login(email, start()).await.access_token, self.world.login(email, start()).await.access_token];
        let code = self.world.code(&address, start()).await;
        self.world.auth.login(&address, &wrong(&code), &origin(1), start()).await.unwrap_err();
        let principal = self.world.auth.verify(&tokens[0], start()).await.unwrap();
        let item = |sk: String| Item::new(Key::new(format!("USER#{}", principal.user_id), sk)).text("doc", "x".repeat(2_000));
        let items = (0..ITEMS).map(|number| item(format!("ORDER#{number:06}"))).chain([item("STATE".into())]);
        self.store.portfolios().batch_put(items.collect()).await.unwrap();
        (principal, tokens)
    }

    /// All that is stored, but for the log.
    async fn everything(&self) -> String {
        let names = self.store.names();
        let mut text = String::new();
        for table in [&names.identity, &names.market, &names.signals, &names.portfolios] {
            let mut pages = self.store.client().scan().table_name(table).into_paginator().items().send();
            while let Some(item) = pages.next().await {
                let item = item.unwrap();
                if !item["pk"].as_s().unwrap().starts_with("AUDIT#") {
                    writeln!(text, "{item:?}").unwrap();
                }
            }
        }
        text
    }

    async fn assert_nothing_of(&self, principal: &Principal) {
        let text = self.everything().await;
        for trace in [&principal.user_id.0, principal.email.as_str()] {
            let found: Vec<&str> = text.lines().filter(|line| line.contains(trace)).collect();
            assert!(found.is_empty(), "{trace}: {found:?}");
        }
    }
}

#[tokio::test]
async fn nothing_of_an_account_stays_and_its_address_may_begin_anew() {
    let office = Office::open().await;
    let (ann_principal, tokens) = office.resident("ann@example.com").await;
    let (bob, bobs_tokens) = office.resident("bob@example.com").await;
    let code = office.world.code(&ann(), after(10)).await;
    office.accounts.delete(&ann_principal, &ann(), &code, &origin(1), after(11)).await.unwrap();

    office.assert_nothing_of(&ann_principal).await;
    for token in &tokens {
        assert_eq!(office.world.auth.verify(token, after(11)).await, Err(AuthError::RevokedToken), "at once, in every copy");
    }
    let text = office.everything().await;
    assert_eq!(text.lines().filter(|line| line.contains(&format!("USER#{}", bob.user_id))).count(), ITEMS + 4, "{text}");
    assert!(office.world.auth.verify(&bobs_tokens[0], after(11)).await.is_ok());

    let anew = office.world.login("ann@example.com", after(200)).await.user;
    assert_ne!(anew.id, ann_principal.user_id);
    assert_eq!(anew.created_at, after(200));
}

#[tokio::test]
async fn only_the_owner_with_address_and_fresh_code_can_end_an_account() {
    let office = Office::open().await;
    let (principal, _) = office.resident("ann@example.com").await;
    let bob: Email = "bob@example.com".parse().unwrap();
    let (anns, bobs) = (office.world.code(&ann(), after(1)).await, office.world.code(&bob, after(1)).await);
    let delete =
        async |email: &Email, code: &str, second| match office.accounts.delete(&principal, email, code, &origin(1), after(second)).await {
            Err(AccountError::Auth(error)) => error,
            other => panic!("{other:?}"),
        };
    for (name, email, code, second, expected) in [
        ("another's address with its code", &bob, bobs.as_str(), 2, AuthError::OtherAddress),
        ("the own address with a wrong code", &ann(), &wrong(&anns), 2, AuthError::InvalidCode),
        ("a code that has expired", &ann(), &anns, 301, AuthError::ExpiredCode),
    ] {
        assert_eq!(delete(email, code, second).await, expected, "{name}");
    }
    assert_eq!(office.world.auth.user(&principal.user_id).await.unwrap().role, Role::Trader, "nothing has begun");

    let root: Email = "root@example.com".parse().unwrap();
    office.world.auth.ensure_admin(&root, start()).await.unwrap();
    let admin = office.world.principal("root@example.com", after(400)).await;
    let code = office.world.code(&root, after(401)).await;
    let refused = office.accounts.delete(&admin, &root, &code, &origin(1), after(402)).await;
    assert_eq!(refused, Err(AuthError::LastAdmin.into()));
    office.world.auth.set_role(&admin, &principal.user_id, Role::Admin, &origin(1), after(403)).await.unwrap();
    let code = office.world.code(&root, after(404)).await;
    assert_eq!(office.accounts.delete(&admin, &root, &code, &origin(1), after(405)).await, Ok(()));
    office.assert_nothing_of(&admin).await;
}

#[tokio::test]
async fn a_deletion_that_stops_anywhere_is_finished_by_asking_again() {
    for steps in 0..=3 {
        let office = Office::open().await;
        let (principal, tokens) = office.resident("ann@example.com").await;
        let auth = &office.world.auth;
        // What a deletion does, up to where it stops.
        if steps >= 1 {
            auth.begin_closing(&principal, &origin(1), after(1)).await.unwrap();
            assert_eq!(auth.verify(&tokens[1], after(1)).await, Err(AuthError::RevokedToken), "sessions end first of all");
        }
        if steps >= 2 {
            let some: Vec<Key> = (0..100).map(|n| Key::new(format!("USER#{}", principal.user_id), format!("ORDER#{n:06}"))).collect();
            office.store.portfolios().batch_delete(&some).await.unwrap();
        }
        if steps >= 3 {
            office.portfolios.forget(&principal.user_id).await.unwrap();
        }
        let again = office.world.principal("ann@example.com", after(120)).await;
        assert_eq!(again.user_id, principal.user_id, "after {steps} steps");
        assert_eq!(again.role, if steps == 0 { Role::Trader } else { Role::Viewer }, "after {steps} steps");
        let code = office.world.code(&ann(), after(240)).await;
        office.accounts.delete(&again, &ann(), &code, &origin(1), after(241)).await.unwrap();
        office.assert_nothing_of(&principal).await;
    }
}

#[tokio::test]
async fn nothing_is_opened_for_one_who_leaves_or_is_gone() {
    let office = Office::open().await;
    let (principal, _) = office.resident("ann@example.com").await;
    let user = &principal.user_id;
    let rejected =
        Decision { signal: "2022-01-03_KO_m1".parse().unwrap(), kind: DecisionKind::Reject, notes: None, order: None, auto: false };
    let session =
        Session { id: "late".into(), user_id: user.clone(), opened_at: start(), expires_at: after(86_400), origin: String::new() };
    assert_eq!(office.portfolios.decide(user, &rejected).await, Ok(()));
    office.world.auth.begin_closing(&principal, &origin(1), after(1)).await.unwrap();
    assert!(matches!(office.portfolios.decide(user, &rejected).await, Err(StoreError::Conflict(_))));
    office.portfolios.forget(user).await.unwrap();
    office.world.auth.forget(&principal, &origin(1), after(2)).await.unwrap();
    assert!(matches!(office.portfolios.decide(user, &rejected).await, Err(StoreError::Conflict(_))));
    assert!(matches!(office.world.table.open_session(&session).await, Err(StoreError::Conflict(_))));
    assert_eq!(office.world.auth.forget(&principal, &origin(1), after(3)).await, Ok(()), "once more does nothing");
    office.assert_nothing_of(&principal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_that_cross_a_deletion_leave_no_session() {
    let office = Arc::new(Office::open().await);
    for round in 0..60 {
        // Far enough apart for the limit of codes.
        let now = after(60 * round);
        let principal = office.world.principal(&format!("ann{round}@example.com"), now).await;
        office.world.auth.begin_closing(&principal, &origin(1), now).await.unwrap();
        office.portfolios.forget(&principal.user_id).await.unwrap();
        let sign_ins = (0..6).map(|number| {
            let (office, user_id) = (office.clone(), principal.user_id.clone());
            tokio::spawn(async move {
                let session = Session {
                    id: format!("s{number}"),
                    user_id: user_id.clone(),
                    opened_at: now,
                    expires_at: after(90_000),
                    origin: String::new(),
                };
                // Refused where the account is gone already.
                let _ = office.world.table.open_session(&session).await;
            })
        });
        let from = origin(1);
        let sign_ins = join_all(sign_ins.collect::<Vec<_>>());
        let (forgotten, _) = tokio::join!(office.world.auth.forget(&principal, &from, now), sign_ins);
        forgotten.unwrap();
        office.assert_nothing_of(&principal).await;
        assert_eq!(office.world.table.user(&UserId(principal.user_id.0.clone())).await, Ok(None), "round {round}");
    }
}

//! Users, their roles and what they say about themselves.

use app::{
    auth::{AuthError, AuthPolicy, Preferences, Profile},
    ports::IdentityStore,
};
use domain::{Email, Money, Role, Sector, UserId, execution::RiskProfile};

use super::*;

#[tokio::test]
async fn roles_and_deactivation_take_effect_within_a_minute_everywhere() {
    let world = World::new().await;
    let other = world.copy(AuthPolicy::default(), &world.secrets);
    world.auth.ensure_admin(&"root@example.com".parse().unwrap(), start()).await.unwrap();
    let admin = world.principal("root@example.com", start()).await;
    assert_eq!(admin.role, Role::Admin);
    let login = world.login("ann@example.com", start()).await;
    let (id, token) = (&login.user.id, &login.access_token);
    other.verify(token, start()).await.unwrap();

    world.auth.set_role(&admin, id, Role::Viewer, &origin(1), start()).await.unwrap();
    assert_eq!(world.auth.verify(token, after(1)).await.unwrap().role, Role::Viewer);
    assert_eq!(other.verify(token, after(60)).await.unwrap().role, Role::Viewer);

    world.auth.set_active(&admin, id, false, &origin(1), after(60)).await.unwrap();
    for auth in [&world.auth, &other] {
        assert_eq!(auth.verify(token, after(61)).await, Err(AuthError::RevokedToken));
    }
    let mails = world.mails();
    assert!(world.auth.request_otp(&ann(), &origin(1), after(62)).await.is_ok());
    assert_eq!(world.mails(), mails, "a deactivated user gets no code");

    world.auth.set_active(&admin, id, true, &origin(1), after(90)).await.unwrap();
    let code = world.code(&ann(), after(200)).await;
    world.auth.set_active(&admin, id, false, &origin(1), after(60)).await.unwrap();
    assert_eq!(world.auth.login(&ann(), &code, &origin(1), after(201)).await.map(|_| ()), Err(AuthError::Deactivated));

    let nobody = UserId("nobody".into());
    assert_eq!(world.auth.set_role(&admin, &nobody, Role::Admin, &origin(1), after(202)).await, Err(AuthError::UnknownUser));
}

#[tokio::test]
async fn the_first_admin_is_made_once_and_raised_if_there() {
    let world = World::new().await;
    let trader = world.login("ann@example.com", start()).await.user;
    for _ in 0..2 {
        let admin = world.auth.ensure_admin(&ann(), start()).await.unwrap();
        assert_eq!((&admin.id, admin.role), (&trader.id, Role::Admin));
    }
    assert_eq!(world.table.users(None, 10).await.unwrap().users.len(), 1);
}

#[tokio::test]
async fn profile_and_preferences_are_kept_apart() {
    let world = World::new().await;
    let id = world.login("ann@example.com", start()).await.user.id;
    let profile = Profile {
        first_name: Some("Ann".into()),
        last_name: None,
        risk_tolerance: RiskProfile::High,
        preferred_sectors: vec![Sector::Energy, Sector::HealthCare],
        max_position_size: Some(Money::cents(2_500_050)),
    };
    let preferences = Preferences { email_signals: true, auto_trade: true, ..Preferences::default() };
    world.auth.put_profile(&id, profile.clone()).await.unwrap();
    world.auth.put_preferences(&id, preferences).await.unwrap();
    let user = world.auth.user(&id).await.unwrap();
    assert_eq!((user.profile, user.preferences, user.is_verified), (profile, preferences, true));
    let nobody = UserId("nobody".into());
    assert_eq!(world.auth.user(&nobody).await.map(|_| ()), Err(AuthError::UnknownUser));
    assert_eq!(world.auth.put_preferences(&nobody, preferences).await.map(|_| ()), Err(AuthError::UnknownUser));
}

#[tokio::test]
async fn users_are_listed_in_the_order_in_which_they_joined() {
    let world = World::new().await;
    let emails: Vec<Email> = ["z@example.com", "a@example.com", "m@example.com"].map(|email| email.parse().unwrap()).into();
    for (second, email) in (0..).zip(&emails) {
        world.auth.ensure_admin(email, after(second)).await.unwrap();
    }
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = world.auth.users(after.as_deref(), 2).await.unwrap();
        listed.extend(page.users.into_iter().map(|user| user.email));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(listed, emails);
}

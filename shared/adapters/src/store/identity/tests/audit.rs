//! What the log has, and how much of it.

use app::{
    auth::{Actor, AuditAction, AuditEntry},
    ports::IdentityStore,
};
use domain::{Role, UserId};

use super::*;
use crate::store::Store;

async fn log(auth: &Auth, now: Timestamp) -> Vec<AuditEntry> {
    let (mut entries, mut after) = (Vec::new(), None);
    loop {
        let page = auth.audit(after.as_deref(), 3, now).await.unwrap();
        assert!(page.entries.len() <= 3);
        entries.extend(page.entries);
        after = page.next;
        if after.is_none() {
            return entries;
        }
    }
}

fn actions(log: &[AuditEntry]) -> Vec<&'static str> {
    log.iter().map(|entry| entry.action.name()).collect()
}

#[tokio::test]
async fn what_was_done_is_told_newest_first_with_who_and_on_whom() {
    let world = World::new().await;
    let root = world.auth.ensure_admin(&"root@example.com".parse().unwrap(), start()).await.unwrap();
    let admin = world.principal("root@example.com", after(1)).await;
    let ann = world.login("ann@example.com", after(2)).await.user.id;
    world.auth.set_role(&admin, &ann, Role::Viewer, &origin(7), after(3)).await.unwrap();
    world.auth.set_active(&admin, &ann, false, &origin(7), after(4)).await.unwrap();
    world.auth.set_active(&admin, &ann, true, &origin(7), after(5)).await.unwrap();
    // What is refused by the use case changes nothing, and is not an action.
    world.auth.set_role(&admin, &admin.user_id, Role::Viewer, &origin(7), after(6)).await.unwrap_err();
    world.auth.logout_everywhere(&admin, &origin(7), after(7)).await.unwrap();

    let log = log(&world.auth, after(10)).await;
    assert_eq!(actions(&log), ["logged_out_everywhere", "user_reactivated", "user_deactivated", "role_changed", "admin_appointed"]);
    let changed = &log[3];
    assert_eq!((&changed.actor, changed.subject.as_ref(), changed.at), (&Actor::User(admin.user_id.clone()), Some(&ann), after(3)));
    assert_eq!((changed.detail.as_deref(), changed.source.as_deref()), (Some("viewer"), Some("192.0.2.7")));
    assert_eq!(changed.request_id.as_deref(), Some("request-1"));
    assert_eq!((&log[4].actor, log[4].subject.as_ref()), (&Actor::Operator, Some(&root.id)));
}

#[tokio::test]
async fn failed_logins_are_told_once_an_hour_and_name_accounts_but_no_addresses() {
    let world = World::new().await;
    let ann_id = world.login("ann@example.com", start()).await.user.id;
    for second in 0..3 {
        let code = world.code(&ann(), after(second)).await;
        world.auth.login(&ann(), &wrong(&code), &origin(1), after(second)).await.unwrap_err();
        let stranger = format!("stranger-{second}@example.com").parse().unwrap();
        world.auth.login(&stranger, "000000", &origin(1), after(second)).await.unwrap_err();
    }
    // Another copy has forgotten nothing either: what counts is in the store.
    let other = world.copy(AuthPolicy::default(), &world.secrets);
    other.login(&ann(), "000000", &origin(1), after(10)).await.unwrap_err();
    let entries = log(&world.auth, after(20)).await;
    let mut told: Vec<_> = entries.iter().map(|entry| (entry.action.name(), entry.subject.clone())).collect();
    told.sort();
    assert_eq!(told, [("login_failed", None), ("login_failed", Some(ann_id.clone()))]);

    world.auth.login(&ann(), "000000", &origin(1), after(3_600)).await.unwrap_err();
    let entries = log(&world.auth, after(3_600)).await;
    assert_eq!((entries.len(), entries[0].subject.as_ref()), (3, Some(&ann_id)), "the next hour has its own");
    let text = format!("{entries:?}");
    assert!(!text.contains("stranger") && !text.contains('@'), "{text}");
}

#[tokio::test]
async fn pages_cross_months_and_end_after_a_year() {
    let world = World::new().await;
    let entry = |at: &str| AuditEntry::new(AuditAction::RoleChanged, Actor::User(UserId("ann".into())), &origin(1), at.parse().unwrap());
    let instants = ["2024-12-31T23:59:59Z", "2025-02-01T00:00:00Z", "2025-02-28T12:00:00Z", "2025-03-01T00:00:00Z", "2025-11-23T00:00:00Z"];
    for at in instants {
        world.auth.record(entry(at)).await;
    }
    let told = async |now: &str| {
        let entries = log(&world.auth, now.parse().unwrap()).await;
        entries.iter().map(|entry| entry.at.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(told("2025-12-01T00:00:00Z").await, instants.iter().rev().copied().collect::<Vec<_>>());
    assert_eq!(told("2026-02-10T00:00:00Z").await, instants[2..].iter().rev().copied().collect::<Vec<_>>());
    let now: Timestamp = "2026-02-10T00:00:00Z".parse().unwrap();
    assert_eq!(world.auth.purge_expired(now).await, Ok(2), "what is a year old is cleared away");
    for limit in [1, 2] {
        let first = world.auth.audit(None, limit, now).await.unwrap();
        let second = world.auth.audit(first.next.as_deref(), limit, now).await.unwrap();
        assert_eq!((first.entries.len(), second.entries.len()), (limit as usize, limit.min(3 - limit) as usize));
    }
}

#[tokio::test]
async fn an_entry_and_its_change_are_one() {
    let store: Store = crate::store::testing::store().await;
    let table = IdentityTable::new(&store);
    let nobody = UserId("nobody".into());
    let entry = AuditEntry::new(AuditAction::RoleChanged, Actor::Operator, &origin(1), start());
    assert_eq!(table.change_standing(&nobody, app::ports::Standing::Active(false), &entry).await, Ok(None));
    assert_eq!(table.audit(None, 10, start(), start()).await.unwrap().entries, []);
}

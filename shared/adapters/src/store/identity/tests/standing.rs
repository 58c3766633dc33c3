//! Administrators: as many as there are, one stays.

use app::auth::AuthError;
use domain::{Role, UserId};
use futures::future::join_all;

use super::*;

async fn admins(world: &World, names: &[&str]) -> Vec<Principal> {
    let mut admins = Vec::new();
    for name in names {
        let email = format!("{name}@example.com");
        world.auth.ensure_admin(&email.parse().unwrap(), start()).await.unwrap();
        admins.push(world.principal(&email, start()).await);
    }
    admins
}

async fn active_admins(world: &World) -> usize {
    let users = world.auth.users(None, 100).await.unwrap().users;
    users.iter().filter(|user| user.role == Role::Admin && user.is_active).count()
}

#[tokio::test]
async fn the_last_active_administrator_stays_one() {
    // What is done in turn, by ann: to whom, and what comes of it.
    enum Done {
        Role(usize, Role),
        Active(usize, bool),
    }
    use Done::{Active, Role as Becomes};

    let last = Err(AuthError::LastAdmin);
    for (name, steps) in [
        ("alone", vec![(Becomes(0, Role::Trader), last.clone()), (Active(0, false), last.clone()), (Becomes(0, Role::Admin), Ok(()))]),
        (
            "two",
            vec![
                (Becomes(1, Role::Admin), Ok(())),
                (Becomes(0, Role::Viewer), Ok(())),
                (Becomes(1, Role::Viewer), last.clone()),
                (Active(1, false), last.clone()),
            ],
        ),
        (
            "one is deactivated",
            vec![
                (Becomes(1, Role::Admin), Ok(())),
                (Active(1, false), Ok(())),
                (Becomes(0, Role::Trader), last.clone()),
                (Active(1, true), Ok(())),
                (Becomes(0, Role::Trader), Ok(())),
            ],
        ),
        (
            "made one while deactivated",
            vec![
                (Active(1, false), Ok(())),
                (Becomes(1, Role::Admin), Ok(())),
                (Active(0, false), last.clone()),
                (Active(1, true), Ok(())),
                (Active(0, false), Ok(())),
            ],
        ),
    ] {
        let world = World::new().await;
        let ann = admins(&world, &["ann"]).await.remove(0);
        let bob = world.login("bob@example.com", start()).await.user.id;
        let users = [ann.user_id.clone(), bob];
        for (step, (done, expected)) in steps.into_iter().enumerate() {
            let result = match done {
                Becomes(user, role) => world.auth.set_role(&ann, &users[user], role, &origin(1), start()).await,
                Active(user, active) => world.auth.set_active(&ann, &users[user], active, &origin(1), start()).await,
            };
            assert_eq!(result.map(|_| ()), expected, "{name}, step {step}");
            assert!(active_admins(&world).await >= 1, "{name}, step {step}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_administrators_who_demote_one_another_at_once_one_stays() {
    let world = Arc::new(World::new().await);
    let all = admins(&world, &["a", "b", "c", "d"]).await;
    let ids: Vec<UserId> = all.iter().map(|admin| admin.user_id.clone()).collect();
    let demotions = all.iter().enumerate().flat_map(|(index, admin)| {
        let others = ids.iter().enumerate().filter(move |(other, _)| *other != index).map(|(_, id)| id.clone());
        others.map(|id| (world.clone(), admin.clone(), id)).collect::<Vec<_>>()
    });
    let demotions = demotions
        .map(|(world, admin, id)| tokio::spawn(async move { world.auth.set_role(&admin, &id, Role::Trader, &origin(1), start()).await }));
    let results = join_all(demotions.collect::<Vec<_>>()).await;
    assert!(results.into_iter().map(Result::unwrap).any(|result| result.is_ok()));
    assert_eq!(active_admins(&world).await, 1);
}

//! A seeded, deterministic simulation of everything that trades: random users, orders, corporate actions, clock jumps, lost answers,
//! crashes and clients that come in between, at every call of a port. After every step an independent model checks the ledger and what
//! is stored.
//!
//! The idea is that of `FoundationDB`'s simulation and `TigerBeetle`'s VOPR: one seed decides everything, so that a failure can be had
//! again. What runs is the real `app::portfolio::Desk` over the real traits; the store is one in memory with the same conditions, and
//! for a shorter run the real tables.
//!
//! | file | what |
//! |---|---|
//! | [`faults`] | the fate of each call of a port, and whose turn it is |
//! | [`market`], [`ports`] | a market that never was, and the ports by which it is seen |
//! | [`store`] | portfolios in memory, and any store with calls that go wrong |
//! | [`operations`] | what users ask for |
//! | [`ledger`], [`fills`], [`number`] | the independent model: a ledger as an auditor reads it |
//! | [`audit`] | comparing the model with what is stored and answered |
//! | [`world`] | one world, step by step |

mod audit;
mod faults;
mod fills;
mod ledger;
mod market;
mod number;
mod operations;
mod ports;
mod store;
mod tables;
mod world;

use std::sync::Arc;

use app::ports::PortfolioStore;
use world::World;

/// Operations of one world at most; then another one begins, with the next seed.
const WORLD: u64 = 400;

/// What a failure shows, also when it is a panic of the program.
struct Report<'a> {
    world: &'a mut World,
    seed: u64,
    test: &'static str,
}

impl Report<'_> {
    fn print(&self) {
        println!("\nthe last of {} operations in the world of seed {}:", self.world.operations(), self.seed);
        self.world.log().for_each(|line| println!("{line}"));
        println!(
            "\nto see it again:\nSTOCKGPT_SIM_SEED={} STOCKGPT_SIM_OPERATIONS={} cargo test -p tests simulation::{}\n",
            self.seed,
            self.world.operations(),
            self.test
        );
    }
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.print();
        }
    }
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text}")))
}

/// Worlds from `first_seed` on until `operations` are done.
async fn simulate(test: &'static str, first_seed: u64, operations: u64, store: Option<Arc<dyn PortfolioStore>>) {
    let (mut seed, mut done, mut entries, mut trades, mut faults) = (first_seed, 0, 0, 0, 0);
    while done < operations {
        let mut world = World::new(seed, store.clone());
        let report = Report { world: &mut world, seed, test };
        let most = WORLD.min(operations - done);
        while report.world.operations() < most && report.world.goes_on() {
            if let Err(reason) = report.world.step().await {
                panic!("{reason}");
            }
        }
        if let Err(reason) = report.world.verify_all().await {
            panic!("{reason}");
        }
        drop(report);
        done += world.operations();
        (entries, trades, faults) = (entries + world.entries(), trades + world.trades(), faults + world.injected());
        seed += 1;
    }
    println!("{done} operations in {} worlds: {entries} ledger entries, {trades} trades, {faults} faults", seed - first_seed);
}

#[tokio::test]
async fn a_hundred_thousand_operations_keep_every_promise() {
    simulate(
        "a_hundred_thousand_operations_keep_every_promise",
        setting("STOCKGPT_SIM_SEED", 1),
        setting("STOCKGPT_SIM_OPERATIONS", 100_000),
        None,
    )
    .await;
}

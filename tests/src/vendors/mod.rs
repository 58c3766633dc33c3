//! Simulators of the market-data vendors, for tests and for development: the real bundled data in the vendors' exact shapes.
//!
//! ```text
//! let tiingo = Simulator::start(Vendor::Tiingo, Market::bundled()).await;      // 127.0.0.1, a free port; stops when dropped
//! let client = Tiingo::new(Simulator::KEY, &tiingo.url())?;                    // any client, with the key and this base address
//!
//! tiingo.set_now(instant);                    // sessions that have not closed by then are not told; by default all are
//! tiingo.set_plan(Plan::free(Vendor::Tiingo));// limits and what a plan leaves out; by default none
//! polygon.set_longest_page(25);               // lists in pages of at most so many rows
//! tiingo.allow(3);                            // three more requests, then 429 until `allow` is said again
//!
//! tiingo.fail("/daily/AAPL/", Effect::Truncated);        // every request whose path and query contain the text
//! tiingo.fail_times("/daily/", 2, Effect::Status(500));  // the next two such requests
//! tiingo.recover();                                      // no faults from now on
//!
//! tiingo.edit(|market| market.restate("AAPL", "2022-01-03", |row| row.close += dec(1)));
//! tiingo.edit(|market| { market.remove("AAPL", "2022-01-04"); });
//! tiingo.edit(|market| market.duplicate("AAPL", "2022-01-05"));
//! tiingo.edit(|market| market.insert("AAPL", Row { day: holiday, ..row }));
//!
//! tiingo.requests();                          // paths with queries, in the order in which they came
//! tiingo.rewrite(|path, body| body);        // changes what would be answered
//! ```
//!
//! A [`Market`] is made of any [`Stock`]s; [`Market::bundled`] has the sixty that ship with the program, and
//! [`Market::ending_on`] moves all sessions so that the last one is a given day, for development against today's clock.
//! The same server as a program: `cargo run -p tests --bin vendors`.
//!
//! Not simulated: spin-offs (no vendor lists them as such), intraday bars, prices of other than whole sessions.

#[cfg(test)]
mod contract;
mod fault;
mod market;
#[cfg(test)]
mod oracles;
mod plan;
mod polygon;
mod query;
mod simulator;
mod tiingo;
mod view;

pub use fault::Effect;
pub use market::{Market, Row, Stock};
pub use plan::Plan;
pub use simulator::{Simulator, Vendor};

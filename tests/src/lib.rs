//! The product as its clients see it: each test starts the whole system on a data directory of its own and talks HTTP to it.
//!
//! The market-data vendors are simulated by [`vendors`], for these tests and as a program for development.

pub mod vendors;

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod answers;
#[cfg(test)]
mod attacks;
#[cfg(test)]
mod automation;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod digest;
#[cfg(test)]
mod documentation;
#[cfg(test)]
mod features;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod ingest;
#[cfg(test)]
mod interop;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod market_data;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod parity;
#[cfg(test)]
mod quarantine;
#[cfg(test)]
mod reconciliation;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod scenario;
#[cfg(test)]
mod schedules;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod splits;
#[cfg(test)]
mod stored_formats;

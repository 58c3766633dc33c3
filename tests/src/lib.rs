//! The product as its clients see it: each test starts the whole system on a data directory of its own and talks HTTP to it.
#![cfg(test)]

mod bad_input;
mod concurrency;
mod damage;
mod documentation;
mod harness;
mod interop;
mod market_data;
mod quarantine;
mod scenario;
mod splits;

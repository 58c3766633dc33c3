//! The routes, one module a group. Each group's `router` takes the group's own state, so that a function of the cloud
//! runs one group and a machine runs all.

pub mod account;
pub mod admin;
pub mod auth;
pub mod charts;
pub mod clock;
pub mod data;
pub mod portfolio;
pub mod signals;
pub mod stocks;
pub mod system;
mod vocabulary;

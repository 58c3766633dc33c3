//! This machine as the cloud: every use case and every adapter in one process, with an embedded database and a clock of its own.

pub mod cli;
pub mod clock;
pub mod connections;
pub mod data_dir;
pub mod embedded_store;
pub mod first_start;
pub mod health;
pub mod keys;
pub mod mail;
pub mod replay;
pub mod rules;
pub mod serve;
pub mod system;
pub mod terminal;
pub mod vendors;

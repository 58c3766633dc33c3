//! Composition: which adapters serve which use cases, in a function in the cloud and in the one process on one machine.

pub mod models;
pub mod services;
pub mod telemetry;

pub use models::StoredModels;
pub use services::{Ports, Services};

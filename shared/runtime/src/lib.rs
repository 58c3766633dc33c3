//! What every place shares that runs this program, a function in the cloud or the one process on one machine.

pub mod pointer;
pub mod rules;
pub mod services;
pub mod telemetry;

pub use pointer::Pointer;
pub use services::{Ports, Services};

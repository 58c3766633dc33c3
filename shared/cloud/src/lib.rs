//! This program as functions of AWS Lambda.
//!
//! A function is a group of routes ([`groups`]) or a job ([`jobs`]), composed of what a [`Place`] has: in earnest the services of AWS
//! ([`place::Aws`]), in tests this machine. Whatever a function does not ask its place for, it neither links to nor needs a permission
//! for; what it asks for is made once and kept while the process lives.

pub mod groups;
pub mod http;
pub mod jobs;
pub mod keys;
mod metrics;
pub mod place;
pub mod settings;

pub use lambda_runtime::Error;
pub use place::Place;
pub use settings::{Settings, SettingsError};

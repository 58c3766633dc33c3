//! This program as functions of AWS Lambda.
//!
//! A function is a group of routes ([`groups`]) or a job ([`jobs`]), composed of what a [`Place`] has: in earnest the services of AWS
//! ([`place::Aws`]), in tests this machine. What a function does not [`Reach`] it neither links to nor needs a permission for; what it
//! asks for is made once and kept while the process lives.
//!
//! [`http::serve`] and [`jobs::serve`] are neither generic nor asynchronous: else each of the ten functions would compile all that they
//! call anew.

pub mod groups;
pub mod http;
pub mod jobs;
pub mod keys;
mod metrics;
pub mod place;
pub mod settings;

pub use lambda_runtime::Error;
pub use place::{Place, Reach};
pub use settings::{Settings, SettingsError};

/// Runs `future` on this thread: a function handles one event at a time.
fn block_on(future: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}

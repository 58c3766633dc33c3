//! The function that scores the newest session; the only one that links the model's evaluator.

use std::sync::Arc;

use cloud::jobs::{self, GenerateSignals};
use models::StoredModels;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), cloud::Error> {
    jobs::serve(|place| GenerateSignals::new(place, |objects| Arc::new(StoredModels::new(objects)))).await
}

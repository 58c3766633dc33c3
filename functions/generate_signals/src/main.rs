//! The function that scores the newest session; the only one that links the model's evaluator.

use std::sync::Arc;

use cloud::{Error, Reach, jobs};
use models::StoredModels;

fn main() -> Result<(), Error> {
    jobs::serve(|place| jobs::generate_signals(place, |objects| Arc::new(StoredModels::new(objects))), Reach::tables().objects().events())
}

//! The function that brings prices and companies in.

use cloud::{Error, Reach, jobs};

fn main() -> Result<(), Error> {
    jobs::serve(jobs::ingest, Reach::tables().objects().events().vendors())
}

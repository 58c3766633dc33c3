//! The function that brings prices and companies in.

use cloud::jobs::{self, Ingest};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), cloud::Error> {
    jobs::serve(Ingest::new).await
}

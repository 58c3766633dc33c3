//! The function that clears codes, sessions and counters that are over.

use cloud::jobs::{self, ResetOtps};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), cloud::Error> {
    jobs::serve(ResetOtps::new).await
}

//! The function that lets the market act on portfolios.

use cloud::jobs::{self, Revalue};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), cloud::Error> {
    jobs::serve(Revalue::new).await
}

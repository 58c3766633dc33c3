//! The function behind `/api/v1/signals`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), cloud::Error> {
    cloud::http::serve(cloud::groups::signals).await
}

//! The function behind `/health`, `/metrics` and the documentation.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), cloud::Error> {
    cloud::http::serve(cloud::groups::system).await
}

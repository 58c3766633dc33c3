//! The function behind `/api/v1/portfolio`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), cloud::Error> {
    cloud::http::serve(cloud::groups::portfolio).await
}

//! The function behind `/api/v1/auth` and `/api/v1/users`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), cloud::Error> {
    cloud::http::serve(cloud::groups::auth).await
}

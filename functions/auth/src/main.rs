//! The function behind `/api/v1/auth`, `/api/v1/users` and `/api/v1/admin`.

use cloud::{Error, Reach, groups, http};

fn main() -> Result<(), Error> {
    http::serve(groups::auth, Reach::tables().mail())
}

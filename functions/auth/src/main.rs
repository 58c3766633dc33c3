//! The function behind `/api/v1/auth` and `/api/v1/users`.

use cloud::{Error, Reach, groups, http};

fn main() -> Result<(), Error> {
    http::serve(groups::auth, Reach::tables().mail())
}

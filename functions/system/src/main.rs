//! The function behind `/health`, `/metrics` and the documentation.

use cloud::{Error, Reach, groups, http};

fn main() -> Result<(), Error> {
    http::serve(groups::system, Reach::tables().objects())
}

//! The function behind `/api/v1/portfolio`.

use cloud::{Error, Reach, groups, http};

fn main() -> Result<(), Error> {
    http::serve(groups::portfolio, Reach::tables().objects())
}

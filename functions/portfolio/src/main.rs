//! The function behind `/api/v1/portfolio`; it also exports and deletes accounts. it also exports and deletes accounts.

use cloud::{Error, Reach, groups, http};

fn main() -> Result<(), Error> {
    http::serve(groups::portfolio, Reach::tables().objects())
}

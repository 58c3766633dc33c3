//! The function behind `/api/v1/signals`.

use cloud::{Error, Reach, groups, http};

fn main() -> Result<(), Error> {
    http::serve(groups::signals, Reach::tables().objects())
}

//! The function behind `/api/v1/data`.

use cloud::{Error, Reach, groups, http};

fn main() -> Result<(), Error> {
    http::serve(groups::data, Reach::tables().objects().events())
}

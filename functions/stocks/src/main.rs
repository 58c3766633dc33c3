//! The function behind `/api/v1/stocks`.

use cloud::{Error, Reach, groups, http};

fn main() -> Result<(), Error> {
    http::serve(groups::stocks, Reach::tables().objects().vendors())
}

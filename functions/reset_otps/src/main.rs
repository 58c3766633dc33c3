//! The function that clears codes, sessions and counters that are over.

use cloud::{Error, Reach, jobs};

fn main() -> Result<(), Error> {
    jobs::serve(jobs::reset_otps, Reach::tables())
}

//! The function that lets the market act on portfolios.

use cloud::{Error, Reach, jobs};

fn main() -> Result<(), Error> {
    jobs::serve(jobs::revalue, Reach::tables().objects().mail())
}

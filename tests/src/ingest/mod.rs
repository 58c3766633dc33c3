//! Ingestion through its real parts: the embedded tables, a directory of objects, and vendors that say what a test wants.

mod adjusted;
mod clients;
mod fuse;
mod gate;
mod interruption;
mod listing;
mod place;
mod restatements;
mod rows;
mod second_vendor;
mod vendor;

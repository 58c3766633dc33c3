//! The edge around routes made for these tests: what any route gets without doing anything for it.

mod answers;
mod bad_requests;
mod documentation;
mod identity;
mod support;

//! The functions, started with events as AWS hands them over, on this machine: an embedded `DynamoDB`, a directory, an outbox.

mod http;
mod jobs;
mod machine;

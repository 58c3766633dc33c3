//! From price files to the table a model is trained on: features by the product's own code, labels by the trade a signal
//! proposes, masked by the index membership of the day.

pub mod bars;
pub mod examples;
pub mod membership;
pub mod table;

//! Encoded answers, kept as long as what they were made of stays what it is.
//!
//! Indicators of years are computed and written as text for one answer, and many ask for the same: the newest sessions of a stock.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use app::stocks::Stocks;
use axum::{
    body::Bytes,
    http::{HeaderValue, Uri},
    response::Response,
};
use domain::{Symbol, Timestamp};
use serde::Serialize;

use crate::{cached, problem::Problem};

/// Bodies and keys together: some hundred answers. What is full forgets everything.
const MOST_BYTES: usize = 8 << 20;

#[derive(Debug, Default)]
pub(super) struct Answers(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    bytes: usize,
    answers: HashMap<String, Answer>,
}

#[derive(Debug, Clone)]
struct Answer {
    /// Names the data it was made of.
    state: String,
    /// The instants of the market's time at which that data says the same: before `until`, nothing more becomes known.
    since: Timestamp,
    until: Timestamp,
    body: Bytes,
    etag: HeaderValue,
}

impl Answers {
    /// The answer to `uri`, which asks for something of one stock as known at `then`: the one that was given before if it still holds,
    /// else what `compute` gives.
    pub(super) async fn give<T: Serialize>(
        &self,
        stocks: &Stocks,
        uri: &Uri,
        symbol: &Symbol,
        then: Timestamp,
        compute: impl Future<Output = Result<T, Problem>>,
    ) -> Result<Response, Problem> {
        let key = uri.to_string();
        let state = stocks.state(symbol).await?;
        if let Some(answer) = self.find(&key, &state, then) {
            return Ok(cached::answer(answer.body, answer.etag));
        }
        let body = Bytes::from(serde_json::to_vec(&compute.await?).map_err(|error| Problem::internal(&error))?);
        let etag = cached::etag(&body);
        let until = stocks.unchanged_until(symbol, then).await?;
        // Data that changed meanwhile is in the answer or not: it is given, and not kept.
        if stocks.state(symbol).await? == state {
            self.keep(key, Answer { state, since: then, until, body: body.clone(), etag: etag.clone() });
        }
        Ok(cached::answer(body, etag))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, key: &str, state: &str, then: Timestamp) -> Option<Answer> {
        self.kept().answers.get(key).filter(|answer| answer.state == state && answer.since <= then && then < answer.until).cloned()
    }

    fn keep(&self, key: String, answer: Answer) {
        let mut kept = self.kept();
        let (length, size) = (key.len(), key.len() + answer.body.len());
        if kept.bytes + size > MOST_BYTES {
            *kept = Kept::default();
        }
        kept.bytes += size;
        if let Some(before) = kept.answers.insert(key, answer) {
            kept.bytes -= length + before.body.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn answer(bytes: usize) -> Answer {
        let body = Bytes::from(vec![b'x'; bytes]);
        Answer { state: "a".into(), since: at(10), until: at(20), etag: cached::etag(&body), body }
    }

    #[test]
    fn an_answer_holds_for_its_data_and_its_time() {
        let answers = Answers::default();
        answers.keep("/x".into(), answer(1));
        for (key, state, second, expected) in [
            ("/x", "a", 10, true),
            ("/x", "a", 19, true),
            ("/x", "a", 9, false),
            ("/x", "a", 20, false),
            ("/x", "b", 10, false),
            ("/y", "a", 10, false),
        ] {
            assert_eq!(answers.find(key, state, at(second)).is_some(), expected, "{key} {state} {second}");
        }
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let answers = Answers::default();
        for number in 0..100 {
            answers.keep(format!("/{}", number % 40), answer(MOST_BYTES / 30));
            let kept = answers.kept();
            let bytes: usize = kept.answers.iter().map(|(key, answer)| key.len() + answer.body.len()).sum();
            assert_eq!(kept.bytes, bytes);
            assert!(bytes <= MOST_BYTES);
        }
    }
}

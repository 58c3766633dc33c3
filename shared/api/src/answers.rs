//! Encoded answers, kept as long as what they were made of stays what it is.
//!
//! Indicators of years are computed and written as text for one answer, and many ask for the same: the newest sessions of a stock, the
//! list of all stocks, the newest signals.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use axum::{
    body::Bytes,
    http::{HeaderValue, Uri, header},
    response::{IntoResponse, Response},
};
use domain::Timestamp;
use serde::Serialize;

use crate::{cached, problem::Problem};

/// Answers to some routes, by what was asked. `S` names the data that one was made of: where it is another, so is the answer.
#[derive(Debug)]
pub(crate) struct Answers<S> {
    /// Of bodies and keys together. What is full forgets everything.
    most_bytes: usize,
    kept: Mutex<Kept<S>>,
}

/// Data that is the same as long as it is the same copy. What is known by it alone is not held in memory.
#[derive(Debug)]
pub(crate) struct Same<T>(Weak<T>);

/// What there is to answer, and until which instant of the market's time the same data says the same. `None`: it is not to be kept.
pub(crate) struct Said<T> {
    pub(crate) body: T,
    pub(crate) until: Option<Timestamp>,
}

/// JSON and its entity tag.
#[derive(Debug, Clone)]
pub(crate) struct Encoded {
    pub(crate) body: Bytes,
    pub(crate) etag: HeaderValue,
}

#[derive(Debug)]
struct Kept<S> {
    bytes: usize,
    answers: HashMap<String, Answer<S>>,
}

#[derive(Debug)]
struct Answer<S> {
    state: S,
    since: Timestamp,
    until: Timestamp,
    encoded: Encoded,
}

impl IntoResponse for Encoded {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.body).into_response()
    }
}

impl<T> Same<T> {
    pub(crate) fn as_of(copy: &Arc<T>) -> Self {
        Self(Arc::downgrade(copy))
    }
}

impl<T> PartialEq for Same<T> {
    fn eq(&self, other: &Self) -> bool {
        // A copy that is gone keeps its address to itself as long as somebody knows it.
        Weak::ptr_eq(&self.0, &other.0)
    }
}

impl<S> Default for Kept<S> {
    fn default() -> Self {
        Self { bytes: 0, answers: HashMap::new() }
    }
}

impl<S: PartialEq> Answers<S> {
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self { most_bytes, kept: Mutex::default() }
    }

    /// The answer to `uri` at the market's instant `at`: the one that was given before if it still holds, else what `compute` says.
    pub(crate) async fn give<T: Serialize>(
        &self,
        uri: &Uri,
        state: S,
        at: Timestamp,
        compute: impl Future<Output = Result<Said<T>, Problem>>,
    ) -> Result<Encoded, Problem> {
        let key = uri.to_string();
        if let Some(encoded) = self.find(&key, &state, at) {
            return Ok(encoded);
        }
        let Said { body, until } = compute.await?;
        let mut body = serde_json::to_vec(&body).map_err(|error| Problem::internal(&error))?;
        // It grew by doubling, and is to be kept.
        body.shrink_to_fit();
        let body = Bytes::from(body);
        let encoded = Encoded { etag: cached::etag(&body), body };
        if let Some(until) = until {
            self.keep(key, Answer { state, since: at, until, encoded: encoded.clone() });
        }
        Ok(encoded)
    }

    fn kept(&self) -> MutexGuard<'_, Kept<S>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, key: &str, state: &S, at: Timestamp) -> Option<Encoded> {
        let kept = self.kept();
        let answer = kept.answers.get(key).filter(|answer| answer.state == *state && answer.since <= at && at < answer.until)?;
        Some(answer.encoded.clone())
    }

    fn keep(&self, key: String, answer: Answer<S>) {
        let mut kept = self.kept();
        let (length, size) = (key.len(), key.len() + answer.encoded.body.len());
        if kept.bytes + size > self.most_bytes {
            *kept = Kept::default();
        }
        kept.bytes += size;
        if let Some(before) = kept.answers.insert(key, answer) {
            kept.bytes -= length + before.encoded.body.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 3_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn answer(bytes: usize) -> Answer<&'static str> {
        let body = Bytes::from(vec![b'x'; bytes]);
        Answer { state: "a", since: at(10), until: at(20), encoded: Encoded { etag: cached::etag(&body), body } }
    }

    #[test]
    fn an_answer_holds_for_its_data_and_its_time() {
        let answers = Answers::new(MOST);
        answers.keep("/x".into(), answer(1));
        for (key, state, second, expected) in [
            ("/x", "a", 10, true),
            ("/x", "a", 19, true),
            ("/x", "a", 9, false),
            ("/x", "a", 20, false),
            ("/x", "b", 10, false),
            ("/y", "a", 10, false),
        ] {
            assert_eq!(answers.find(key, &state, at(second)).is_some(), expected, "{key} {state} {second}");
        }
    }

    #[test]
    fn the_same_copy_is_the_same_data() {
        let (one, equal) = (Arc::new(1), Arc::new(1));
        let known = Same::as_of(&one);
        assert!(known == Same::as_of(&one.clone()));
        assert!(known != Same::as_of(&equal));
        drop(one);
        assert!((0..100).all(|_| known != Same::as_of(&Arc::new(1))), "no later copy takes its place");
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let answers = Answers::new(MOST);
        for number in 0..100 {
            answers.keep(format!("/{}", number % 40), answer(MOST / 30));
            let kept = answers.kept();
            let bytes: usize = kept.answers.iter().map(|(key, answer)| key.len() + answer.encoded.body.len()).sum();
            assert_eq!(kept.bytes, bytes);
            assert!(bytes <= MOST);
        }
    }

    #[tokio::test]
    async fn what_is_not_to_be_kept_is_computed_each_time() {
        let answers = Answers::new(MOST);
        let uri = Uri::from_static("/x");
        for (until, first, second) in [(None, 1, 2), (Some(at(20)), 3, 3)] {
            for (says, expected) in [(first, first), (first + 1, second)] {
                let given = answers.give(&uri, "a", at(10), async { Ok(Said { body: says, until }) }).await.unwrap();
                assert_eq!(given.body, expected.to_string());
            }
        }
    }
}

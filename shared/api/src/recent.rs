//! What was found last, for those who ask again soon.

use std::time::{Duration, SystemTime};

use tokio::sync::Mutex;

/// Finds something at most once within `life`.
#[derive(Debug)]
pub(crate) struct Recent<T> {
    life: Duration,
    /// With when it was found, by the wall's clock: that goes on while a function is frozen.
    last: Mutex<Option<(SystemTime, T)>>,
}

impl<T: Clone> Recent<T> {
    pub(crate) fn new(life: Duration) -> Self {
        Self { life, last: Mutex::default() }
    }

    /// What was found within the last `life`, else what `find` finds. Whoever comes meanwhile waits for the same.
    pub(crate) async fn get_or<E>(&self, find: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let mut last = self.last.lock().await;
        if let Some((at, found)) = last.as_ref()
            && at.elapsed().is_ok_and(|age| age < self.life)
        {
            return Ok(found.clone());
        }
        let found = find.await?;
        *last = Some((SystemTime::now(), found.clone()));
        Ok(found)
    }
}

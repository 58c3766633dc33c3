//! What can happen to a call of a port, and the turns that concurrent clients take: all of it decided by the seed.
//!
//! Each call of a port is one step. Before it the client yields, so that another one may go first; then the call is done, or fails
//! before or after it was done, or the whole process dies with everything in flight. A real store under it may take its time: which
//! client goes next is decided by the seed and never by who was faster.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use app::ports::{HistoryError, StoreError, VendorError};

pub(crate) type Task<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Says of a call that went wrong what its port would say.
pub(crate) trait PortError {
    /// The answer got lost; whether anything was done is unknown.
    fn unreachable() -> Self;

    /// A condition did not hold, where the port has conditions.
    fn conflict() -> Self;
}

impl PortError for StoreError {
    fn unreachable() -> Self {
        Self::Unavailable("simulated".into())
    }

    fn conflict() -> Self {
        Self::Conflict("something, says the simulation,".into())
    }
}

impl PortError for HistoryError {
    fn unreachable() -> Self {
        Self::Unavailable("simulated".into())
    }

    fn conflict() -> Self {
        Self::Conflict("something, says the simulation,".into())
    }
}

impl PortError for VendorError {
    fn unreachable() -> Self {
        Self::Unavailable("the simulated feed", "simulated".into())
    }

    fn conflict() -> Self {
        Self::unreachable()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Read,
    Write,
    /// A write that may be refused because somebody else was faster.
    ConditionalWrite,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    FailedBefore,
    AnswerLost,
    DiedBefore,
    DiedAfter,
    Conflict,
}

/// Decides the fate of every call.
pub(crate) struct Faults {
    state: Mutex<State>,
}

struct State {
    random: fastrand::Rng,
    /// Of a thousand calls, how many go wrong.
    per_mille: u32,
    has_died: bool,
    has_yielded: bool,
    injected: u64,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        let state = State { random: fastrand::Rng::with_seed(seed), per_mille: 0, has_died: false, has_yielded: false, injected: 0 };
        Self { state: Mutex::new(state) }
    }

    /// From now on `per_mille` of a thousand calls go wrong.
    pub(crate) fn set_rate(&self, per_mille: u32) {
        self.state().per_mille = per_mille;
    }

    /// How many calls went wrong so far.
    pub(crate) fn injected(&self) -> u64 {
        self.state().injected
    }

    /// One call of a port.
    pub(crate) async fn call<T, E: PortError>(&self, call: Call, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        // Drawn before the work, which may take its time: the next draw must not depend on how long.
        let fate = self.draw(call);
        self.give_way().await;
        match fate {
            Fate::Done => work.await,
            Fate::FailedBefore => Err(E::unreachable()),
            Fate::Conflict => Err(E::conflict()),
            Fate::AnswerLost => {
                work.await?;
                Err(E::unreachable())
            }
            Fate::DiedBefore => self.die().await,
            Fate::DiedAfter => {
                work.await?;
                self.die().await
            }
        }
    }

    fn draw(&self, call: Call) -> Fate {
        let mut state = self.state();
        if state.per_mille == 0 || state.random.u32(0..1_000) >= state.per_mille {
            return Fate::Done;
        }
        state.injected += 1;
        let fates: &[Fate] = match call {
            Call::Read => &[Fate::FailedBefore, Fate::FailedBefore, Fate::DiedBefore],
            Call::Write => &[Fate::FailedBefore, Fate::AnswerLost, Fate::DiedBefore, Fate::DiedAfter],
            Call::ConditionalWrite => &[Fate::FailedBefore, Fate::AnswerLost, Fate::DiedBefore, Fate::DiedAfter, Fate::Conflict],
        };
        fates[state.random.usize(0..fates.len())]
    }

    /// Lets whoever has the next turn go on.
    async fn give_way(&self) {
        let mut has_waited = false;
        poll_fn(|context| {
            if std::mem::replace(&mut has_waited, true) {
                return Poll::Ready(());
            }
            self.state().has_yielded = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// The process ends here; nothing after it happens.
    async fn die<T>(&self) -> T {
        self.state().has_died = true;
        std::future::pending().await
    }

    /// Runs `tasks` in turns until all have ended or the process has died; `None` for those that died with it.
    pub(crate) async fn run<T>(&self, mut tasks: Vec<Task<'_, T>>) -> Vec<Option<T>> {
        self.state().has_died = false;
        let mut answers: Vec<Option<T>> = tasks.iter().map(|_| None).collect();
        let mut running: Vec<usize> = (0..tasks.len()).collect();
        while !running.is_empty() {
            let turn = if running.len() == 1 { 0 } else { self.state().random.usize(0..running.len()) };
            let index = running[turn];
            match self.step(&mut tasks[index]).await {
                Step::Ended(answer) => {
                    answers[index] = Some(answer);
                    running.swap_remove(turn);
                }
                Step::Yielded => {}
                Step::Died => break,
            }
        }
        answers
    }

    /// Lets one task go on until it calls a port, ends, or dies.
    async fn step<T>(&self, task: &mut Task<'_, T>) -> Step<T> {
        poll_fn(|context| {
            self.state().has_yielded = false;
            let polled = task.as_mut().poll(context);
            let state = self.state();
            match polled {
                _ if state.has_died => Poll::Ready(Step::Died),
                Poll::Ready(answer) => Poll::Ready(Step::Ended(answer)),
                Poll::Pending if state.has_yielded => Poll::Ready(Step::Yielded),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Step<T> {
    Ended(T),
    Yielded,
    Died,
}

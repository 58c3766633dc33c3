//! The market's clock on one machine: a replay that moves by itself and on request, or the real time.

use std::{
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use api::{
    problem::Problem,
    routes::clock::{AdvanceTo, ClockReading, MarketClock},
};
use app::jobs::{JobReport, Jobs, schedule};
use async_trait::async_trait;
use axum::http::StatusCode;
use domain::{Timestamp, TradingDate, calendar};
use serde::{Deserialize, Serialize};
use tracing::error;

/// How often a running replay moves while the market is open.
const TICK: Duration = Duration::from_millis(250);
/// The regular session's part of a replayed day; the rest is for what happens between sessions.
const SESSION_SHARE: f64 = 0.85;
/// Seconds of a replayed day at speed 1.
const DAY_SECONDS: f64 = 60.0;
/// Stops between two sessions: the ingestion and midnight.
const STOPS_BETWEEN: f64 = 2.0;

/// Why the clock does not move there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    #[error("the clock only moves forward and it is {now} already; start with --reset --from DATE to go back")]
    Backwards { now: Timestamp },
    #[error("the data ends on {last}; choose an earlier instant")]
    BeyondData { last: TradingDate },
}

/// Told of every job that ran, and how long it took.
pub type Listener = Box<dyn Fn(&JobReport, Duration) + Send + Sync>;

/// Simulated time over bundled data. It survives the process: a restart goes on where it was.
pub struct ReplayClock {
    now: Mutex<Timestamp>,
    file: PathBuf,
    last: TradingDate,
    /// One move at a time: jobs of two moves must not interleave.
    moving: tokio::sync::Mutex<()>,
    jobs: std::sync::OnceLock<Jobs>,
    listener: Listener,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    now: Timestamp,
}

impl ReplayClock {
    /// The clock as `file` has it, else at `from`. `last` is the last session of the data.
    pub fn open(file: PathBuf, from: Timestamp, last: TradingDate, listener: Listener) -> io::Result<Self> {
        let now = Self::stored(&file)?.unwrap_or(from);
        Ok(Self { now: Mutex::new(now), file, last, moving: tokio::sync::Mutex::default(), jobs: std::sync::OnceLock::new(), listener })
    }

    /// Where a replay stopped; `None` if none was started.
    pub fn stored(file: &PathBuf) -> io::Result<Option<Timestamp>> {
        match fs::read(file) {
            Ok(bytes) => {
                let stored: Stored =
                    serde_json::from_slice(&bytes).map_err(|error| io::Error::other(format!("{} is damaged: {error}", file.display())))?;
                Ok(Some(stored.now))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives the clock the jobs that fall due; they need the clock's own readers, so that they come after it.
    pub fn attach(&self, jobs: Jobs) {
        let _ = self.jobs.set(jobs);
    }

    pub fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, now: Timestamp) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// The instant after which there is no data any more.
    fn end(&self) -> Timestamp {
        schedule::ingestion_of(self.last)
    }

    /// Moves to `target`, stopping at each instant at which jobs are due. What a crash interrupts is run again: the file is written after.
    async fn move_to(&self, target: Timestamp) -> Vec<JobReport> {
        let mut ran = vec![];
        loop {
            let due = schedule::next_after(self.now());
            if due.at > target {
                break;
            }
            self.set(due.at);
            for job in schedule::due_at(due.at) {
                ran.extend(self.run(job, due.at).await);
            }
            self.save();
        }
        self.set(target.max(self.now()));
        self.save();
        ran
    }

    async fn run(&self, job: schedule::JobKind, at: Timestamp) -> Option<JobReport> {
        let jobs = self.jobs.get()?;
        let started = Instant::now();
        let report = match jobs.run(job, at, Timestamp::now()).await {
            Ok(report) => report,
            Err(error) => JobReport { job, at, outcome: format!("failed: {error}") },
        };
        (self.listener)(&report, started.elapsed());
        Some(report)
    }

    fn save(&self) {
        let text = serde_json::to_vec(&Stored { now: self.now() }).expect("an instant serialises");
        let unfinished = self.file.with_extension("part");
        if let Err(error) = fs::write(&unfinished, text).and_then(|()| fs::rename(&unfinished, &self.file)) {
            error!(%error, "the clock cannot be saved");
        }
    }

    /// Lets time pass at `speed` trading days a minute, until the data ends.
    pub async fn play(self: Arc<Self>, speed: f64) {
        if speed <= 0.0 {
            return;
        }
        while self.now() < self.end() {
            let now = self.now();
            if calendar::is_open(now) {
                tokio::time::sleep(TICK).await;
                let step = session_step(now, speed);
                let _moving = self.moving.lock().await;
                self.move_to(now.max(self.now()).saturating_add(step).unwrap_or(now).min(self.end())).await;
            } else {
                tokio::time::sleep(Duration::from_secs_f64(DAY_SECONDS * (1.0 - SESSION_SHARE) / STOPS_BETWEEN / speed)).await;
                let _moving = self.moving.lock().await;
                self.move_to(schedule::next_after(self.now()).at.min(self.end())).await;
            }
        }
        println!("  The data ends on {}; the clock stands still. Start with --reset to begin again.", self.last);
    }

    /// Moves to a later instant and tells what ran.
    pub async fn advance_to(&self, target: Timestamp) -> Result<Vec<JobReport>, ClockError> {
        let _moving = self.moving.lock().await;
        if target < self.now() {
            return Err(ClockError::Backwards { now: self.now() });
        }
        if target > self.end() {
            return Err(ClockError::BeyondData { last: self.last });
        }
        Ok(self.move_to(target).await)
    }
}

/// How far market time moves in one tick of an open session.
fn session_step(now: Timestamp, speed: f64) -> jiff::SignedDuration {
    let today = TradingDate::on_or_before(calendar::new_york_date(now));
    let session = today.open().duration_until(today.close()).as_secs_f64();
    jiff::SignedDuration::from_secs_f64(session * TICK.as_secs_f64() / (DAY_SECONDS * SESSION_SHARE) * speed)
}

impl api::clock::Clock for ReplayClock {
    fn now(&self) -> Timestamp {
        Self::now(self)
    }
}

#[async_trait]
impl MarketClock for ReplayClock {
    async fn read(&self) -> ClockReading {
        let now = self.now();
        let next_event = Some(schedule::next_after(now).at).filter(|at| *at <= self.end());
        ClockReading { now, is_replay: true, next_event }
    }

    async fn advance(&self, to: AdvanceTo) -> Result<Vec<JobReport>, Problem> {
        let target = match to {
            AdvanceTo::NextEvent => schedule::next_after(self.now()).at,
            AdvanceTo::Instant(instant) => instant,
        };
        self.advance_to(target).await.map_err(|error| Problem::unusable("/to", error.to_string()))
    }
}

/// The real time: jobs run when they are due.
pub struct LiveClock;

impl api::clock::Clock for LiveClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

#[async_trait]
impl MarketClock for LiveClock {
    async fn read(&self) -> ClockReading {
        let now = Timestamp::now();
        ClockReading { now, is_replay: false, next_event: Some(schedule::next_after(now).at) }
    }

    async fn advance(&self, _: AdvanceTo) -> Result<Vec<JobReport>, Problem> {
        Err(Problem::new(
            StatusCode::CONFLICT,
            "not-a-replay",
            "this server runs on the real time, which nobody can move; start it without --live to replay",
        ))
    }
}

/// Runs each job at its time, for ever.
pub async fn run_live(jobs: Jobs, listener: Listener) {
    loop {
        let due = schedule::next_after(Timestamp::now());
        let wait = Timestamp::now().duration_until(due.at);
        tokio::time::sleep(wait.try_into().unwrap_or_default()).await;
        for job in schedule::due_at(due.at) {
            let (now, started) = (Timestamp::now(), Instant::now());
            let report =
                jobs.run(job, now, now).await.unwrap_or_else(|error| JobReport { job, at: now, outcome: format!("failed: {error}") });
            listener(&report, started.elapsed());
        }
    }
}

//! One world: a market, a few users, a store, and the real use cases between them, moved step by step by one seed.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use app::{UseCaseError, market::Market as MarketReads, portfolio::Desk, ports::PortfolioStore, signals::Signals};
use domain::{
    Decimal, Money, Timestamp, TradingDate, UserId, calendar,
    execution::{FeeSchedule, RiskLimits, SlippageModel},
    lots::LotMethod,
    trading::{Event, Portfolio, TradingRules},
};
use fastrand::Rng;
use jiff::SignedDuration;

use super::{
    audit,
    faults::{Faults, Task},
    fills::Schedule,
    ledger::{Ledger, Method},
    market::{FeedKind, Market, WARM_UP, evening_of},
    operations::{Answer, Operation, Outcome, Wish, wish},
    ports::Outside,
    store::{Memory, Unreliable},
};

/// How many lines of the past a failure shows.
const REMEMBERED: usize = 25;
/// A client that is not answered gives up being unlucky after this many tries.
const UNLUCKY_TRIES: u32 = 6;

pub(crate) struct World {
    random: Rng,
    market: Arc<Market>,
    faults: Arc<Faults>,
    outside: Arc<Outside>,
    /// What is really stored, without the faults.
    store: Arc<dyn PortfolioStore>,
    /// The same where it is the simulation's own and can be copied.
    memory: Option<Arc<Memory>>,
    desk: Desk,
    rules: TradingRules,
    schedule: Schedule,
    users: Vec<UserId>,
    ledgers: BTreeMap<UserId, Ledger>,
    seen: BTreeMap<UserId, Portfolio>,
    now: Timestamp,
    /// Of a thousand calls of a port, how many go wrong in this world.
    unluck: u32,
    operations: u64,
    log: VecDeque<String>,
}

/// Each seed has users of its own: a real store may be shared by worlds.
pub(crate) fn owners(seed: u64) -> [UserId; 3] {
    ["ann", "bob", "cat"].map(|name| UserId(format!("{name}-{seed}")))
}

impl World {
    /// `store` is the real one; without it portfolios are in memory.
    pub(crate) fn new(seed: u64, store: Option<Arc<dyn PortfolioStore>>) -> Self {
        let mut random = Rng::with_seed(seed);
        let market = Arc::new(Market::generate(&mut random));
        let faults = Arc::new(Faults::new(random.u64(..)));
        let now = market.sessions[WARM_UP].open();
        let outside = Arc::new(Outside::new(market.clone(), faults.clone(), now));
        let memory = store.is_none().then(|| Arc::new(Memory::default()));
        let store = store.or_else(|| memory.clone().map(|memory| memory as Arc<dyn PortfolioStore>)).expect("one of the two");
        let (rules, schedule, method) = rules(&mut random);
        let users: Vec<UserId> = owners(seed).into();
        let ledgers = users.iter().map(|user| (user.clone(), Ledger::new(method))).collect();
        let desk = desk(&outside, &faults, &store, &rules);
        let unluck = [0, 2, 20, 80][random.usize(0..4)];
        let (instants, log) = (BTreeMap::new(), VecDeque::new());
        Self {
            random,
            market,
            faults,
            outside,
            store,
            memory,
            desk,
            rules,
            schedule,
            users,
            ledgers,
            seen: instants,
            now,
            unluck,
            operations: 0,
            log,
        }
    }

    pub(crate) fn operations(&self) -> u64 {
        self.operations
    }

    pub(crate) fn log(&self) -> impl Iterator<Item = &String> {
        self.log.iter()
    }

    pub(crate) fn entries(&self) -> u64 {
        self.ledgers.values().map(|ledger| ledger.entries).sum()
    }

    pub(crate) fn trades(&self) -> u64 {
        self.ledgers.values().map(|ledger| ledger.trades).sum()
    }

    pub(crate) fn injected(&self) -> u64 {
        self.faults.injected()
    }

    /// Whether there is market left to move through.
    pub(crate) fn goes_on(&self) -> bool {
        self.now < self.market.sessions[self.market.sessions.len() - 35].open()
    }

    /// Does something, and checks everything.
    pub(crate) async fn step(&mut self) -> Result<(), String> {
        match self.random.u32(0..100) {
            0..22 => {
                self.move_clock();
                if self.random.u32(0..100) < 65 {
                    self.revalue().await?;
                }
            }
            22..34 => self.revalue().await?,
            34..37 => self.step_by_step_is_all_at_once().await?,
            37..50 => self.together().await?,
            _ => self.alone().await?,
        }
        self.audit().await
    }

    fn note(&mut self, line: &str) {
        if self.log.len() == REMEMBERED {
            self.log.pop_front();
        }
        self.log.push_back(format!("{:>6}  {}  {line}", self.operations, self.now));
    }

    fn set_now(&mut self, now: Timestamp) {
        self.now = now;
        self.outside.set_now(now);
    }

    fn move_clock(&mut self) {
        let today = calendar::current_or_last_session(self.now);
        let next = TradingDate::on_or_after(calendar::new_york_date(self.now)).next();
        let later = |sessions: u32| (0..sessions).fold(next, |date, _| date.next());
        let within = SignedDuration::from_mins(i64::from(self.random.u32(0..390)));
        let now = match self.random.u32(0..100) {
            0..35 => self.now + SignedDuration::from_mins(15),
            35..45 => today.close(),
            45..55 => evening_of(today.date()),
            55..75 => next.open(),
            75..90 => next.open() + within,
            90..94 => next.close(),
            94..99 => later(self.random.u32(1..8)).open() + within,
            _ => later(self.random.u32(8..22)).close(),
        };
        self.operations += 1;
        self.set_now(now.max(self.now));
        self.note("the clock");
    }

    /// Revaluations under faults; what is left when they end well is what one without faults leaves.
    async fn revalue(&mut self) -> Result<(), String> {
        let operation = self.operation(Wish::Revalue);
        // With a live feed a session that is seen again knows more than the first time: a stop that a later quote reached.
        let memory = self.memory.as_ref().filter(|_| self.market.feed != FeedKind::Live);
        let twin = memory.map(|memory| Arc::new(memory.copy()));
        let injected = self.faults.injected();
        let first = self.attempt(std::slice::from_ref(&operation), self.unluck).await;
        self.settle(&operation, first.into_iter().next().flatten(), true).await?;
        self.audit().await?;
        if let Some(twin) = twin.filter(|_| self.faults.injected() > injected) {
            let calm = desk(&self.outside, &self.faults, &(twin.clone() as Arc<dyn PortfolioStore>), &self.rules);
            calm.revalue(self.now).await.map_err(|error| error.to_string())?;
            for user in &self.users {
                let (ours, theirs) = (events(&*self.store, user).await?, events(&*twin, user).await?);
                same_events(&ours, &theirs).map_err(|error| format!("{user}, interrupted by faults and not: {error}"))?;
                let (ours, theirs) = (self.load(user).await?, twin.load(user).await.map_err(|error| error.to_string())?);
                if apart_from_idle_days(ours.clone()) != apart_from_idle_days(theirs.clone()) {
                    return Err(format!("{user}: the same entries left {ours:?}, and without faults {theirs:?}"));
                }
            }
        }
        for user in &self.users {
            audit::nothing_was_missed(&self.ledgers[user], &self.market, self.now).map_err(|error| format!("{user}: {error}"))?;
        }
        Ok(())
    }

    /// One request of one user; where it may, the answer is compared with the model's.
    async fn alone(&mut self) -> Result<(), String> {
        let operation = self.wished().await?;
        let first = self.attempt(std::slice::from_ref(&operation), self.unluck).await;
        let answer = self.settle(&operation, first.into_iter().next().flatten(), true).await?;
        self.audit().await?;
        if let Some(Ok(answer)) = &answer {
            self.check_answer(&operation, answer)?;
        }
        if operation.has_key && matches!(answer, Some(Ok(_))) {
            self.repeat(&operation).await?;
        }
        Ok(())
    }

    /// The same key again: the same answer for the same request, a refusal for another.
    async fn repeat(&mut self, operation: &Operation) -> Result<(), String> {
        if self.random.u32(0..3) > 0 {
            return Ok(());
        }
        let is_same = self.random.bool();
        let mut again = operation.clone();
        if !is_same {
            let Wish::Place(request) = &mut again.wish else { return Ok(()) };
            request.exit_on = Some(domain::Date::MIN);
        }
        let answers = self.attempt(&[again], 0).await;
        match (is_same, &answers[0]) {
            (true, Some(Ok(_))) | (false, Some(Err(UseCaseError::KeyReused))) => Ok(()),
            // A client's name for an order answers before the key does.
            (false, Some(Ok(_))) if operation.client_order_id().is_some() => Ok(()),
            (_, answer) => Err(format!("the same key again gave {answer:?}")),
        }
    }

    /// Several requests at once, some of them twice, and perhaps the revaluation among them.
    async fn together(&mut self) -> Result<(), String> {
        let mut operations = vec![self.wished().await?, self.wished().await?];
        match self.random.u32(0..4) {
            0 => operations.push(self.operation(Wish::Revalue)),
            1 if operations[0].can_be_repeated() => operations.push(operations[0].clone()),
            2 => operations.push(self.wished().await?),
            _ => {}
        }
        // Two clients on one portfolio meet more often than chance would have it.
        if self.random.bool() {
            let user = operations[0].user.clone();
            for operation in &mut operations {
                operation.user = user.clone();
            }
        }
        let answers = self.attempt(&operations, self.unluck).await;
        for (operation, answer) in operations.iter().zip(answers) {
            let is_alone = operations.iter().filter(|other| other.name == operation.name).count() == 1;
            self.settle(operation, answer, is_alone).await?;
        }
        Ok(())
    }

    async fn wished(&mut self) -> Result<Operation, String> {
        let user = self.users[self.random.usize(0..self.users.len())].clone();
        let portfolio = self.load(&user).await?;
        let wish = wish(&mut self.random, portfolio.as_ref(), &self.market, self.now);
        Ok(Operation { user, ..self.operation(wish) })
    }

    fn operation(&mut self, wish: Wish) -> Operation {
        self.operations += 1;
        let has_key = self.random.u32(0..3) > 0;
        Operation { user: self.users[0].clone(), name: format!("op-{}", self.operations), has_key, wish }
    }

    /// Runs requests side by side; `None` for those that the process died in.
    async fn attempt(&mut self, operations: &[Operation], unluck: u32) -> Vec<Option<Outcome>> {
        self.faults.set_rate(unluck);
        let tasks: Vec<Task<'_, Outcome>> =
            operations.iter().map(|operation| Box::pin(operation.run(&self.desk, self.now)) as Task<'_, Outcome>).collect();
        let answers = self.faults.run(tasks).await;
        self.faults.set_rate(0);
        for (operation, answer) in operations.iter().zip(&answers) {
            let answer = answer.as_ref().map_or_else(|| "died".into(), |answer| format!("{answer:?}"));
            let answer: String = answer.chars().take(300).collect();
            self.note(&format!("{operation:?} -> {answer}"));
        }
        if answers.iter().any(Option::is_none) {
            self.desk = desk(&self.outside, &self.faults, &self.store, &self.rules);
        }
        answers
    }

    /// A client that does not know what became of its request asks again if it may. Then the ledger has it once if it was said to be
    /// done, not at all if it was said not to be, and at most once if nobody knows.
    async fn settle(&mut self, operation: &Operation, first: Option<Outcome>, is_alone: bool) -> Result<Option<Outcome>, String> {
        let mut answer = first;
        let mut tries = 0;
        while is_unknown(operation, answer.as_ref()) && operation.can_be_repeated() {
            tries += 1;
            let unluck = if tries < UNLUCKY_TRIES { self.unluck } else { 0 };
            answer = self.attempt(std::slice::from_ref(operation), unluck).await.pop().flatten();
            if tries > UNLUCKY_TRIES + 1 {
                return Err(format!("never answered: {answer:?}"));
            }
        }
        self.audit().await?;
        let Some(event) = operation.leaves() else { return Ok(answer) };
        let ledger = &self.ledgers[&operation.user];
        let recorded = ledger.by_cause.get(&format!("request:{}", operation.name));
        let ids: Vec<&String> = recorded.into_iter().flatten().filter(|(name, _)| name == event).map(|(_, id)| id).collect();
        let by_name = operation.client_order_id().and_then(|name| ledger.client_ids.get(name));
        let is_right = match &answer {
            Some(Ok(Answer::Order(id))) if by_name.is_some() => by_name == Some(&id.0) && ids.len() <= 1,
            Some(Ok(Answer::Order(id))) => ids == [&id.0],
            Some(Ok(_)) => ids.len() == 1,
            // Of two that are sent at once, one may be refused for what has changed when the other is decided.
            Some(Err(_)) if !is_unknown(operation, answer.as_ref()) => ids.is_empty() || !is_alone,
            _ => ids.len() <= 1,
        };
        if is_right { Ok(answer) } else { Err(format!("{operation:?} was answered {answer:?} and recorded {ids:?}")) }
    }

    fn check_answer(&self, operation: &Operation, answer: &Answer) -> Result<(), String> {
        let (ledger, market) = (&self.ledgers[&operation.user], &self.market);
        // Between a split and its booking, prices and shares are on two bases.
        let is_settled = audit::unapplied(ledger, market, self.now).is_empty();
        match answer {
            Answer::Verified(seen) if !seen.valid => Err(format!("{:?}", seen.differences)),
            Answer::Summary(seen) if is_settled => audit::summary(ledger, market, self.now, seen),
            Answer::Performance(seen) if is_settled => audit::performance(ledger, market, self.now, seen),
            Answer::Allocation(seen) if is_settled => audit::allocation(ledger, market, self.now, seen),
            _ => Ok(()),
        }
    }

    /// A revaluation every hour or so leaves what a single one at the end leaves.
    async fn step_by_step_is_all_at_once(&mut self) -> Result<(), String> {
        let Some(memory) = self.memory.clone().filter(|_| self.market.feed == FeedKind::Daily) else { return Ok(()) };
        self.revalue().await?;
        let sessions = self.random.u32(1..6);
        let first = calendar::current_or_last_session(self.now);
        let dates: Vec<TradingDate> = std::iter::successors(Some(first), |date| Some(date.next())).take(sessions as usize + 1).collect();
        // A portfolio whose stocks all rest is looked at again when one of them trades: then it matters when somebody looks.
        let trades = |date: &TradingDate| self.market.histories.values().all(|history| history.bar_on(date.date()).is_some());
        if !dates.iter().all(trades) {
            return Ok(());
        }
        let instants = dates
            .into_iter()
            .flat_map(|date| [date.open(), date.open() + SignedDuration::from_hours(2), date.close(), evening_of(date.date())]);
        let instants: Vec<Timestamp> = instants.filter(|at| *at > self.now).collect();
        let alone = Arc::new(memory.copy());
        for at in instants {
            self.set_now(at);
            let done = self.desk.revalue(at).await.map_err(|error| error.to_string())?;
            self.operations += 1;
            self.note(&format!("revalued on the way: {done:?}"));
        }
        desk(&self.outside, &self.faults, &(alone.clone() as Arc<dyn PortfolioStore>), &self.rules)
            .revalue(self.now)
            .await
            .map_err(|error| error.to_string())?;
        for user in &self.users {
            let (ours, theirs) = (events(&*memory, user).await?, events(&*alone, user).await?);
            same_events(&ours, &theirs).map_err(|error| format!("{user}, step by step and all at once: {error}"))?;
        }
        Ok(())
    }

    /// Books what is new in every ledger and compares what is stored with it.
    async fn audit(&mut self) -> Result<(), String> {
        for user in &self.users {
            let Some(stored) = self.load(user).await? else { continue };
            let ledger = self.ledgers.get_mut(user).expect("every user has a ledger");
            if ledger.entries == stored.entries {
                if self.seen.get(user) != Some(&stored) {
                    return Err(format!("{user}: the state changed without an entry"));
                }
                continue;
            }
            let entries = self.store.entries(user, ledger.entries, usize::MAX >> 40).await.map_err(|error| error.to_string())?;
            for entry in &entries {
                ledger.book(entry, &self.market, self.schedule).map_err(|reason| format!("{user}: {reason}"))?;
            }
            audit::compare(ledger, &stored).map_err(|reason| format!("{user}: {reason}"))?;
            self.seen.insert(user.clone(), stored);
        }
        Ok(())
    }

    /// Every ledger from its first entry on.
    pub(crate) async fn verify_all(&mut self) -> Result<(), String> {
        for user in self.users.clone() {
            let operation = Operation { user, ..self.operation(Wish::Verify) };
            let answer = self.attempt(std::slice::from_ref(&operation), 0).await.pop().flatten();
            match answer {
                Some(Ok(Answer::Verified(seen))) if seen.valid => {}
                other => return Err(format!("not verified: {other:?}")),
            }
        }
        self.audit().await
    }

    async fn load(&self, user: &UserId) -> Result<Option<Portfolio>, String> {
        self.store.load(user).await.map_err(|error| error.to_string())
    }
}

/// A crash, or an answer that says nothing about what was done.
fn is_unknown(operation: &Operation, answer: Option<&Outcome>) -> bool {
    match answer {
        None | Some(Err(UseCaseError::Unavailable(_))) => true,
        Some(Ok(Answer::Revalued(done))) => matches!(operation.wish, Wish::Revalue) && done.failures > 0,
        _ => false,
    }
}

/// Days on which nothing is held or ordered may be valued or left out.
fn apart_from_idle_days(portfolio: Option<Portfolio>) -> Option<Portfolio> {
    let portfolio = portfolio?;
    if !portfolio.positions.is_empty() || !portfolio.orders.is_empty() {
        return Some(portfolio);
    }
    let Portfolio { entries, head, unvalued_since, last_valuation, previous_valuation, .. } = Portfolio::empty(portfolio.owner.clone());
    Some(Portfolio { entries, head, unvalued_since, last_valuation, previous_valuation, ..portfolio })
}

fn same_events(ours: &[String], theirs: &[String]) -> Result<(), String> {
    let differs = (0..ours.len().max(theirs.len())).find(|at| ours.get(*at) != theirs.get(*at));
    let Some(at) = differs else { return Ok(()) };
    let before = &ours[at.saturating_sub(6)..at.min(ours.len())];
    Err(format!("event {} is {:?} and {:?}, after {before:#?}", at + 1, ours.get(at), theirs.get(at)))
}

/// What the ledger says happened, without when it was written down.
async fn events(store: &dyn PortfolioStore, user: &UserId) -> Result<Vec<String>, String> {
    let entries = store.entries(user, 0, usize::MAX >> 40).await.map_err(|error| error.to_string())?;
    let event = |event: &Event| {
        let mut json = serde_json::to_value(event).expect("events serialise");
        if let Some(order) = json.get_mut("order").and_then(|order| order.as_object_mut()) {
            order.remove("updated_at");
            order.remove("reason");
        }
        json.to_string()
    };
    // Days on which nothing is held or ordered may be valued or left out.
    let told = entries.iter().filter(|entry| !matches!(entry.event, Event::Valued { .. }));
    Ok(told.map(|entry| event(&entry.event)).collect())
}

/// The use cases as a process that has just started has them.
fn desk(outside: &Arc<Outside>, faults: &Arc<Faults>, store: &Arc<dyn PortfolioStore>, rules: &TradingRules) -> Desk {
    let store: Arc<dyn PortfolioStore> = Arc::new(Unreliable { store: store.clone(), faults: faults.clone() });
    let quotes = (outside.market.feed != FeedKind::EndOfDay).then(|| outside.clone() as _);
    let market = MarketReads::new(outside.clone(), outside.clone(), quotes);
    let signals = Signals::new(market.clone(), outside.clone(), store.clone(), None);
    Desk::new(market, signals, store, rules.clone())
}

/// Strict and loose limits, small and large accounts, each broker, each way to sell lots.
fn rules(random: &mut Rng) -> (TradingRules, Schedule, Method) {
    let (fees, schedule) = [
        (FeeSchedule::UsRetail, Schedule::UsRetail),
        (FeeSchedule::UsRetail, Schedule::UsRetail),
        (FeeSchedule::IbkrFixed, Schedule::IbkrFixed),
        (FeeSchedule::TENTH_OF_A_PERCENT, Schedule::TenthOfAPercent),
    ][random.usize(0..4)];
    let (lot_method, method) = [
        (LotMethod::Fifo, Method::Fifo),
        (LotMethod::Fifo, Method::Fifo),
        (LotMethod::Lifo, Method::Lifo),
        (LotMethod::HighestCost, Method::HighestCost),
    ][random.usize(0..4)];
    let loose = RiskLimits {
        position_weight: Decimal::ONE,
        sector_weight: Decimal::ONE,
        daily_loss: Decimal::ONE,
        drawdown_halt: Decimal::ONE,
        cooldown_sessions: 0,
        ..RiskLimits::default()
    };
    let rules = TradingRules {
        initial_cash: Money::cents([10_000_000, 10_000_000, 500_000, 25_007, 100_000_000][random.usize(0..5)]),
        fees,
        slippage: if random.bool() { SlippageModel::default() } else { SlippageModel::FixedBps { bps: Decimal::from(random.u32(0..40)) } },
        limits: if random.u32(0..4) == 0 { RiskLimits::default() } else { loose },
        lot_method,
        ..TradingRules::default()
    };
    (rules, schedule, method)
}

//! Orders and fills as a specification: what happens on the market and at the desk, a line a step, and what comes of it.
//!
//! A step begins with its date. `09:00 buy 10 limit 99.50 gtc` places an order at that time in New York; `bar 101 105 99 104` is a
//! whole session's open, high, low and close, in which a million shares a day trade unless it says `volume`; `open 101` is a session
//! seen at its open. `hold 100` buys before all else, at 100 dollars. There are no costs, so that numbers can be worked out in the
//! head. What comes of it is written with instants in UTC, because that is what daylight saving moves.

use super::*;

/// A desk that plays steps and keeps what they led to.
struct Stage {
    desk: Desk,
    refusals: Vec<String>,
    /// Ledger entries before the steps.
    begins_at: usize,
}

impl Stage {
    fn play(script: &str) -> Self {
        let mut stage = Self { desk: Desk::new(frictionless()), refusals: vec![], begins_at: 2 };
        for step in script.split(';').map(str::trim) {
            let (day, action) = step.split_once(' ').expect("a date and an action");
            let words: Vec<&str> = action.split(' ').collect();
            stage.step(day.parse().unwrap(), &words);
        }
        stage.desk.check_ledger();
        stage
    }

    fn step(&mut self, day: jiff::civil::Date, words: &[&str]) {
        match words {
            ["hold", shares] => {
                let session = TradingDate::new(day).unwrap();
                self.desk.order(before_open(session), buy(shares.parse().unwrap())).unwrap();
                self.desk.session(tape(session, ["100", "100", "100", "100"]));
                self.begins_at = self.desk.entries.len();
            }
            ["bar", open, high, low, close, volume @ ..] => {
                let mut tape = tape(TradingDate::new(day).unwrap(), [open, high, low, close]);
                if let ["volume", shares] = volume {
                    tape.before.liquidity.average_daily_volume = shares.parse().unwrap();
                }
                self.desk.session(tape);
            }
            ["open", open] => self.desk.session(DayTape { rest: None, ..tape(TradingDate::new(day).unwrap(), [open; 4]) }),
            ["halted"] => {
                let date = TradingDate::new(day).unwrap();
                let halted = DayTape { open: None, rest: None, ..tape(date, ["100"; 4]) };
                self.desk.at(date.close(), |journal, rules| session::run(journal, date, &[(symbol(), halted)].into(), true, rules));
            }
            [time, "replace", change @ ..] => self.replace(at(day, time), change),
            [time, order @ ..] => {
                if let Err(refusal) = self.desk.order(at(day, time), request(order)) {
                    self.refusals.push(format!("refused: {}", refusal.name()));
                }
            }
            [] => unreachable!("splitting gives at least one word"),
        }
    }

    /// Replaces the newest open order.
    fn replace(&mut self, now: Timestamp, words: &[&str]) {
        let mut change = OrderChange::default();
        for pair in words.chunks(2) {
            match pair {
                ["quantity", shares] => change.quantity = Some(shares.parse().unwrap()),
                ["limit", price] => change.limit_price = Some(price.parse().unwrap()),
                ["stop", price] => change.stop_price = Some(price.parse().unwrap()),
                ["trail", percent] => change.trail_percent = Some(percent.parse().unwrap()),
                ["for", "gtc"] => change.time_in_force = Some(TimeInForce::Gtc),
                other => panic!("{other:?}"),
            }
        }
        let id = self.desk.portfolio.orders.last().unwrap().id.clone();
        let market = Desk::market(now, "100");
        match self.desk.at(now, |journal, rules| order_entry::replace(journal, &id, &change, &market, rules)) {
            Ok(order) => assert_eq!(order.unwrap().replaces, Some(id)),
            Err(refusal) => self.refusals.push(format!("refused: {}", refusal.name())),
        }
    }

    /// Fills and ends of orders, then refusals, then what is still open and why.
    fn outcome(&self) -> String {
        let events = self.desk.entries[self.begins_at..].iter().filter_map(|entry| match &entry.event {
            Event::Filled { fill } => Some(format!("{} {} at {} {}", fill.side, fill.quantity, fill.price, utc(fill.executed_at))),
            Event::OrderClosed { state, .. } => Some(format!("{} {}", state.name(), utc(entry.at))),
            Event::OrderReplaced { .. } => Some("replaced".to_owned()),
            _ => None,
        });
        let open = self.desk.portfolio.orders.iter().map(|order| format!("{}: {}", order.state.name(), order.reason));
        events.chain(self.refusals.iter().cloned()).chain(open).collect::<Vec<_>>().join(", ")
    }
}

fn at(day: jiff::civil::Date, time: &str) -> Timestamp {
    crate::calendar::new_york_instant(day, format!("{time}:00").parse().unwrap())
}

fn utc(instant: Timestamp) -> String {
    instant.strftime("%m-%d %H:%M").to_string()
}

/// `buy 10 limit 99.50 gtc target 110 protect 95`, or dollars: `buy $50`.
fn request(words: &[&str]) -> OrderRequest {
    let [side, amount, rest @ ..] = words else { panic!("{words:?}") };
    let side = if *side == "buy" { Side::Buy } else { Side::Sell };
    let mut request = OrderRequest::market(symbol(), side, Quantity::ZERO);
    request.size = match amount.strip_prefix('$') {
        Some(dollars) => OrderSize::Notional(Money::dollars(dollars.parse().unwrap())),
        None => OrderSize::Quantity(amount.parse().unwrap()),
    };
    let mut words = rest.iter();
    let next = |words: &mut std::slice::Iter<'_, &str>| price(words.next().unwrap());
    while let Some(word) = words.next() {
        match *word {
            "limit" => request.order_type = OrderType::Limit { limit_price: next(&mut words) },
            "stop" => request.order_type = OrderType::Stop { stop_price: next(&mut words) },
            "stop-limit" => {
                let (stop_price, limit_price) = (next(&mut words), next(&mut words));
                request.order_type = OrderType::StopLimit { stop_price, limit_price };
            }
            "trail" => request.order_type = OrderType::TrailingStop { trail_percent: words.next().unwrap().parse().unwrap() },
            "target" => request.take_profit = Some(next(&mut words)),
            "protect" => request.stop_loss = Some(next(&mut words)),
            "day" => request.time_in_force = TimeInForce::Day,
            "gtc" => request.time_in_force = TimeInForce::Gtc,
            "opg" => request.time_in_force = TimeInForce::Opg,
            "cls" => request.time_in_force = TimeInForce::Cls,
            other => panic!("{other}"),
        }
    }
    request
}

fn check(rows: &[(&str, &str, &str)]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(behaviour, script, expected)| {
            let outcome = Stage::play(script).outcome();
            (outcome != *expected).then(|| format!("{behaviour}\n  expected: {expected}\n  was:      {outcome}"))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Every type of order with every time in force, in a session that opens at 101, trades from 99 to 105 and closes at 104. In New York
/// the session of Monday 2022-03-07 is from 14:30 to 21:00 UTC.
#[test]
fn each_type_with_each_time_in_force() {
    let open = "buy 10 at 101 03-07 14:30";
    let close = "buy 10 at 104 03-07 21:00";
    let expired = "expired 03-07 21:00";
    let waits = "accepted: the price has not reached it: waits for the next session";
    for (order, [day, gtc, opg, cls]) in [
        ("buy 10", [open, open, open, close]),
        // The low of 99 reaches 100; neither auction does.
        ("buy 10 limit 100", ["buy 10 at 100 03-07 21:00", "buy 10 at 100 03-07 21:00", expired, expired]),
        // The open is better than 102, the close is worse.
        ("buy 10 limit 102", [open, open, open, expired]),
        ("buy 10 limit 104", [open, open, open, close]),
        ("buy 10 limit 98", [expired, waits, expired, expired]),
        // The high of 105 reaches 103; the close is above it.
        ("buy 10 stop 103", ["buy 10 at 103 03-07 21:00", "buy 10 at 103 03-07 21:00", expired, close]),
        // Gapped over: the open is above it already.
        ("buy 10 stop 100.50", [open, open, open, close]),
        ("buy 10 stop 106", [expired, waits, expired, expired]),
        ("buy 10 stop-limit 103 103.50", ["buy 10 at 103 03-07 21:00", "buy 10 at 103 03-07 21:00", expired, expired]),
        ("buy 10 stop-limit 103 104.50", ["buy 10 at 103 03-07 21:00", "buy 10 at 103 03-07 21:00", expired, close]),
        // Reached at 103, and the limit below it is never seen for certain afterwards.
        ("buy 10 stop-limit 103 102", [expired, waits, expired, expired]),
        // The best price for a buyer is the open's 101 and then the low's 99: 5 % above it is 103.95, and the close is 104.
        ("buy 10 trail 5", ["buy 10 at 104 03-07 21:00", "buy 10 at 104 03-07 21:00", expired, expired]),
        ("buy 10 trail 6", [expired, waits, expired, expired]),
    ] {
        for (time_in_force, expected) in [("day", day), ("gtc", gtc), ("opg", opg), ("cls", cls)] {
            let script = format!("2022-03-07 09:00 {order} {time_in_force}; 2022-03-07 bar 101 105 99 104");
            let outcome = Stage::play(&script).outcome();
            assert_eq!(outcome, expected, "{order} {time_in_force}");
        }
    }
}

#[test]
fn gaps_brackets_and_trailing_stops() {
    check(&[
        (
            "a favourable gap fills a limit at the open",
            "2022-03-07 09:00 buy 10 limit 99; 2022-03-07 bar 97 98 96 97",
            "buy 10 at 97 03-07 14:30",
        ),
        (
            "a limit to sell is filled at a better open",
            "2022-03-04 hold 10; 2022-03-07 09:00 sell 10 limit 103; 2022-03-07 bar 106 107 99 100",
            "sell 10 at 106 03-07 14:30",
        ),
        (
            "a stop gapped over sells at the open, not at its level",
            "2022-03-04 hold 10; 2022-03-07 09:00 sell 10 stop 95; 2022-03-07 bar 90 96 89 95",
            "sell 10 at 90 03-07 14:30",
        ),
        (
            "a stop within the range sells at its level",
            "2022-03-04 hold 10; 2022-03-07 09:00 sell 10 stop 95; 2022-03-07 bar 98 99 94 97",
            "sell 10 at 95 03-07 21:00",
        ),
        (
            "both legs of a bracket in one bar: the stop first",
            "2022-03-07 09:00 buy 10 target 110 protect 95; 2022-03-07 bar 100 104 99 103; 2022-03-08 bar 103 112 94 108",
            "buy 10 at 100 03-07 14:30, sell 10 at 95 03-08 21:00",
        ),
        (
            "the target of a bracket is a limit; one leg ends the other",
            "2022-03-07 09:00 buy 10 target 110 protect 95; 2022-03-07 bar 100 104 99 103; 2022-03-08 bar 103 112 96 108; \
             2022-03-09 bar 100 101 90 95",
            "buy 10 at 100 03-07 14:30, sell 10 at 110 03-08 21:00",
        ),
        (
            "the legs do not act on what the entry's own session traded before it",
            "2022-03-07 09:00 buy 10 target 110 protect 95; 2022-03-07 bar 100 112 94 103",
            "buy 10 at 100 03-07 14:30, sell 10 at 95 03-07 21:00",
        ),
        (
            "an entry at the close cannot leave in the range before it",
            "2022-03-07 12:00 buy 10 target 110 protect 95; 2022-03-07 bar 100 112 94 103",
            "buy 10 at 103 03-07 21:00",
        ),
        (
            "a trailing stop of 10 % rises to 108 with the high of 120 and sells in the range two days later",
            "2022-03-04 hold 10; 2022-03-07 09:00 sell 10 trail 10 gtc; 2022-03-07 bar 100 120 99 119; 2022-03-08 bar 118 119 112 113; \
             2022-03-09 bar 112 113 107 109",
            "sell 10 at 108 03-09 21:00",
        ),
        (
            "a trailing stop gapped over sells at the open",
            "2022-03-04 hold 10; 2022-03-07 09:00 sell 10 trail 10 gtc; 2022-03-07 bar 100 120 99 119; 2022-03-08 bar 105 106 104 105",
            "sell 10 at 105 03-08 14:30",
        ),
        (
            "a trailing stop for the day forgets its best price with the day",
            "2022-03-04 hold 10; 2022-03-07 09:00 sell 10 trail 10; 2022-03-07 bar 100 120 99 119; 2022-03-08 bar 105 106 104 105",
            "expired 03-07 21:00",
        ),
    ]);
}

#[test]
fn sessions_holidays_half_days_and_daylight_saving() {
    check(&[
        (
            "an order for the opening auction that comes after the open waits for the next one",
            "2022-03-07 09:31 buy 10 opg; 2022-03-07 bar 101 105 99 104; 2022-03-08 bar 102 103 100 101",
            "buy 10 at 102 03-08 14:30",
        ),
        (
            "at the instant of the open it is too late for the auction",
            "2022-03-07 09:30 buy 10 opg; 2022-03-07 bar 101 105 99 104; 2022-03-08 bar 102 103 100 101",
            "buy 10 at 102 03-08 14:30",
        ),
        (
            "during the session the next price is the close",
            "2022-03-07 12:00 buy 10; 2022-03-07 bar 101 105 99 104",
            "buy 10 at 104 03-07 21:00",
        ),
        (
            "a limit placed during the session does not see the range before it",
            "2022-03-07 12:00 buy 10 limit 100; 2022-03-07 bar 101 105 99 104",
            "expired 03-07 21:00",
        ),
        (
            "at the instant of the close the day is over: the order is for the next session",
            "2022-03-07 16:00 buy 10; 2022-03-07 bar 101 105 99 104; 2022-03-08 bar 102 103 100 101",
            "buy 10 at 102 03-08 14:30",
        ),
        (
            "an order for the day, placed on Friday evening before Martin Luther King Day, lives on Tuesday",
            "2022-01-14 17:00 buy 10 limit 99; 2022-01-18 bar 101 105 98 104",
            "buy 10 at 99 01-18 21:00",
        ),
        (
            "and ends with it",
            "2022-01-14 17:00 buy 10 limit 97; 2022-01-18 bar 101 105 98 104; 2022-01-19 bar 96 96 96 96",
            "expired 01-18 21:00",
        ),
        (
            "an order until it is cancelled outlives the holiday",
            "2022-01-14 12:00 buy 10 limit 97 gtc; 2022-01-14 bar 101 105 98 104; 2022-01-18 bar 101 105 98 104; 2022-01-19 bar 98 98 96 97",
            "buy 10 at 97 01-19 21:00",
        ),
        (
            "the day after Thanksgiving closes at 13:00",
            "2022-11-25 12:30 buy 10 cls; 2022-11-25 bar 101 105 99 104",
            "buy 10 at 104 11-25 18:00",
        ),
        (
            "an order at 13:30 of the half day is for Monday",
            "2022-11-25 13:30 buy 10; 2022-11-25 bar 101 105 99 104; 2022-11-28 bar 103 104 102 103",
            "buy 10 at 103 11-28 14:30",
        ),
        (
            "a limit for the half day ends at 13:00",
            "2022-11-25 09:00 buy 10 limit 98; 2022-11-25 bar 101 105 99 104",
            "expired 11-25 18:00",
        ),
        (
            "the day of mourning of 2025-01-09 is no session: orders wait for Friday",
            "2025-01-08 17:00 buy 10 limit 97; 2025-01-09 11:00 buy 5; 2025-01-10 bar 101 105 99 104",
            "buy 5 at 101 01-10 14:30, expired 01-10 21:00",
        ),
        // Clocks went forward on Sunday 2022-03-13: the open moves from 14:30 to 13:30 UTC.
        ("the Friday before summer time", "2022-03-11 09:00 buy 10; 2022-03-11 bar 101 105 99 104", "buy 10 at 101 03-11 14:30"),
        ("the Monday after", "2022-03-11 16:30 buy 10; 2022-03-14 bar 101 105 99 104", "buy 10 at 101 03-14 13:30"),
        ("and its close", "2022-03-14 09:45 buy 10; 2022-03-14 bar 101 105 99 104", "buy 10 at 104 03-14 20:00"),
        // And back on Sunday 2022-11-06.
        ("the Friday before winter time", "2022-11-04 09:00 buy 10 cls; 2022-11-04 bar 101 105 99 104", "buy 10 at 104 11-04 20:00"),
        ("the Monday after it", "2022-11-04 16:30 buy 10 opg; 2022-11-07 bar 101 105 99 104", "buy 10 at 101 11-07 14:30"),
        ("and that close", "2022-11-07 15:59 buy 10; 2022-11-07 bar 101 105 99 104", "buy 10 at 104 11-07 21:00"),
    ]);
}

#[test]
fn sizes_fractions_and_what_the_market_can_take() {
    check(&[
        ("fractions trade at the market for the day", "2022-03-07 09:00 buy 2.5; 2022-03-07 bar 80 81 79 80", "buy 2.5 at 80 03-07 14:30"),
        ("dollars buy fractions", "2022-03-07 09:00 buy $50; 2022-03-07 bar 80 81 79 80", "buy 0.625 at 80 03-07 14:30"),
        ("a fraction has no limit", "2022-03-07 09:00 buy 2.5 limit 99", "refused: fractional-order"),
        (
            "and no other life than the day",
            "2022-03-07 09:00 buy 2.5 gtc; 2022-03-07 09:01 buy $50 cls",
            "refused: fractional-order, refused: fractional-order",
        ),
        (
            "2.5 % of 4,000 shares a day are 100: the rest is carried over twice",
            "2022-03-07 09:00 buy 250 gtc; 2022-03-07 bar 10 10 10 10 volume 4000; 2022-03-08 bar 11 11 11 11 volume 4000; \
             2022-03-09 bar 12 12 12 12 volume 4000",
            "buy 100 at 10 03-07 14:30, buy 100 at 11 03-08 14:30, buy 50 at 12 03-09 14:30",
        ),
        (
            "an order for the day does not carry over",
            "2022-03-07 09:00 buy 250; 2022-03-07 bar 10 10 10 10 volume 4000; 2022-03-08 bar 11 11 11 11 volume 4000",
            "buy 100 at 10 03-07 14:30, expired 03-07 21:00",
        ),
        (
            "2.5 % of 30 shares is less than one",
            "2022-03-07 09:00 buy 10 gtc; 2022-03-07 bar 10 10 10 10 volume 30",
            "accepted: participation: the part of a day's volume that an order may be is less than one share",
        ),
        (
            "a stock that does not trade keeps the order waiting, and it says so",
            "2022-03-07 17:00 buy 10 gtc; 2022-03-08 halted; 2022-03-09 halted",
            "accepted: the stock has not traded since: waits for its next price",
        ),
        ("until it trades", "2022-03-07 17:00 buy 10 gtc; 2022-03-08 halted; 2022-03-09 bar 90 91 89 90", "buy 10 at 90 03-09 14:30"),
        ("more than is held cannot be sold", "2022-03-04 hold 10; 2022-03-07 09:00 sell 11", "refused: exceeds-holding"),
        (
            "what one order sells another cannot",
            "2022-03-04 hold 10; 2022-03-07 09:00 sell 8 limit 120 gtc; 2022-03-07 09:01 sell 3",
            "refused: exceeds-holding, accepted: the market is closed: waits for the next session",
        ),
    ]);
}

#[test]
fn an_open_order_gives_its_place_to_another() {
    check(&[
        (
            "with another limit",
            "2022-03-07 09:00 buy 10 limit 97; 2022-03-07 09:10 replace limit 100; 2022-03-07 bar 101 105 99 104",
            "replaced, buy 10 at 100 03-07 21:00",
        ),
        (
            "for more shares, and until it is cancelled",
            "2022-03-07 09:00 buy 10 limit 97; 2022-03-07 09:10 replace quantity 20 for gtc; 2022-03-07 bar 101 105 99 104; \
             2022-03-08 bar 98 99 96 97",
            "replaced, buy 20 at 97 03-08 21:00",
        ),
        (
            "placed during the session it does not see the range before it, as any other order",
            "2022-03-07 09:00 buy 10 limit 97 gtc; 2022-03-07 12:00 replace limit 100; 2022-03-07 bar 101 105 99 104; \
             2022-03-08 bar 101 102 99 101",
            "replaced, buy 10 at 100 03-08 21:00",
        ),
        (
            "what has filled counts: of 250 shares 100 are bought, and 120 leaves 20",
            "2022-03-07 09:00 buy 250 gtc; 2022-03-07 bar 10 10 10 10 volume 4000; 2022-03-07 17:00 replace quantity 120; \
             2022-03-08 bar 11 11 11 11 volume 4000",
            "buy 100 at 10 03-07 14:30, replaced, buy 20 at 11 03-08 14:30",
        ),
        (
            "and 100 leaves nothing",
            "2022-03-07 09:00 buy 250 gtc; 2022-03-07 bar 10 10 10 10 volume 4000; 2022-03-07 17:00 replace quantity 100",
            "buy 100 at 10 03-07 14:30, refused: nothing-left, partially_filled: filled in part; the rest waits for the next price",
        ),
        (
            "the same checks: its own cash and shares are free again, no others",
            "2022-03-04 hold 10; 2022-03-07 09:00 sell 10 limit 120 gtc; 2022-03-07 09:01 replace quantity 9; 2022-03-07 09:02 replace \
             quantity 11",
            "replaced, refused: exceeds-holding, accepted: the market is closed: waits for the next session",
        ),
        (
            "a price that the type does not have",
            "2022-03-07 09:00 buy 10 limit 97; 2022-03-07 09:10 replace stop 90",
            "refused: invalid-level, accepted: the market is closed: waits for the next session",
        ),
        (
            "an order in dollars stays as it is",
            "2022-03-07 09:00 buy $50; 2022-03-07 09:10 replace quantity 2",
            "refused: not-replaceable, accepted: the market is closed: waits for the next session",
        ),
        (
            "a trailing stop keeps its best price: 5 % below the high of 120 is 114",
            "2022-03-04 hold 10; 2022-03-07 09:00 sell 10 trail 10 gtc; 2022-03-07 bar 100 120 99 119; 2022-03-07 17:00 replace trail 5; \
             2022-03-08 bar 118 119 113 115",
            "replaced, sell 10 at 114 03-08 21:00",
        ),
    ]);
}

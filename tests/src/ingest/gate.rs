//! The quality gate on real bars: what is right passes, what is known to be wrong does not.

use std::collections::BTreeSet;

use app::data::{Reason, gate::sift};
use domain::{ActionKind, BarRecord, PriceHistory, Symbol};
use jiff::civil::date;

use super::rows::{BUNDLED, histories};

/// What the gate holds of a history that arrives as a whole.
fn held(history: &PriceHistory) -> Vec<(BarRecord, Reason)> {
    let nothing = PriceHistory::new(history.symbol.clone());
    let (passed, held) = sift(history.bars.clone(), &history.actions, &nothing, &BTreeSet::new());
    assert_eq!(passed.len() + held.len(), history.bars.len());
    held.into_iter().map(|(record, fault)| (record, fault.reason)).collect()
}

#[test]
fn six_years_of_sixty_stocks_pass_through_crashes_splits_and_spin_offs() {
    for history in BUNDLED.histories() {
        assert_eq!(held(history), [], "{}", history.symbol);
    }
}

/// On 2023-06-05 Nasdaq's own table had the open of 92 stocks of the S&P 500 outside of their day's range.
#[test]
fn the_bad_opens_of_a_real_day_are_caught_and_nothing_else() {
    let mut caught = BTreeSet::new();
    for (symbol, history) in histories(include_bytes!("../../data/nasdaq_2023-06.csv.gz")) {
        for (record, reason) in held(&history) {
            assert_eq!((record.bar.date.date(), reason), (date(2023, 6, 5), Reason::Contradiction), "{symbol}");
            caught.insert(symbol.clone());
        }
    }
    assert_eq!(caught.len(), 92);
}

#[test]
fn one_vendors_raw_bars_of_2015_pass_as_they_were_first_published() {
    for (symbol, history) in histories(include_bytes!("../../data/pystock_raw_2015.csv.gz")) {
        let reasons: Vec<_> = held(&history).into_iter().map(|(record, reason)| (record.bar.date, reason)).collect();
        // Netflix split 7:1 on 2015-07-15, and this table tells of no events.
        let expected = if symbol.as_str() == "NFLX" { vec![Reason::UnexplainedJump] } else { vec![] };
        let found: BTreeSet<_> = reasons.iter().map(|(_, reason)| *reason).collect();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected, "{symbol}: {:?}", reasons.first());
    }
}

type Break = Box<dyn Fn(&mut PriceHistory)>;

/// What breaks real bars, and by which rule it is found.
#[test]
fn what_is_broken_is_found_by_its_rule() {
    let apple = BUNDLED.history_of(&"AAPL".parse::<Symbol>().unwrap()).unwrap();
    let at = |day| apple.bars.iter().position(|record| record.bar.date.date() == day).unwrap();
    let cut = |end: usize| PriceHistory { bars: apple.bars[..=end].to_vec(), ..apple.clone() };
    let is_split = |kind: &ActionKind| matches!(kind, ActionKind::Split { .. });
    let ordinary = at(date(2022, 5, 2));
    let table: Vec<(&str, usize, Break, Option<Reason>)> = vec![
        ("nothing", ordinary, Box::new(|_| {}), None),
        (
            "a split that nobody told of",
            at(date(2020, 8, 31)),
            Box::new(move |history| history.actions.retain(|action| !is_split(&action.kind))),
            Some(Reason::UnexplainedJump),
        ),
        ("a slipped decimal point", ordinary, Box::new(|history| scale(history, 10)), Some(Reason::UnexplainedJump)),
        ("half the price on an ordinary day", ordinary, Box::new(|history| halve(history, 1)), Some(Reason::UnexplainedJump)),
        ("half the price on the heaviest day", ordinary, Box::new(|history| halve(history, 6)), None),
        ("yesterday's bar again", ordinary, Box::new(repeat), Some(Reason::StaleRepeat)),
        ("no volume", ordinary, Box::new(|history| last(history).volume = 0), Some(Reason::SilentMove)),
        ("volume in hundredths of a share", ordinary, Box::new(|history| last(history).volume *= 100), Some(Reason::VolumeSpike)),
        ("twice the usual volume", ordinary, Box::new(|history| last(history).volume *= 2), None),
        ("the high below the open", ordinary, Box::new(|history| last(history).high = last(history).low), Some(Reason::Contradiction)),
    ];
    for (name, end, break_it, expected) in table {
        let mut history = cut(end);
        break_it(&mut history);
        let found = held(&history);
        assert_eq!(found.first().map(|(_, reason)| *reason), expected, "{name}: {found:?}");
        assert!(found.len() <= 1, "{name}: {found:?}");
    }
}

fn last(history: &mut PriceHistory) -> &mut domain::Bar {
    &mut history.bars.last_mut().unwrap().bar
}

fn scale(history: &mut PriceHistory, times: i64) {
    let bar = last(history);
    for price in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close] {
        *price = domain::Price::from_units(price.units() * times).unwrap();
    }
}

fn halve(history: &mut PriceHistory, volume: u64) {
    let bar = last(history);
    for price in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close] {
        *price = domain::Price::from_units(price.units() / 2).unwrap();
    }
    bar.volume *= volume;
}

fn repeat(history: &mut PriceHistory) {
    let before = history.bars[history.bars.len() - 2].bar;
    let bar = last(history);
    *bar = domain::Bar { date: bar.date, ..before };
}

use super::*;
use domain::{ActionKind, Bar, BarRecord, CorporateAction, Decimal, Price, PriceHistory, Source, Timestamp, TradingDate};
use jiff::civil::date;
use proptest::prelude::*;

fn sources() -> impl Strategy<Value = Source> {
    prop::sample::select(vec![Source::Bundled, Source::Polygon, Source::Tiingo])
}

/// From 1990 to 2057, to the microsecond.
fn instants() -> impl Strategy<Value = Timestamp> {
    (631_152_000_000_000..2_745_000_000_000_000_i64).prop_map(|micros| Timestamp::from_microsecond(micros).unwrap())
}

fn days() -> impl Strategy<Value = domain::Date> {
    (0..12_000_i32).prop_map(|day| date(1990, 1, 2).checked_add(jiff::Span::new().days(day)).unwrap())
}

fn prices() -> impl Strategy<Value = Price> {
    (1..=100_000_000_000_i64).prop_map(|units| Price::from_units(units).unwrap())
}

fn bars() -> impl Strategy<Value = BarRecord> {
    (days(), [prices(), prices(), prices(), prices()], 0..=i64::MAX as u64, sources(), instants()).prop_map(
        |(day, [open, high, low, close], volume, source, known_at)| {
            let bar = Bar { date: TradingDate::on_or_after(day), open, high, low, close, volume };
            BarRecord { bar, source, known_at }
        },
    )
}

fn actions() -> impl Strategy<Value = CorporateAction> {
    let ratio = || (1..100_000_000_000_i64).prop_map(|units| Decimal::new(units, 9));
    let kind = prop_oneof![
        ratio().prop_map(|ratio| ActionKind::Split { ratio }),
        ratio().prop_map(|ratio| ActionKind::SpinOff { ratio }),
        ((1..100_000_000_i64), prop::option::of(days()))
            .prop_map(|(units, pay_date)| { ActionKind::Dividend { amount: Decimal::new(units, 6), pay_date } }),
        "[A-Z]{1,5}".prop_map(|to| ActionKind::SymbolChange { to: to.parse().unwrap() }),
        prop::option::of(0..100_000_000_i64).prop_map(|units| ActionKind::Delisting { value: units.map(|units| Decimal::new(units, 6)) }),
    ];
    (days(), kind, sources(), instants()).prop_map(|(ex_date, kind, source, known_at)| CorporateAction { ex_date, kind, source, known_at })
}

fn histories() -> impl Strategy<Value = PriceHistory> {
    (prop::collection::vec(bars(), 0..80), prop::collection::vec(actions(), 0..20)).prop_map(|(mut bars, mut actions)| {
        bars.sort_by_key(|record| (record.bar.date, record.known_at));
        actions.sort_by_key(|action| (action.ex_date, action.known_at));
        PriceHistory { symbol: "BRK.B".parse().unwrap(), bars, actions }
    })
}

fn example() -> PriceHistory {
    let day = TradingDate::new(date(2020, 8, 31)).unwrap();
    let price = |text: &str| text.parse::<Price>().unwrap();
    let bar = Bar { date: day, open: price("127.58"), high: price("131"), low: price("126"), close: price("129.04"), volume: 225_702_700 };
    let known_at = "2020-08-31T22:00:00Z".parse().unwrap();
    let split =
        CorporateAction { ex_date: day.date(), kind: ActionKind::Split { ratio: Decimal::from(4) }, source: Source::Polygon, known_at };
    PriceHistory { symbol: "AAPL".parse().unwrap(), bars: vec![BarRecord { bar, source: Source::Bundled, known_at }], actions: vec![split] }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_history_comes_back_as_it_was(history in histories()) {
        let bytes = encode(&history).unwrap();
        prop_assert_eq!(decode(bytes.into()), Ok(history));
    }

    #[test]
    fn equal_histories_are_equal_bytes(history in histories()) {
        prop_assert_eq!(encode(&history), encode(&history.clone()));
    }

    #[test]
    fn any_changed_byte_is_damage(history in histories(), place in any::<prop::sample::Index>(), mask in 1..=u8::MAX) {
        let mut bytes = encode(&history).unwrap();
        let place = place.index(bytes.len());
        bytes[place] ^= mask;
        prop_assert!(decode(bytes.into()).is_err());
    }

    #[test]
    fn any_missing_part_is_damage(history in histories(), cuts in any::<[prop::sample::Index; 2]>()) {
        let bytes = encode(&history).unwrap();
        let mut ends = cuts.map(|cut| cut.index(bytes.len()));
        ends.sort_unstable();
        prop_assert!(decode(bytes[..ends[1]].to_vec().into()).is_err());
        prop_assert!(decode(bytes[ends[0] + 1..].to_vec().into()).is_err());
        if ends[0] < ends[1] {
            prop_assert!(decode([&bytes[..ends[0]], &bytes[ends[1]..]].concat().into()).is_err());
        }
    }

    #[test]
    fn arbitrary_bytes_are_damage(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(decode(bytes.into()).is_err());
    }
}

#[test]
fn a_file_of_another_version_says_so() {
    let text = |bytes: Vec<u8>| decode(bytes.into()).unwrap_err().to_string();
    let mut bytes = encode(&example()).unwrap();
    let key = bytes.windows(schema::FORMAT_VERSION_KEY.len()).rposition(|part| part == schema::FORMAT_VERSION_KEY.as_bytes()).unwrap();
    let value = key + bytes[key..].iter().position(|byte| *byte == b'1').unwrap();
    bytes[value] = b'9';
    assert_eq!(text(bytes.clone()), "its checksum does not match its content");
    assert_eq!(text(resealed(bytes)), "its format version is `9`, expected `1`");
}

/// What was changed on purpose, with a checksum that fits again.
fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let tail = bytes.len() - 8;
    let footer = tail - u32::from_le_bytes(bytes[tail..tail + 4].try_into().unwrap()) as usize;
    bytes.drain(footer - 4..footer);
    seal::seal(&mut bytes);
    bytes
}

#[test]
fn what_cannot_be_stored_is_refused() {
    let with = |change: fn(&mut PriceHistory)| {
        let mut history = example();
        change(&mut history);
        encode(&history).unwrap_err().to_string()
    };
    assert_eq!(with(|history| history.bars[0].bar.volume = u64::MAX), "the volume of 2020-08-31 is out of range: 18446744073709551615");
    assert_eq!(
        with(|history| history.actions[0].kind = ActionKind::Split { ratio: Decimal::ZERO }),
        "the ratio of 2020-08-31 is out of range: 0"
    );
    assert_eq!(
        with(|history| history.actions[0].kind = ActionKind::Dividend { amount: Decimal::MAX, pay_date: None }),
        format!("the amount of 2020-08-31 is out of range: {}", Decimal::MAX)
    );
    assert_eq!(
        with(|history| history.actions[0].kind = ActionKind::Delisting { value: Some(-Decimal::ONE) }),
        "the amount of 2020-08-31 is out of range: -1"
    );
    let earlier = |history: &mut PriceHistory| {
        let mut record = history.bars[0];
        record.bar.date = record.bar.date.previous();
        history.bars.push(record);
    };
    assert_eq!(with(earlier), "its bars or actions are not in order");
}

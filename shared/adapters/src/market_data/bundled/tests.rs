use super::*;
use domain::{ActionKind, Decimal};
use jiff::civil::date;
use std::sync::LazyLock;

static BUNDLED: LazyLock<Bundled> = LazyLock::new(Bundled::new);

fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn sixty_stocks_of_all_sectors_have_every_session() {
    assert_eq!((BUNDLED.first_date().date(), BUNDLED.last_date().date()), (date(2018, 1, 2), date(2024, 3, 8)));
    let sessions: Vec<_> = calendar::sessions(date(2018, 1, 2), date(2024, 3, 8)).collect();
    assert_eq!(sessions.len(), 1556);
    assert_eq!(BUNDLED.histories().len(), 60);
    for history in BUNDLED.histories() {
        assert!(history.bars.iter().map(|record| record.bar.date).eq(sessions.iter().copied()), "{}", history.symbol);
    }
    let of_company = |company: &Company| company.symbol.clone();
    assert!(BUNDLED.all_companies().iter().map(of_company).eq(BUNDLED.histories().iter().map(|history| history.symbol.clone())));
    for sector in domain::Sector::ALL {
        assert!(BUNDLED.all_companies().iter().any(|company| company.sector == Some(sector)), "{sector}");
    }
}

#[test]
fn every_bar_can_have_traded() {
    for history in BUNDLED.histories() {
        for BarRecord { bar, known_at, .. } in &history.bars {
            let place = format!("{} {}", history.symbol, bar.date);
            assert_eq!(bar.check(), Ok(()), "{place}");
            assert!(bar.volume > 0, "{place}");
            assert!(*known_at > bar.date.close() && *known_at < bar.date.next().open(), "{place}");
            // A closing auction prints whole cents; two closes of GOOG are from a day of printing between them.
            let whole_cents = bar.close.units() % 100 == 0;
            assert!(whole_cents || history.symbol.as_str() == "GOOG", "{place}: {}", bar.close);
        }
    }
}

use domain::BarRecord;

/// What the public record has of well-known days, around splits above all.
#[test]
fn prices_are_as_they_traded() {
    for (stock, day, close) in [
        ("AAPL", date(2018, 1, 2), "172.26"),
        ("AAPL", date(2020, 8, 28), "499.23"),
        ("AAPL", date(2020, 8, 31), "129.04"),
        ("AMZN", date(2022, 6, 3), "2447"),
        ("AMZN", date(2022, 6, 6), "124.79"),
        ("TSLA", date(2020, 8, 28), "2213.4"),
        ("TSLA", date(2022, 8, 24), "891.29"),
        ("GE", date(2021, 7, 30), "12.95"),
        ("NVDA", date(2021, 7, 19), "751.19"),
        ("META", date(2022, 2, 3), "237.76"),
    ] {
        let record = BUNDLED.history_of(&symbol(stock)).unwrap().bar_on(day).unwrap();
        assert_eq!(record.bar.close.decimal(), decimal(close), "{stock} {day}");
    }
}

#[test]
fn splits_spin_offs_and_dividends_are_those_that_happened() {
    let count = |of: fn(&ActionKind) -> bool| {
        BUNDLED.histories().iter().flat_map(|history| &history.actions).filter(|action| of(&action.kind)).count()
    };
    assert_eq!(count(|kind| matches!(kind, ActionKind::Split { .. })), 11);
    assert_eq!(count(|kind| matches!(kind, ActionKind::SpinOff { .. })), 8);
    assert_eq!(count(|kind| matches!(kind, ActionKind::Dividend { .. })), 1242);

    for (stock, day, expected) in [
        ("AAPL", date(2020, 8, 31), ActionKind::Split { ratio: Decimal::from(4) }),
        ("GE", date(2021, 8, 2), ActionKind::Split { ratio: decimal("0.125") }),
        ("GE", date(2023, 1, 4), ActionKind::SpinOff { ratio: decimal("1.281") }),
        // Before a split the larger amount; before a spin-off the amount as declared, not the vendor's reduced one.
        ("AAPL", date(2020, 8, 7), ActionKind::Dividend { amount: decimal("0.82"), pay_date: None }),
        ("AAPL", date(2020, 11, 6), ActionKind::Dividend { amount: decimal("0.205"), pay_date: None }),
        ("GE", date(2018, 2, 23), ActionKind::Dividend { amount: decimal("0.12"), pay_date: None }),
        ("HON", date(2018, 2, 22), ActionKind::Dividend { amount: decimal("0.745"), pay_date: None }),
        ("IBM", date(2020, 5, 7), ActionKind::Dividend { amount: decimal("1.63"), pay_date: None }),
        ("T", date(2022, 1, 7), ActionKind::Dividend { amount: decimal("0.52"), pay_date: None }),
        ("T", date(2022, 7, 8), ActionKind::Dividend { amount: decimal("0.2775"), pay_date: None }),
        ("PG", date(2023, 4, 20), ActionKind::Dividend { amount: decimal("0.9407"), pay_date: None }),
        ("COST", date(2020, 12, 1), ActionKind::Dividend { amount: Decimal::TEN, pay_date: None }),
    ] {
        let history = BUNDLED.history_of(&symbol(stock)).unwrap();
        let found: Vec<_> = history.actions.iter().filter(|action| action.ex_date == day).map(|action| action.kind.clone()).collect();
        assert_eq!(found, [expected], "{stock} {day}");
    }
    for action in BUNDLED.histories().iter().flat_map(|history| &history.actions) {
        let open = TradingDate::new(action.ex_date).unwrap().open();
        assert!(action.known_at < open && action.known_at > action.ex_date.yesterday().map(calendar::close_instant).unwrap());
    }
}

/// Adjusting what was rebuilt gives the source's own adjusted closes of the first session (column `adj_close` of the source).
#[test]
fn adjusting_gives_what_the_source_had() {
    for (stock, close, total_return) in [
        ("AAPL", "43.065", Some("40.670982")),
        ("AMZN", "59.4505", Some("59.4505")),
        ("TSLA", "21.3687", Some("21.3687")),
        // The source divided GE's dividends by its spin-offs and multiplied by its reverse split, as it should.
        ("GE", "107.966827", None),
    ] {
        let history = BUNDLED.history_of(&symbol(stock)).unwrap();
        let adjustment = history.adjustments(date(2024, 3, 8))[0];
        let raw = history.bars[0].bar.close.decimal();
        let near = |ours: Decimal, theirs: &str| (ours / decimal(theirs) - Decimal::ONE).abs() < decimal("0.0001");
        assert!(near(raw * adjustment.price, close), "{stock}: {}", raw * adjustment.price);
        if let Some(total_return) = total_return {
            assert!(near(raw * adjustment.total_return, total_return), "{stock}: {}", raw * adjustment.total_return);
        }
    }
}

#[tokio::test]
async fn a_bar_appears_at_its_close_and_an_action_on_its_ex_date() {
    let aapl = symbol("AAPL");
    let seen = async |now: &str| {
        let history = BUNDLED.history(&aapl, date(2020, 8, 27), date(2024, 12, 31), at(now)).await.unwrap();
        (history.bars.iter().map(|record| record.bar.date.to_string()).collect::<Vec<_>>(), history.actions.len())
    };
    assert_eq!(seen("2020-08-28T19:59:59Z").await, (vec!["2020-08-27".to_owned()], 0));
    assert_eq!(seen("2020-08-28T20:00:00Z").await, (vec!["2020-08-27".to_owned(), "2020-08-28".to_owned()], 0));
    assert_eq!(seen("2020-08-31T03:59:59Z").await.1, 0, "23:59 in New York, the day before the split");
    assert_eq!(seen("2020-08-31T04:00:00Z").await.1, 1);
    assert_eq!(seen("2020-08-31T19:59:59Z").await.0.len(), 2);
}

#[tokio::test]
async fn a_range_is_inclusive_and_an_empty_one_is_empty() {
    let now = at("2024-06-01T00:00:00Z");
    for (first, last, expected) in [
        (date(2022, 1, 3), date(2022, 1, 7), 5),
        (date(2022, 1, 1), date(2022, 1, 2), 0),
        (date(2022, 1, 7), date(2022, 1, 3), 0),
        (date(2024, 3, 8), date(2030, 1, 1), 1),
        (date(1990, 1, 1), date(2018, 1, 2), 1),
    ] {
        let history = BUNDLED.history(&symbol("MSFT"), first, last, now).await.unwrap();
        assert_eq!(history.bars.len(), expected, "{first} to {last}");
    }
    assert_eq!(
        BUNDLED.history(&symbol("ZZZZ"), date(2022, 1, 3), date(2022, 1, 7), now).await,
        Err(VendorError::UnknownSymbol(NAME, symbol("ZZZZ")))
    );
}

#[tokio::test]
async fn quotes_show_the_open_then_the_close_and_nothing_else() {
    let asked = [symbol("AAPL"), symbol("ZZZZ")];
    let quotes = async |now: &str| BUNDLED.quotes(&asked, at(now)).await.unwrap();
    let day = "2022-01-03";
    assert_eq!(quotes("2022-01-03T14:29:59Z").await, [], "before the open");
    for now in ["2022-01-03T14:30:00Z", "2022-01-03T20:59:59Z"] {
        let quote = &quotes(now).await[0];
        assert_eq!((quote.date.to_string().as_str(), quote.bar), (day, None), "{now}");
        assert_eq!(
            (quote.last.to_string().as_str(), quote.open, quote.last_at),
            ("177.83", Some(quote.last), at("2022-01-03T14:30:00Z")),
            "{now}"
        );
    }
    for now in ["2022-01-03T21:00:00Z", "2022-01-04T04:59:59Z"] {
        let quote = &quotes(now).await[0];
        assert_eq!((quote.last.to_string().as_str(), quote.last_at), ("182.01", at("2022-01-03T21:00:00Z")), "{now}");
        assert_eq!(quote.bar.unwrap().open, quote.open.unwrap());
    }
    assert_eq!(quotes("2022-01-04T05:00:00Z").await, [], "after midnight in New York");
    assert_eq!(quotes("2022-01-01T17:00:00Z").await, [], "a Saturday");
    assert_eq!(quotes("2022-11-25T18:00:00Z").await[0].last_at, at("2022-11-25T18:00:00Z"), "a half day");
    assert_eq!(quotes("2024-03-11T17:00:00Z").await, [], "after the last session there is");
}

#[tokio::test]
async fn actions_of_many_stocks_come_once_they_are_effective() {
    let stocks = [symbol("AAPL"), symbol("TSLA"), symbol("MSFT"), symbol("ZZZZ")];
    let seen = async |now: &str| {
        let actions = BUNDLED.actions(&stocks, date(2020, 8, 29), date(2020, 8, 31), at(now)).await.unwrap().actions;
        actions.into_iter().map(|(symbol, action)| (symbol.to_string(), action.kind.price_ratio().to_string())).collect::<Vec<_>>()
    };
    assert_eq!(seen("2020-08-30T12:00:00Z").await, []);
    assert_eq!(seen("2020-08-31T12:00:00Z").await, [("AAPL".into(), "4".into()), ("TSLA".into(), "5".into())]);
}

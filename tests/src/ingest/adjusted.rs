//! Splits, spin-offs and dividends through the pipeline: adjusted closes are those that the sources computed for themselves.

use std::sync::Arc;

use domain::{ActionKind, Decimal, PriceHistory, Symbol};
use jiff::civil::date;
use rust_decimal::RoundingStrategy;

use super::{
    place::{Place, at, symbol},
    rows::{BUNDLED, action, bar, record, table},
    vendor::Vendor,
};

async fn ingested(history: PriceHistory, now: &str) -> PriceHistory {
    let symbol = history.symbol.to_string();
    let place = Place::with(&[&symbol]).await;
    let data = place.data(Arc::new(Vendor::of([history])));
    let run = data.ingest_everything(at(now), &|_, _| {}).await.unwrap();
    assert_eq!((run.symbols_done, run.bars_quarantined), (1, 0), "{:?}", data.quarantine().await.unwrap().first());
    place.history(&symbol, now).await
}

/// Dividends as Yahoo counts them: to three decimals, and AT&T's as declared against prices that it divides by the later spin-off. The
/// product has what was paid, to the quarter cent, and compares like with like: over six years that is up to 0.012 % (Verizon), and 10 %
/// of AT&T's oldest adjusted close.
fn as_yahoo_counts(history: &PriceHistory) -> PriceHistory {
    let mut counted = history.clone();
    for action in &mut counted.actions {
        let ex_date = action.ex_date;
        let ActionKind::Dividend { amount, .. } = &mut action.kind else { continue };
        let later = history.actions.iter().filter(|other| history.symbol.as_str() == "T" && other.ex_date > ex_date);
        let basis: Decimal = later.map(|other| other.kind.price_ratio()).product();
        *amount = amount.round_dp_with_strategy(3, RoundingStrategy::MidpointAwayFromZero) * basis;
    }
    counted
}

/// Yahoo's own adjusted closes of 2024-03-08, at every split, spin-off and dividend and at each fortieth session.
#[tokio::test(flavor = "multi_thread")]
async fn the_events_of_sixty_stocks_give_yahoos_adjusted_closes() {
    let place = Place::with(&BUNDLED.histories().iter().map(|history| history.symbol.as_str()).collect::<Vec<_>>()).await;
    let now = at("2024-03-08T22:00:00Z");
    let data = place.data(Arc::new(Vendor::of(BUNDLED.histories().to_vec())));
    let run = data.ingest_everything(now, &|_, _| {}).await.unwrap();
    assert_eq!((run.symbols_done, run.bars_added, run.bars_quarantined), (60, 60 * 1556, 0));

    let expected = table(include_bytes!("../../data/yahoo_adjusted.csv.gz"));
    let (millionth, hundredth_of_a_percent) = (Decimal::new(1, 6), Decimal::new(1, 4));
    let mut farther_off = vec![];
    for rows in expected.chunk_by(|a, b| a["symbol"] == b["symbol"]) {
        let stock: Symbol = rows[0]["symbol"].parse().unwrap();
        let history = place.market().history(&stock, now).await.unwrap();
        let ours = history.adjustments(date(2024, 3, 8));
        let yahoos = as_yahoo_counts(&history).adjustments(date(2024, 3, 8));
        let mut worst = Decimal::ZERO;
        for row in rows {
            let index = history.bars.iter().position(|record| record.bar.date.to_string() == row["date"]).unwrap();
            let close = history.bars[index].bar.close.decimal();
            let difference = |made: Decimal, theirs: &str| (made / theirs.parse::<Decimal>().unwrap() - Decimal::ONE).abs();
            let split = difference(close * ours[index].price, &row["close"]);
            let total = difference(close * yahoos[index].total_return, &row["adj_close"]);
            assert!(split < millionth && total < millionth, "{stock} {}: {split} {total}", row["date"]);
            worst = worst.max(difference(close * ours[index].total_return, &row["adj_close"]));
        }
        if worst >= hundredth_of_a_percent {
            farther_off.push(stock.to_string());
        }
    }
    assert!(expected.len() > 4000);
    assert_eq!(farther_off, ["T", "VZ"], "the others agree without counting as Yahoo does");
}

/// Quandl's public-domain WIKI table of Microsoft: 32 years with nine splits and the dividends. Its adjustment takes the ex-date's close
/// (`close / (close + dividend)`) where the product takes the one before; both are made here of what the product stored.
#[tokio::test(flavor = "multi_thread")]
async fn microsoft_from_1986_to_2018_agrees_with_the_public_wiki_table() {
    let rows = table(include_bytes!("../../data/wiki_msft.csv.gz"));
    let number = |row: &std::collections::BTreeMap<String, String>, name: &str| row[name].parse::<Decimal>().unwrap();
    let mut told = PriceHistory::new(symbol("MSFT"));
    for row in &rows {
        let bar = bar(row, "").unwrap();
        told.bars.push(record(bar));
        let (ratio, amount) = (number(row, "split_ratio"), number(row, "ex_dividend"));
        if ratio != Decimal::ONE {
            told.actions.push(action(bar.date.date(), ActionKind::Split { ratio }));
        }
        if !amount.is_zero() {
            told.actions.push(action(bar.date.date(), ActionKind::Dividend { amount, pay_date: None }));
        }
    }
    let splits = told.actions.iter().filter(|action| matches!(action.kind, ActionKind::Split { .. })).count();
    let history = ingested(told, "2018-03-28T22:00:00Z").await;
    assert_eq!((history.bars.len(), splits), (rows.len(), 9));

    let splits_only = PriceHistory {
        actions: history.actions.iter().filter(|action| matches!(action.kind, ActionKind::Split { .. })).cloned().collect(),
        ..history.clone()
    };
    let basis = splits_only.adjustments(date(2018, 3, 27));
    let ours = history.adjustments(date(2018, 3, 27));
    let (mut wiki, mut crsp) = (Decimal::ONE, Decimal::ONE);
    let millionth = Decimal::new(1, 6);
    for index in (0..rows.len()).rev() {
        let bar = &history.bars[index].bar;
        let close = bar.close.decimal();
        let theirs = number(&rows[index], "adj_close");
        let made = close * basis[index].price * wiki;
        assert!((made / theirs - Decimal::ONE).abs() < millionth, "{}: {made} and {theirs}", bar.date);
        let told = close * basis[index].price * crsp;
        assert!((close * ours[index].total_return / told - Decimal::ONE).abs() < millionth, "{}", bar.date);
        for action in history.actions.iter().filter(|action| action.ex_date == bar.date.date()) {
            if let ActionKind::Dividend { amount, .. } = action.kind {
                wiki *= close / (close + amount);
                let before = history.bars[index - 1].bar.close.decimal() * basis[index - 1].price / basis[index].price;
                crsp *= Decimal::ONE - amount / before;
            }
        }
    }
}

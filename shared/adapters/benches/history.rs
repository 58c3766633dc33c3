//! One stock's history to and from Parquet, and the bundled data: `cargo bench -p adapters`.

use std::{hint::black_box, sync::LazyLock};

use adapters::{
    history::parquet::{decode, encode},
    market_data::bundled::Bundled,
};
use app::ports::MarketData;
use bytes::Bytes;
use domain::{PriceHistory, Symbol, Timestamp};

static BUNDLED: LazyLock<Bundled> = LazyLock::new(Bundled::new);

fn main() {
    divan::main();
}

/// 1,556 bars, 25 dividends and a split.
fn apple() -> &'static PriceHistory {
    BUNDLED.history_of(&"AAPL".parse().expect("a symbol")).expect("it is bundled")
}

#[divan::bench]
fn encode_one_symbol() -> Vec<u8> {
    encode(black_box(apple())).expect("it can be stored")
}

#[divan::bench]
fn decode_one_symbol(bencher: divan::Bencher) {
    let bytes = Bytes::from(encode(apple()).expect("it can be stored"));
    bencher.bench(|| decode(black_box(bytes.clone())).expect("it is whole"));
}

#[divan::bench]
fn decode_all_bundled_data() -> Bundled {
    Bundled::new()
}

#[divan::bench]
fn quotes_of_all_bundled_stocks(bencher: divan::Bencher) {
    let symbols: Vec<Symbol> = BUNDLED.histories().iter().map(|history| history.symbol.clone()).collect();
    let now: Timestamp = "2022-01-03T15:00:00Z".parse().expect("an instant");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    bencher.bench(|| runtime.block_on(BUNDLED.quotes(black_box(&symbols), now)).expect("it answers"));
}

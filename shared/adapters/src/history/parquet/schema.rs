//! The columns, and how the domain's values become a column's integers.

use std::sync::{Arc, LazyLock};

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, date},
};
use parquet::schema::{parser::parse_message_type, types::TypePtr};
use rust_decimal::Decimal;

pub(super) const FORMAT_VERSION: &str = "1";
pub(super) const SYMBOL_KEY: &str = "symbol";
pub(super) const FORMAT_VERSION_KEY: &str = "format_version";

pub(super) static SCHEMA: LazyLock<TypePtr> = LazyLock::new(|| {
    Arc::new(
        parse_message_type(
            "message price_history {
                REQUIRED BYTE_ARRAY record (STRING);
                REQUIRED INT32 date (DATE);
                OPTIONAL INT64 open (DECIMAL(18, 4));
                OPTIONAL INT64 high (DECIMAL(18, 4));
                OPTIONAL INT64 low (DECIMAL(18, 4));
                OPTIONAL INT64 close (DECIMAL(18, 4));
                OPTIONAL INT64 volume;
                OPTIONAL INT64 ratio (DECIMAL(18, 9));
                OPTIONAL INT64 amount (DECIMAL(18, 6));
                OPTIONAL INT32 pay_date (DATE);
                OPTIONAL BYTE_ARRAY new_symbol (STRING);
                REQUIRED BYTE_ARRAY source (STRING);
                REQUIRED INT64 known_at (TIMESTAMP(MICROS, true));
            }",
        )
        .expect("the schema is well formed"),
    )
});

/// The columns' places in [`SCHEMA`].
pub(super) mod place {
    pub(in super::super) const RECORD: usize = 0;
    pub(in super::super) const DATE: usize = 1;
    pub(in super::super) const OPEN: usize = 2;
    pub(in super::super) const HIGH: usize = 3;
    pub(in super::super) const LOW: usize = 4;
    pub(in super::super) const CLOSE: usize = 5;
    pub(in super::super) const VOLUME: usize = 6;
    pub(in super::super) const RATIO: usize = 7;
    pub(in super::super) const AMOUNT: usize = 8;
    pub(in super::super) const PAY_DATE: usize = 9;
    pub(in super::super) const NEW_SYMBOL: usize = 10;
    pub(in super::super) const SOURCE: usize = 11;
    pub(in super::super) const KNOWN_AT: usize = 12;
}

pub(super) const BAR: &str = "bar";
pub(super) const SPLIT: &str = "split";
pub(super) const SPIN_OFF: &str = "spin_off";
pub(super) const DIVIDEND: &str = "dividend";
pub(super) const SYMBOL_CHANGE: &str = "symbol_change";
pub(super) const DELISTING: &str = "delisting";

/// Decimal places of a stored ratio.
pub(super) const RATIO_PLACES: u32 = 9;
/// Decimal places of a stored amount of dollars a share.
pub(super) const AMOUNT_PLACES: u32 = 6;

const EPOCH: Date = date(1970, 1, 1);

pub(super) fn epoch_day(day: Date) -> i32 {
    day.since(EPOCH).expect("dates lie within one calendar").get_days()
}

/// `None` outside the years that a calendar date can have.
pub(super) fn from_epoch_day(day: i32) -> Option<Date> {
    EPOCH.checked_add(day.days()).ok()
}

/// A positive number as an integer of the given scale, rounded to it; `None` when that is not positive or has more than 18 digits.
pub(super) fn scaled(value: Decimal, places: u32) -> Option<i64> {
    let mut rounded = domain::money::round_half_up(value, places);
    rounded.rescale(places);
    let fits = rounded.scale() == places && (1..10_i128.pow(18)).contains(&rounded.mantissa());
    fits.then(|| i64::try_from(rounded.mantissa()).ok()).flatten()
}

pub(super) fn from_micros(micros: i64) -> Option<Timestamp> {
    Timestamp::from_microsecond(micros).ok()
}

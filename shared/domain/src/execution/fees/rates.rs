//! Regulatory rates by date: a table that anyone can read, check against its sources and replace.
//!
//! The text form is CSV with the columns `fee,from,until,rate,cap,source`; empty lines and lines that begin with `#` are
//! comments. The source is free text, in quotes or not. A row holds from its first to its last date, both included; an empty `until`, allowed in a fee's newest row only,
//! means until further notice, which is how the regulators publish their rates.

use std::{fmt, str::FromStr, sync::LazyLock};

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, de::Error};

use crate::Money;

static BUNDLED: LazyLock<RateTable> = LazyLock::new(|| include_str!("rates.csv").parse().expect("the bundled table is checked by a test"));

/// The charges that regulators set and brokers pass on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegulatoryFee {
    /// Dollars for a million dollars sold.
    #[serde(rename = "sec-section-31")]
    SecSection31,
    /// Dollars for a share sold, with a cap for each trade.
    FinraTaf,
    /// Dollars for a share bought or sold.
    Cat,
}

impl RegulatoryFee {
    pub const ALL: [Self; 3] = [Self::SecSection31, Self::FinraTaf, Self::Cat];

    pub fn name(self) -> &'static str {
        match self {
            Self::SecSection31 => "sec-section-31",
            Self::FinraTaf => "finra-taf",
            Self::Cat => "cat",
        }
    }
}

impl fmt::Display for RegulatoryFee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One rate and the days on which it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateRow {
    pub fee: RegulatoryFee,
    pub from: Date,
    /// The last day, included; `None` means until further notice.
    pub until: Option<Date>,
    /// In the unit of its fee, zero or more.
    pub rate: Decimal,
    /// The most that one trade pays.
    pub cap: Option<Money>,
    /// Where the rate was published.
    pub source: String,
}

/// Every rate of every fee, each fee's rows in order of date and without gaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<RateRow>", into = "Vec<RateRow>")]
pub struct RateTable {
    rows: Vec<RateRow>,
}

/// No rate is known for the date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    #[error("the {fee} rate of {date} is not known: the table of rates begins on {begins}")]
    BeforeTable { fee: RegulatoryFee, date: Date, begins: Date },
    #[error("the {fee} rate of {date} is not known: the table of rates ends on {ends}")]
    AfterTable { fee: RegulatoryFee, date: Date, ends: Date },
}

/// Why a text or a list of rows is not a table of rates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RateTableError {
    #[error("line {line}: expected the columns fee,from,until,rate,cap,source")]
    Columns { line: usize },
    #[error("line {line}, column {column}: `{value}` is not {expected}")]
    Field { line: usize, column: &'static str, value: String, expected: &'static str },
    #[error("{fee}: no rates at all")]
    Missing { fee: RegulatoryFee },
    #[error("{fee} from {from}: {problem}")]
    Row { fee: RegulatoryFee, from: Date, problem: &'static str },
}

impl RateTable {
    /// The rates that come with the program.
    pub fn bundled() -> &'static Self {
        &BUNDLED
    }

    /// Sorts the rows and refuses gaps, overlaps, negative rates and caps, and fees without rates.
    pub fn new(mut rows: Vec<RateRow>) -> Result<Self, RateTableError> {
        rows.sort_by_key(|row| (row.fee, row.from));
        for fee in RegulatoryFee::ALL {
            if !rows.iter().any(|row| row.fee == fee) {
                return Err(RateTableError::Missing { fee });
            }
        }
        for (index, row) in rows.iter().enumerate() {
            let next = rows.get(index + 1).filter(|next| next.fee == row.fee);
            if let Some(problem) = problem(row, next) {
                return Err(RateTableError::Row { fee: row.fee, from: row.from, problem });
            }
        }
        Ok(Self { rows })
    }

    /// The table with `rows` in place of its own on their days; elsewhere it stays as it is.
    pub fn overridden_by(&self, rows: Vec<RateRow>) -> Result<Self, RateTableError> {
        let mut all = self.rows.clone();
        for row in &rows {
            all = all.iter().flat_map(|old| outside(old, row)).collect();
        }
        all.extend(rows);
        Self::new(all)
    }

    /// The row that holds on `date`.
    pub fn on(&self, fee: RegulatoryFee, date: Date) -> Result<&RateRow, RateError> {
        let later = self.rows.partition_point(|row| (row.fee, row.from) <= (fee, date));
        let found = later.checked_sub(1).map(|index| &self.rows[index]).filter(|row| row.fee == fee);
        match found {
            None => Err(RateError::BeforeTable { fee, date, begins: self.rows[later].from }),
            Some(RateRow { until: Some(ends), .. }) if *ends < date => Err(RateError::AfterTable { fee, date, ends: *ends }),
            Some(row) => Ok(row),
        }
    }

    pub fn rows(&self) -> &[RateRow] {
        &self.rows
    }
}

/// What of `old` lies before and after the days of `by`, when it is the same fee.
fn outside(old: &RateRow, by: &RateRow) -> Vec<RateRow> {
    if old.fee != by.fee {
        return vec![old.clone()];
    }
    let before = by.from.yesterday().ok().map(|last| old.until.map_or(last, |until| until.min(last)));
    let after = by.until.and_then(|until| until.tomorrow().ok()).map(|first| first.max(old.from));
    let before = before.filter(|last| *last >= old.from).map(|last| RateRow { until: Some(last), ..old.clone() });
    let after = after.filter(|first| old.until.is_none_or(|until| until >= *first)).map(|from| RateRow { from, ..old.clone() });
    before.into_iter().chain(after).collect()
}

/// Reads rows that override the bundled table.
pub(crate) fn overrides<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RateTable, D::Error> {
    RateTable::bundled().overridden_by(Vec::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn problem(row: &RateRow, next: Option<&RateRow>) -> Option<&'static str> {
    if row.rate < Decimal::ZERO {
        return Some("the rate is negative");
    }
    if row.cap.is_some_and(Money::is_negative) {
        return Some("the cap is negative");
    }
    if row.until.is_some_and(|until| until < row.from) {
        return Some("it ends before it begins");
    }
    let next = next?;
    match row.until.and_then(|until| until.tomorrow().ok()) {
        None => Some("it has no end although another row follows"),
        Some(expected) if next.from < expected => Some("the following row begins before this one ends"),
        Some(expected) if next.from > expected => Some("there is a gap before the following row"),
        Some(_) => None,
    }
}

impl TryFrom<Vec<RateRow>> for RateTable {
    type Error = RateTableError;
    fn try_from(rows: Vec<RateRow>) -> Result<Self, RateTableError> {
        Self::new(rows)
    }
}

impl From<RateTable> for Vec<RateRow> {
    fn from(table: RateTable) -> Self {
        table.rows
    }
}

impl FromStr for RateTable {
    type Err = RateTableError;
    fn from_str(text: &str) -> Result<Self, RateTableError> {
        let rows = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim()))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#') && !line.starts_with("fee,"))
            .map(|(line, text)| parse_row(line, text))
            .collect::<Result<Vec<_>, _>>()?;
        Self::new(rows)
    }
}

fn parse_row(line: usize, text: &str) -> Result<RateRow, RateTableError> {
    // The source is the last column and may itself contain commas.
    let columns: Vec<&str> = text.splitn(6, ',').map(str::trim).collect();
    let &[fee, from, until, rate, cap, source] = columns.as_slice() else {
        return Err(RateTableError::Columns { line });
    };
    let field = |column, value: &str, expected| RateTableError::Field { line, column, value: value.chars().take(40).collect(), expected };
    let date = |column, value: &str| value.parse::<Date>().map_err(|_| field(column, value, "a date such as 2025-05-14"));
    let decimal = |column, value: &str| value.parse::<Decimal>().map_err(|_| field(column, value, "a decimal number such as 0.000166"));
    let optional = |value: &str| (!value.is_empty()).then(|| value.to_owned());

    Ok(RateRow {
        fee: RegulatoryFee::ALL
            .into_iter()
            .find(|known| known.name() == fee)
            .ok_or_else(|| field("fee", fee, "a fee: sec-section-31, finra-taf or cat"))?,
        from: date("from", from)?,
        until: optional(until).map(|value| date("until", &value)).transpose()?,
        rate: decimal("rate", rate)?,
        cap: optional(cap).map(|value| decimal("cap", &value).map(Money::round)).transpose()?,
        source: source.trim_matches('"').to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "fee,from,until,rate,cap,source\n\
        sec-section-31,2020-01-01,2020-12-31,20,,a\n\
        sec-section-31,2021-01-01,,5,,b, with a comma\n\
        # a comment\n\
        \n\
        finra-taf,2020-01-01,2021-06-30,0.0001,5.95,\"c\"\n\
        cat,2020-01-01,,0,,d\n";

    fn error_of(text: &str) -> String {
        text.parse::<RateTable>().unwrap_err().to_string()
    }

    #[test]
    fn the_bundled_table_covers_2018_to_2026_with_a_source_for_each_rate() {
        let table = RateTable::bundled();
        for fee in RegulatoryFee::ALL {
            let mut day = jiff::civil::date(2018, 1, 1);
            while day <= jiff::civil::date(2026, 12, 31) {
                table.on(fee, day).unwrap();
                day = day.tomorrow().unwrap();
            }
        }
        assert!(table.rows().iter().all(|row| row.source.starts_with("checked: ") || row.source.starts_with("reported: ")));
    }

    #[test]
    fn a_rate_holds_from_its_first_to_its_last_day() {
        let table: RateTable = SMALL.parse().unwrap();
        let rate =
            |fee, date: &str| table.on(fee, date.parse().unwrap()).map(|row| row.rate.to_string()).map_err(|error| error.to_string());
        for (fee, date, expected) in [
            (RegulatoryFee::SecSection31, "2020-01-01", Ok("20")),
            (RegulatoryFee::SecSection31, "2020-12-31", Ok("20")),
            (RegulatoryFee::SecSection31, "2021-01-01", Ok("5")),
            (RegulatoryFee::SecSection31, "2099-01-01", Ok("5")),
            (
                RegulatoryFee::SecSection31,
                "2019-12-31",
                Err("the sec-section-31 rate of 2019-12-31 is not known: the table of rates begins on 2020-01-01"),
            ),
            (
                RegulatoryFee::FinraTaf,
                "2019-12-31",
                Err("the finra-taf rate of 2019-12-31 is not known: the table of rates begins on 2020-01-01"),
            ),
            (RegulatoryFee::FinraTaf, "2021-06-30", Ok("0.0001")),
            (
                RegulatoryFee::FinraTaf,
                "2021-07-01",
                Err("the finra-taf rate of 2021-07-01 is not known: the table of rates ends on 2021-06-30"),
            ),
            (RegulatoryFee::Cat, "2019-12-31", Err("the cat rate of 2019-12-31 is not known: the table of rates begins on 2020-01-01")),
        ] {
            assert_eq!(rate(fee, date), expected.map(str::to_owned).map_err(str::to_owned), "{fee} {date}");
        }
        assert_eq!(table.rows()[1].source, "b, with a comma");
    }

    #[test]
    fn a_row_of_ones_own_holds_on_its_days_and_the_bundled_ones_elsewhere() {
        let row = |from: &str, until: Option<&str>, rate: &str| RateRow {
            fee: RegulatoryFee::Cat,
            from: from.parse().unwrap(),
            until: until.map(|until| until.parse().unwrap()),
            rate: rate.parse().unwrap(),
            cap: None,
            source: "ours".into(),
        };
        let two_rates = "cat,2020-01-01,2020-12-31,1,,d\ncat,2021-01-01,,2,,e";
        let table: RateTable = SMALL.replace("cat,2020-01-01,,0,,d", two_rates).parse().unwrap();
        for (own, expected) in [
            (row("2020-06-01", Some("2021-06-30"), "9"), "2020-01-01..2020-05-31 1, 2020-06-01..2021-06-30 9, 2021-07-01.. 2"),
            (row("2020-01-01", Some("2020-12-31"), "9"), "2020-01-01..2020-12-31 9, 2021-01-01.. 2"),
            (
                row("2020-03-01", Some("2020-03-01"), "9"),
                "2020-01-01..2020-02-29 1, 2020-03-01..2020-03-01 9, 2020-03-02..2020-12-31 1, 2021-01-01.. 2",
            ),
            (row("2022-01-01", None, "9"), "2020-01-01..2020-12-31 1, 2021-01-01..2021-12-31 2, 2022-01-01.. 9"),
            (row("2019-01-01", None, "9"), "2019-01-01.. 9"),
        ] {
            let merged = table.overridden_by(vec![own]).unwrap();
            let rows = merged.rows().iter().filter(|row| row.fee == RegulatoryFee::Cat);
            let until = |row: &RateRow| row.until.map_or(String::new(), |until| until.to_string());
            let written: Vec<String> = rows.map(|row| format!("{}..{} {}", row.from, until(row), row.rate)).collect();
            assert_eq!(written.join(", "), expected);
        }
        let overlapping = vec![row("2020-06-01", None, "9"), row("2020-07-01", None, "8")];
        assert!(table.overridden_by(overlapping).is_err());
    }

    /// Worked out from the regulators' publications, not from the table.
    #[test]
    fn the_bundled_rates_are_the_published_ones() {
        use RegulatoryFee::{FinraTaf, SecSection31};
        for (fee, date, rate, cap) in [
            (SecSection31, "2024-05-21", "8.00", None),
            (SecSection31, "2024-05-22", "27.80", None),
            (SecSection31, "2025-05-13", "27.80", None),
            (SecSection31, "2025-05-14", "0", None),
            (SecSection31, "2026-04-03", "0", None),
            (SecSection31, "2026-04-04", "20.60", None),
            (FinraTaf, "2021-12-31", "0.000119", Some("5.95")),
            (FinraTaf, "2022-01-01", "0.000130", Some("6.49")),
            (FinraTaf, "2023-01-01", "0.000145", Some("7.27")),
            (FinraTaf, "2024-01-01", "0.000166", Some("8.30")),
            (FinraTaf, "2025-12-31", "0.000166", Some("8.30")),
            (FinraTaf, "2026-01-01", "0.000195", Some("9.79")),
            (FinraTaf, "2026-09-30", "0.000195", Some("9.79")),
            (FinraTaf, "2026-10-01", "0", Some("0.00")),
            (FinraTaf, "2026-12-31", "0", Some("0.00")),
        ] {
            let row = RateTable::bundled().on(fee, date.parse().unwrap()).unwrap();
            assert_eq!((row.rate, row.cap.map(|cap| cap.to_string())), (rate.parse().unwrap(), cap.map(str::to_owned)), "{fee} {date}");
        }
    }

    #[test]
    fn a_bad_table_says_what_is_wrong_and_where() {
        for (text, expected) in [
            ("cat,2020-01-01", "line 1: expected the columns fee,from,until,rate,cap,source"),
            ("\ncta,2020-01-01,,0,,x", "line 2, column fee: `cta` is not a fee: sec-section-31, finra-taf or cat"),
            ("cat,2020-13-01,,0,,x", "line 1, column from: `2020-13-01` is not a date such as 2025-05-14"),
            ("cat,2020-01-01,soon,0,,x", "line 1, column until: `soon` is not a date such as 2025-05-14"),
            ("cat,2020-01-01,,free,,x", "line 1, column rate: `free` is not a decimal number such as 0.000166"),
            ("cat,2020-01-01,,0,none,x", "line 1, column cap: `none` is not a decimal number such as 0.000166"),
            ("cat,2020-01-01,,0,,x", "sec-section-31: no rates at all"),
        ] {
            assert_eq!(error_of(text), expected);
        }
        for (bad_row, expected) in [
            ("cat,2020-01-01,,-1,,x", "cat from 2020-01-01: the rate is negative"),
            ("cat,2020-01-01,,1,-2,x", "cat from 2020-01-01: the cap is negative"),
            ("cat,2020-01-01,2019-01-01,1,,x", "cat from 2020-01-01: it ends before it begins"),
            ("cat,2020-01-01,,1,,x\ncat,2021-01-01,,1,,x", "cat from 2020-01-01: it has no end although another row follows"),
            ("cat,2020-01-01,2020-12-30,1,,x\ncat,2021-01-01,,1,,x", "cat from 2020-01-01: there is a gap before the following row"),
            ("cat,2020-01-01,2021-01-01,1,,x\ncat,2021-01-01,,1,,x", "cat from 2020-01-01: the following row begins before this one ends"),
        ] {
            assert_eq!(error_of(&SMALL.replace("cat,2020-01-01,,0,,d", bad_row)), expected);
        }
    }

    #[test]
    fn a_table_survives_serialisation_and_is_checked_on_the_way_in() {
        let table: RateTable = SMALL.parse().unwrap();
        let json = serde_json::to_string(&table).unwrap();
        assert_eq!(serde_json::from_str::<RateTable>(&json).unwrap(), table);
        assert!(serde_json::from_str::<RateTable>("[]").is_err());
    }
}

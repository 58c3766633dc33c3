use proptest::prelude::*;

use super::*;

fn shares(text: &str) -> Quantity {
    text.parse().unwrap()
}

fn charged(schedule: FeeSchedule, side: Side, date: &str, quantity: &str, price: &str) -> String {
    let charged = fees(schedule, RateTable::bundled(), side, date.parse().unwrap(), price.parse().unwrap(), shares(quantity)).unwrap();
    charged.iter().map(|fee| format!("{} {}", fee.name, fee.amount)).collect::<Vec<_>>().join(", ")
}

#[test]
fn retail_sales_pay_the_regulators_rates_of_their_day() {
    // Each row sells 1,000 shares at $50: $50,000, so that Section 31 is rate × 0.05; TAF is rate × 1,000. Both go up to the cent.
    for (date, expected) in [
        ("2018-05-21", "sec-section-31 1.16, finra-taf 0.12"), // 23.10 × 0.05 = 1.155; 0.000119 × 1,000 = 0.119
        ("2018-05-22", "sec-section-31 0.65, finra-taf 0.12"), // 13.00 × 0.05 = 0.65
        ("2019-04-15", "sec-section-31 0.65, finra-taf 0.12"), // the last day of that rate
        ("2019-04-16", "sec-section-31 1.04, finra-taf 0.12"), // 20.70 × 0.05 = 1.035
        ("2020-02-14", "sec-section-31 1.04, finra-taf 0.12"), // the session before Presidents' Day
        ("2020-02-18", "sec-section-31 1.11, finra-taf 0.12"), // 22.10 × 0.05 = 1.105
        ("2021-02-24", "sec-section-31 1.11, finra-taf 0.12"), // the last day of that rate
        ("2021-02-25", "sec-section-31 0.26, finra-taf 0.12"), // 5.10 × 0.05 = 0.255
        ("2021-12-31", "sec-section-31 0.26, finra-taf 0.12"), // the last day of TAF's rate
        ("2022-01-03", "sec-section-31 0.26, finra-taf 0.13"), // 0.000130 × 1,000 = 0.13
        ("2022-05-13", "sec-section-31 0.26, finra-taf 0.13"), // a Friday; the new rate began on a Saturday
        ("2022-05-16", "sec-section-31 1.15, finra-taf 0.13"), // 22.90 × 0.05 = 1.145
        ("2022-12-30", "sec-section-31 1.15, finra-taf 0.13"), // the last session of TAF's rate
        ("2023-01-03", "sec-section-31 1.15, finra-taf 0.15"), // 0.000145 × 1,000 = 0.145
        ("2023-02-24", "sec-section-31 1.15, finra-taf 0.15"), // a Friday
        ("2023-02-27", "sec-section-31 0.40, finra-taf 0.15"), // 8.00 × 0.05 = 0.40
        ("2023-12-29", "sec-section-31 0.40, finra-taf 0.15"), // the last session of TAF's rate
        ("2024-01-02", "sec-section-31 0.40, finra-taf 0.17"), // 0.000166 × 1,000 = 0.166
        ("2024-05-21", "sec-section-31 0.40, finra-taf 0.17"), // the last day of that rate
        ("2024-05-22", "sec-section-31 1.39, finra-taf 0.17"), // 27.80 × 0.05 = 1.39
        ("2025-05-13", "sec-section-31 1.39, finra-taf 0.17, cat 0.04"), // CAT 0.000035 × 1,000 = 0.035
        ("2025-05-14", "finra-taf 0.17, cat 0.04"),            // Section 31 is zero
        ("2025-12-31", "finra-taf 0.17"),                      // CAT pauses
        ("2026-01-02", "finra-taf 0.20"),                      // 0.000195 × 1,000 = 0.195
        ("2026-04-02", "finra-taf 0.20"),                      // the session before Good Friday
        ("2026-04-06", "sec-section-31 1.03, finra-taf 0.20"), // 20.60 × 0.05 = 1.03
        ("2026-09-30", "sec-section-31 1.03, finra-taf 0.20, cat 0.01"), // CAT 0.000003 × 1,000 = 0.003
        ("2026-10-01", "sec-section-31 1.03, cat 0.01"),       // TAF pauses
        ("2026-12-31", "sec-section-31 1.03, cat 0.01"),
        ("2027-01-04", "sec-section-31 1.03, finra-taf 0.20, cat 0.01"),
    ] {
        assert_eq!(charged(FeeSchedule::UsRetail, Side::Sell, date, "1000", "50"), expected, "{date}");
    }
}

#[test]
fn the_trading_activity_fee_is_capped_for_each_trade() {
    // 100,000 shares at one cent: $1,000, on which Section 31 is rate / 1,000.
    for (date, expected) in [
        ("2018-01-02", "sec-section-31 0.03, finra-taf 5.95"), // 11.90 uncapped; 23.10 / 1,000 = 0.0231
        ("2022-01-03", "sec-section-31 0.01, finra-taf 6.49"), // 13.00 uncapped; 0.0051
        ("2023-02-27", "sec-section-31 0.01, finra-taf 7.27"), // 14.50 uncapped; 0.008
        ("2024-05-22", "sec-section-31 0.03, finra-taf 8.30"), // 16.60 uncapped; 0.0278
        ("2026-01-02", "finra-taf 9.79"),                      // 19.50 uncapped
    ] {
        assert_eq!(charged(FeeSchedule::UsRetail, Side::Sell, date, "100000", "0.01"), expected, "{date}");
    }
}

#[test]
fn both_sides_pay_for_the_audit_trail_since_september_2024() {
    // 10,000 shares: rate × 10,000.
    for (date, expected) in [
        ("2018-01-02", ""),
        ("2024-08-30", ""),
        ("2024-09-03", "cat 0.35"),
        ("2024-09-30", "cat 0.35"),
        ("2024-10-01", "cat 0.48"),
        ("2024-12-31", "cat 0.48"),
        ("2025-01-02", "cat 0.35"),
        ("2025-06-30", "cat 0.35"),
        ("2025-07-01", "cat 0.22"),
        ("2025-11-28", "cat 0.22"),
        ("2025-12-01", ""),
        ("2026-04-30", ""),
        ("2026-05-01", "cat 0.03"),
    ] {
        assert_eq!(charged(FeeSchedule::UsRetail, Side::Buy, date, "10000", "50"), expected, "{date}");
    }
}

#[test]
fn ibkr_charges_by_the_share_between_a_minimum_and_a_maximum() {
    for (quantity, price, expected) in [
        ("100", "25", "commission 1.00"),    // 0.50 by the share; at least 1.00 (an example of the broker's page)
        ("1000", "25", "commission 5.00"),   // 1,000 × 0.005 (an example of the broker's page)
        ("1000", "0.25", "commission 2.50"), // 5.00 by the share; at most 1 % of 250 (an example of the broker's page)
        ("10", "0.20", "commission 0.02"),   // at least 1.00, but at most 1 % of 2.00
        ("0.5", "100", "commission 0.01"),   // 0.0025 by the share; at least a cent below one share
        ("201", "100", "commission 1.01"),   // 1.005 to the nearest cent
    ] {
        assert_eq!(charged(FeeSchedule::IbkrFixed, Side::Buy, "2023-06-01", quantity, price), expected, "{quantity} at {price}");
    }
    // Sales also pay the regulators: 8.00 × 0.025 = 0.20; 0.000145 × 1,000 = 0.145.
    let sale = charged(FeeSchedule::IbkrFixed, Side::Sell, "2023-06-01", "1000", "25");
    assert_eq!(sale, "commission 5.00, sec-section-31 0.20, finra-taf 0.15");
}

#[test]
fn a_percentage_is_charged_on_both_sides_and_is_all() {
    for side in [Side::Buy, Side::Sell] {
        assert_eq!(charged(FeeSchedule::TENTH_OF_A_PERCENT, side, "2023-06-01", "10", "123.45"), "commission 1.23"); // 1.2345
    }
}

#[test]
fn the_parts_of_an_order_pay_the_commission_of_the_whole() {
    // 100, 100 and 200 shares at $25: 1.00 at first, then 0 as 200 shares still owe the minimum, then 400 × 0.005 − 1.00 = 1.00.
    let (price, date) = ("25".parse().unwrap(), "2023-06-01".parse().unwrap());
    let mut earlier = EarlierFills::default();
    let mut paid = Vec::new();
    for quantity in [100, 100, 200].map(Quantity::shares) {
        let charged = fees_of_part(FeeSchedule::IbkrFixed, RateTable::bundled(), Side::Buy, date, price, quantity, earlier).unwrap();
        let commission = total(&charged);
        paid.push(commission.to_string());
        earlier = EarlierFills {
            quantity: earlier.quantity + quantity,
            value: earlier.value + price.times(quantity),
            commission: earlier.commission + commission,
        };
    }
    assert_eq!(paid, ["1.00", "0.00", "1.00"]);
}

#[test]
fn a_date_before_the_table_is_refused() {
    let result =
        fees(FeeSchedule::UsRetail, RateTable::bundled(), Side::Sell, "2010-01-04".parse().unwrap(), "10".parse().unwrap(), shares("1"));
    assert_eq!(result.unwrap_err().to_string(), "the cat rate of 2010-01-04 is not known: the table of rates begins on 2012-07-01");
}

#[test]
fn schedules_and_fees_have_stable_names_when_stored() {
    let schedule = serde_json::to_value(FeeSchedule::TENTH_OF_A_PERCENT).unwrap();
    assert_eq!(schedule, serde_json::json!({"schedule": "percentage", "rate": "0.001"}));
    for name in [FeeName::Commission, FeeName::SecSection31, FeeName::FinraTaf, FeeName::Cat] {
        assert_eq!(serde_json::to_value(name).unwrap(), name.name());
    }
}

fn any_schedule() -> impl Strategy<Value = FeeSchedule> {
    prop_oneof![Just(FeeSchedule::UsRetail), Just(FeeSchedule::IbkrFixed), Just(FeeSchedule::TENTH_OF_A_PERCENT)]
}

fn any_side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

proptest! {
    #[test]
    fn fees_are_positive_and_grow_with_the_quantity(
        schedule in any_schedule(),
        side in any_side(),
        day in 0_i32..3_285,
        price in 1_i64..50_000_000,
        small in 1_i64..1_000_000_000_000,
        more in 0_i64..1_000_000_000_000,
    ) {
        let first = jiff::civil::date(2018, 1, 2);
        let date = TradingDate::on_or_after(first.checked_add(jiff::Span::new().days(day)).unwrap());
        let price = Price::from_units(price).unwrap();
        let charge = |nanos: i64| {
            let quantity = Quantity::new(Decimal::new(nanos, 6)).unwrap();
            fees(schedule, RateTable::bundled(), side, date, price, quantity).unwrap()
        };
        let (less, more) = (charge(small), charge(small + more));
        prop_assert!(less.iter().chain(&more).all(|fee| fee.amount > Money::ZERO));
        prop_assert!(total(&less) <= total(&more), "{less:?} {more:?}");
        prop_assert!(less.iter().all(|fee| more.iter().any(|larger| larger.name == fee.name && larger.amount >= fee.amount)));
    }

    #[test]
    fn an_order_in_parts_pays_the_commission_of_one_piece(
        price in 1_i64..5_000_000,
        parts in proptest::collection::vec(1_u32..5_000, 1..8),
    ) {
        let price = Price::from_units(price).unwrap();
        let date = "2019-06-03".parse().unwrap();
        let mut earlier = EarlierFills::default();
        for quantity in parts.iter().copied().map(Quantity::shares) {
            let charged = fees_of_part(FeeSchedule::IbkrFixed, RateTable::bundled(), Side::Buy, date, price, quantity, earlier).unwrap();
            earlier.commission += total(&charged);
            earlier.value += price.times(quantity);
            earlier.quantity = earlier.quantity + quantity;
        }
        let whole = fees(FeeSchedule::IbkrFixed, RateTable::bundled(), Side::Buy, date, price, earlier.quantity).unwrap();
        // The parts' values are rounded to the cent each, of which the maximum takes 1 %: less than a cent in all.
        prop_assert!((earlier.commission - total(&whole)).decimal().abs() <= dec!(0.01));
    }
}

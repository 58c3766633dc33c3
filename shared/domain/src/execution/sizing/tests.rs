use proptest::prelude::*;

use super::*;
use crate::execution::{Proposal, Refusal, check};

/// $100,000 in cash and nothing else.
fn fresh() -> RiskView {
    RiskView {
        equity: Money::dollars(100_000),
        cash: Money::dollars(100_000),
        holding: Quantity::ZERO,
        position_value: Money::ZERO,
        sector_value: Some(Money::ZERO),
        open_positions: 0,
        day_pnl: Money::ZERO,
        day_start_equity: Money::dollars(100_000),
        peak_equity: Money::dollars(100_000),
        last_stop_out: None,
        max_position_size: None,
    }
}

/// Ten million shares a day at a volatility of 2 %: small orders pay the floor of five basis points.
fn liquid() -> Liquidity {
    Liquidity { average_daily_volume: dec!(10_000_000), daily_volatility: dec!(0.02) }
}

fn request<'a>(view: &'a RiskView, limits: &'a RiskLimits) -> SizingRequest<'a> {
    SizingRequest {
        date: "2023-06-01".parse().unwrap(),
        reference: "50".parse().unwrap(),
        limit: None,
        stop: Some("40".parse().unwrap()),
        requested: None,
        shares: Shares::Whole,
        liquidity: liquid(),
        profile: RiskProfile::Medium,
        limits,
        view,
        slippage: SlippageModel::default(),
        schedule: FeeSchedule::UsRetail,
        rates: RateTable::bundled(),
    }
}

fn described(sizing: &Sizing) -> String {
    let cuts: Vec<_> = sizing.binding.iter().map(|cut| format!("{} {}→{}", cut.limit, cut.from, cut.to)).collect();
    [vec![sizing.quantity.to_string()], cuts].concat().join("; ")
}

fn sized(view: &RiskView, change: impl FnOnce(&mut SizingRequest<'_>)) -> Sizing {
    let limits = RiskLimits::default();
    let mut request = request(view, &limits);
    change(&mut request);
    size(&request).unwrap()
}

#[test]
fn risk_is_a_part_of_equity_over_the_distance_to_the_stop() {
    let stop = |text: &str| Some(text.parse::<Price>().unwrap());
    let case = |change: &dyn Fn(&mut SizingRequest<'_>)| described(&sized(&fresh(), change));
    // 1 % of 100,000 = 1,000 dollars at risk; a share costs 50 × 1.0005 = 50.025.
    assert_eq!(case(&|_| ()), "100"); // 1,000 / (50 − 40)
    assert_eq!(case(&|request| request.profile = RiskProfile::Low), "50"); // 500 / 10
    assert_eq!(case(&|request| request.stop = stop("47")), "199; position-weight 333→199"); // 10,000 / 50.025 = 199.9
    assert_eq!(case(&|request| request.profile = RiskProfile::High), "199; position-weight 200→199"); // 200 × 50.025 = 10,005
    assert_eq!(case(&|request| request.stop = None), "199; position-weight 2000→199"); // all of equity, then the limits
    assert_eq!(case(&|request| request.requested = Some(Quantity::shares(30))), "30"); // as asked
    assert_eq!(case(&|request| request.requested = Some("30.9".parse().unwrap())), "30"); // whole shares
    assert_eq!(case(&|request| request.requested = Some(Quantity::shares(500))), "199; position-weight 500→199");
    // A limit order at 45 risks 5 a share: 200 shares for exactly 9,000.
    assert_eq!(case(&|request| request.limit = stop("45")), "200");
    // Fractions go down to a ten-thousandth: 10,000 / 50.025 = 199.90004…
    assert_eq!(case(&|request| (request.shares, request.stop) = (Shares::Fractional, stop("47"))), "199.9; position-weight 333.3333→199.9");
}

#[test]
fn each_limit_cuts_and_says_so() {
    for (view, expected) in [
        // 30,000 − 29,000 = 1,000 of room; 19 × 50.025 = 950.48, 20 × 50.025 = 1,000.50.
        (RiskView { sector_value: Some(Money::dollars(29_000)), ..fresh() }, "19; sector-weight 100→19"),
        (RiskView { sector_value: None, ..fresh() }, "100"),
        // 10,000 − 9,900 = 100 of room.
        (RiskView { position_value: Money::dollars(9_900), ..fresh() }, "1; position-weight 100→1"),
        // 2,000 − 500 = 1,500 of room; 29 × 50.025 = 1,450.73, 30 × 50.025 = 1,500.75.
        (
            RiskView { max_position_size: Some(Money::dollars(2_000)), position_value: Money::dollars(500), ..fresh() },
            "29; max-position-size 100→29",
        ),
        (RiskView { cash: Money::dollars(1_000), ..fresh() }, "19; insufficient-cash 100→19"),
        // To the cent: 20 × 50.025 = 1,000.50.
        (RiskView { cash: Money::cents(100_049), ..fresh() }, "19; insufficient-cash 100→19"),
        (RiskView { cash: Money::cents(100_050), ..fresh() }, "20; insufficient-cash 100→20"),
        // One after the other.
        (
            RiskView { sector_value: Some(Money::dollars(29_000)), cash: Money::dollars(500), ..fresh() },
            "9; sector-weight 100→19; insufficient-cash 19→9",
        ),
    ] {
        assert_eq!(described(&sized(&view, |_| ())), expected);
    }
}

#[test]
fn costs_come_out_of_the_same_cash() {
    let view = RiskView { cash: Money::cents(95_100), ..fresh() };
    // 19 × 50.025 = 950.48 fits into 951.00 without a commission, not with one of 1.00.
    assert_eq!(sized(&view, |_| ()).quantity, Quantity::shares(19));
    let sizing = sized(&view, |request| request.schedule = FeeSchedule::IbkrFixed);
    assert_eq!(sizing.quantity, Quantity::shares(18));
    assert_eq!(sizing.notional.to_string(), "900.45"); // 18 × 50.025
    assert_eq!(sizing.total_cost().to_string(), "901.45");
}

#[test]
fn a_thin_market_takes_only_its_part() {
    let sizing = sized(&fresh(), |request| request.liquidity.average_daily_volume = dec!(2_000));
    assert_eq!(described(&sizing), "50; participation 100→50"); // 2.5 % of 2,000
    assert_eq!(sizing.estimate.price.to_string(), "50.1657"); // 1.5 + 200 × √0.025 = 33.1228 bp of 50 = 0.165614
    assert_eq!(sizing.binding[0].detail, "at most 2.5 % of a day's volume of 2000 shares may be one order");
}

#[test]
fn nothing_to_buy_has_a_reason() {
    for (view, limit, detail) in [
        (
            RiskView { equity: Money::dollars(100), ..fresh() },
            Limit::RiskBudget,
            "1 % of equity is $1.00, and one share risks $10 down to its stop",
        ),
        (RiskView { cash: Money::dollars(50), ..fresh() }, Limit::InsufficientCash, "$50.00 in cash must cover the price and all costs"),
        (RiskView { cash: Money::dollars(-5), ..fresh() }, Limit::InsufficientCash, "-$5.00 in cash must cover the price and all costs"),
        (
            RiskView { position_value: Money::dollars(12_000), ..fresh() },
            Limit::PositionWeight,
            "at most 10 % of equity in one stock leaves $0.00",
        ),
        (
            RiskView { equity: Money::dollars(-1), ..fresh() },
            Limit::RiskBudget,
            "1 % of equity is $0.00, and one share risks $10 down to its stop",
        ),
    ] {
        let sizing = sized(&view, |_| ());
        let reason = sizing.reason_for_zero().unwrap();
        assert_eq!((reason.limit, reason.detail.as_str(), reason.to), (limit, detail, Quantity::ZERO));
        assert_eq!((sizing.notional, sizing.total_cost()), (Money::ZERO, Money::ZERO));
    }
    assert_eq!(sized(&fresh(), |_| ()).reason_for_zero(), None);

    // 0.0179 × 50.025 = 0.8955 of 90 cents; a purchase with a fraction must be worth a dollar.
    let dust = sized(&RiskView { cash: Money::cents(90), ..fresh() }, |request| request.shares = Shares::Fractional);
    assert_eq!(described(&dust), "0; insufficient-cash 100→0.0179; minimum-order 0.0179→0");
}

#[test]
fn what_cannot_be_sized_is_an_error() {
    let (view, limits) = (fresh(), RiskLimits::default());
    let stop = |text: &str| SizingRequest { stop: Some(text.parse().unwrap()), ..request(&view, &limits) };
    for at in ["50", "51"] {
        assert!(matches!(size(&stop(at)), Err(SizingError::StopNotBelowEntry { .. })), "{at}");
    }
    let early = SizingRequest { date: "2010-01-04".parse().unwrap(), ..request(&view, &limits) };
    assert!(matches!(size(&early), Err(SizingError::Rate(RateError::BeforeTable { .. }))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_sized_order_breaks_no_limit_and_one_more_share_would(
        equity in 0_i64..100_000_000,
        cash in -1_000_i64..100_000_000,
        position_value in 0_i64..5_000_000,
        sector_extra in 0_i64..20_000_000,
        max_position in proptest::option::of(0_i64..20_000_000),
        reference in 2_i64..10_000_000,
        stop_fraction in 1_i64..10_000,
        volume in 0_i64..5_000_000,
        volatility in 0_i64..1_000,
        requested in proptest::option::of(1_u32..100_000),
        fractional in any::<bool>(),
        broker in 0_usize..3,
    ) {
        let reference = Price::from_units(reference).unwrap();
        let stop = Price::from_units((reference.units() * stop_fraction / 10_000).clamp(1, reference.units() - 1)).unwrap();
        let view = RiskView {
            equity: Money::cents(equity),
            cash: Money::cents(cash),
            position_value: Money::cents(position_value),
            sector_value: Some(Money::cents(position_value + sector_extra)),
            max_position_size: max_position.map(Money::cents),
            ..fresh()
        };
        let limits = RiskLimits::default();
        let request = SizingRequest {
            date: "2024-10-01".parse().unwrap(),
            reference,
            stop: Some(stop),
            requested: requested.map(Quantity::shares),
            shares: if fractional { Shares::Fractional } else { Shares::Whole },
            liquidity: Liquidity { average_daily_volume: Decimal::from(volume), daily_volatility: Decimal::new(volatility, 4) },
            schedule: [FeeSchedule::UsRetail, FeeSchedule::IbkrFixed, FeeSchedule::TENTH_OF_A_PERCENT][broker],
            ..request(&view, &limits)
        };
        let sizing = size(&request).unwrap();

        // What the sizing allows, the risk check allows; cash after costs is never negative.
        let breaks = |quantity: Quantity| {
            let estimate = request.slippage.slip(Side::Buy, reference, quantity, request.liquidity);
            let charged = fees::fees(request.schedule, request.rates, Side::Buy, request.date, estimate.price, quantity).unwrap();
            let order = Proposal { side: Side::Buy, date: request.date, quantity, notional: estimate.price.times(quantity), costs: fees::total(&charged) };
            let refusals = check(&limits, &view, &order).err().unwrap_or_default();
            let sized_by = [Limit::PositionWeight, Limit::SectorWeight, Limit::MaxPositionSize, Limit::InsufficientCash, Limit::MinimumOrder];
            refusals.iter().map(Refusal::limit).any(|limit| sized_by.contains(&limit))
                || quantity.decimal() > limits.participation.of(request.liquidity.average_daily_volume)
        };
        let desired = requested.map_or(view.equity.decimal() * limits.risk_fraction / (reference.decimal() - stop.decimal()), Decimal::from);
        if !sizing.quantity.is_zero() {
            prop_assert!(!breaks(sizing.quantity), "{sizing:?}");
            prop_assert!(sizing.total_cost() <= view.cash);
        }
        prop_assert!(sizing.quantity.decimal() <= desired);
        prop_assert!(fractional || sizing.quantity.is_whole());
        prop_assert_eq!(sizing.reason_for_zero().is_some(), sizing.quantity.is_zero());
        for pair in sizing.binding.windows(2) {
            prop_assert_eq!(pair[0].to, pair[1].from);
        }

        // Nothing is left on the table: a cent of rounding aside, one more share is too much for something.
        if !fractional {
            let more = sizing.quantity + Quantity::shares(2);
            prop_assert!(more.decimal() > desired || breaks(more), "{sizing:?}");
        }
    }
}

use super::*;

fn date(text: &str) -> TradingDate {
    text.parse().unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// $100,000 of equity, half of it cash, nothing held of the stock, nothing lost.
fn quiet() -> RiskView {
    RiskView {
        equity: Money::dollars(100_000),
        cash: Money::dollars(50_000),
        holding: Quantity::ZERO,
        position_value: Money::ZERO,
        sector_value: Some(Money::ZERO),
        open_positions: 5,
        day_pnl: Money::ZERO,
        day_start_equity: Money::dollars(100_000),
        peak_equity: Money::dollars(100_000),
        last_stop_out: None,
        max_position_size: None,
    }
}

fn order(side: Side, shares: u32, notional: &str) -> Proposal {
    Proposal {
        side,
        date: date("2023-06-01"),
        quantity: Quantity::shares(shares),
        notional: Money::round(decimal(notional)),
        costs: Money::cents(2),
    }
}

fn refused(view: &RiskView, order: &Proposal) -> Vec<String> {
    let refusals = check(&RiskLimits::default(), view, order).err().unwrap_or_default();
    refusals.iter().map(|refusal| format!("{}: {refusal}", refusal.name())).collect()
}

#[test]
fn each_limit_holds_to_the_cent_and_says_by_how_much() {
    let buy = order(Side::Buy, 10, "1000");
    for (view, order, expected) in [
        (quiet(), order(Side::Buy, 100, "10000.00"), None),
        (
            quiet(),
            order(Side::Buy, 100, "10000.01"),
            Some("position-weight: The position would be 10 % of equity; at most 10 % is allowed. Lower the order by $0.01 or more."),
        ),
        (
            RiskView { position_value: Money::dollars(4_000), holding: Quantity::shares(40), ..quiet() },
            order(Side::Buy, 85, "8500"),
            Some("position-weight: The position would be 12.5 % of equity; at most 10 % is allowed. Lower the order by $2,500.00 or more."),
        ),
        (RiskView { sector_value: Some(Money::dollars(29_000)), ..quiet() }, buy, None),
        (
            RiskView { sector_value: Some(Money::cents(2_900_001)), ..quiet() },
            buy,
            Some(
                "sector-weight: The sector would be 30 % of equity; at most 30 % is allowed. \
                 Lower the order by $0.01 or more, or choose another sector.",
            ),
        ),
        (RiskView { sector_value: None, ..quiet() }, buy, None),
        (RiskView { cash: Money::cents(100_002), ..quiet() }, buy, None),
        (
            RiskView { cash: Money::cents(100_001), ..quiet() },
            buy,
            Some(
                "insufficient-cash: The order needs $1,000.02 with its costs, and $1,000.01 is available: $0.01 short. \
                 Lower the quantity or sell something first.",
            ),
        ),
        (RiskView { max_position_size: Some(Money::dollars(1_000)), ..quiet() }, buy, None),
        (
            RiskView { max_position_size: Some(Money::dollars(750)), ..quiet() },
            buy,
            Some(
                "max-position-size: The position would be worth $1,000.00; your own maximum is $750.00. \
                 Lower the order by $250.00 or raise max_position_size in your profile.",
            ),
        ),
        (RiskView { open_positions: 19, ..quiet() }, buy, None),
        (
            RiskView { open_positions: 20, ..quiet() },
            buy,
            Some("max-open-positions: It would be open position 21; at most 20 are allowed. Close 1 first."),
        ),
        // Adding to what is held already opens nothing.
        (RiskView { open_positions: 20, holding: Quantity::shares(1), position_value: Money::dollars(100), ..quiet() }, buy, None),
        (RiskView { day_pnl: Money::cents(-299_999), ..quiet() }, buy, None),
        (
            RiskView { day_pnl: Money::dollars(-3_000), ..quiet() },
            buy,
            Some(
                "daily-loss: The portfolio lost 3 % today, 0 % beyond the 3 % at which buying stops until the next session. \
                 Selling is always possible.",
            ),
        ),
        (RiskView { peak_equity: Money::cents(12_499_999), ..quiet() }, buy, None),
        (
            RiskView { peak_equity: Money::dollars(125_000), ..quiet() },
            buy,
            Some(
                "drawdown-halt: The portfolio is 20 % below its peak, 0 % beyond the 20 % at which buying stops until it recovers, for 20 \
                 sessions at most. Selling is always possible.",
            ),
        ),
        // Stopped out on Tuesday after Memorial Day: refused on that day, on Wednesday and on Thursday, bought again on Friday.
        (
            RiskView { last_stop_out: Some(date("2023-05-30")), ..quiet() },
            buy,
            Some("cooldown: This stock was stopped out on 2023-05-30; it may be bought again from 2023-06-02 on."),
        ),
        (RiskView { last_stop_out: Some(date("2023-05-26")), ..quiet() }, buy, None),
    ] {
        assert_eq!(refused(&view, &order), expected.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn selling_needs_only_the_shares_and_its_costs() {
    let troubled = RiskView {
        holding: Quantity::shares(10),
        position_value: Money::dollars(50_000),
        sector_value: Some(Money::dollars(90_000)),
        open_positions: 99,
        day_pnl: Money::dollars(-50_000),
        peak_equity: Money::dollars(1_000_000),
        last_stop_out: Some(date("2023-06-01")),
        max_position_size: Some(Money::ZERO),
        cash: Money::ZERO,
        ..quiet()
    };
    for (view, order, expected) in [
        (troubled, order(Side::Sell, 10, "1000"), None),
        (
            troubled,
            order(Side::Sell, 11, "1100"),
            Some("exceeds-holding: The order sells 11 shares, 1 more than the 10 that are free. Sell at most 10."),
        ),
        (
            quiet(),
            order(Side::Sell, 1, "100"),
            Some("exceeds-holding: There is nothing to sell: the order is for 1 shares and none are free. The account is long only."),
        ),
        // A worthless share brings less than its sale costs.
        (
            troubled,
            order(Side::Sell, 1, "0.01"),
            Some(
                "insufficient-cash: The order needs $0.01 with its costs, and $0.00 is available: $0.01 short. \
                 Lower the quantity or sell something first.",
            ),
        ),
    ] {
        assert_eq!(refused(&view, &order), expected.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_purchase_is_worth_something() {
    for (quantity, notional, expected) in [
        ("0.5", "1.00", None),
        ("0.5", "0.99", Some("minimum-order: The order is worth $0.99; at least $1.00 is needed. Raise it by $0.01 or more.")),
        ("1", "0.01", None),
        ("1", "0.00", Some("minimum-order: The order is worth $0.00; at least $0.01 is needed. Raise it by $0.01 or more.")),
    ] {
        let order = Proposal { quantity: quantity.parse().unwrap(), ..order(Side::Buy, 1, notional) };
        assert_eq!(refused(&quiet(), &order), expected.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn limits_are_fractions() {
    assert_eq!(RiskLimits::default().validate(), Ok(()));
    let percent_meant = RiskLimits { position_weight: decimal("10"), ..RiskLimits::default() };
    assert_eq!(
        percent_meant.validate().unwrap_err().to_string(),
        "position_weight is 10: expected a fraction above 0 and at most 1, such as 0.1 for 10 %"
    );
    let partly: RiskLimits = serde_json::from_str(r#"{"position_weight": "0.2"}"#).unwrap();
    assert_eq!(partly, RiskLimits { position_weight: decimal("0.2"), ..RiskLimits::default() });
    assert!(serde_json::from_str::<RiskLimits>(r#"{"position_wieght": "0.2"}"#).is_err());
}

#[test]
fn every_broken_limit_is_named() {
    let view = RiskView { cash: Money::ZERO, open_positions: 20, day_pnl: Money::dollars(-9_000), ..quiet() };
    let refusals = check(&RiskLimits::default(), &view, &order(Side::Buy, 1_000, "90000")).unwrap_err();
    let names: Vec<_> = refusals.iter().map(Refusal::name).collect();
    assert_eq!(names, ["daily-loss", "max-open-positions", "insufficient-cash", "position-weight", "sector-weight"]);
}

#[test]
fn without_equity_nothing_is_bought() {
    let view = RiskView { equity: Money::ZERO, ..quiet() };
    assert!(refused(&view, &order(Side::Buy, 1, "1")).iter().any(|refusal| refusal.starts_with("position-weight")));
}

#[test]
fn a_refusal_is_stored_under_its_limit() {
    let refusal = Refusal::InsufficientCash { cash: Money::dollars(1), needed: Money::dollars(3), short: Money::dollars(2) };
    let json = serde_json::to_value(&refusal).unwrap();
    assert_eq!(json, serde_json::json!({"limit": "insufficient-cash", "cash": "1", "needed": "3", "short": "2"}));
    assert_eq!(serde_json::from_value::<Refusal>(json).unwrap(), refusal);
}

#[test]
fn a_limits_name_is_how_it_is_stored() {
    for limit in [
        Limit::RiskBudget,
        Limit::PositionWeight,
        Limit::SectorWeight,
        Limit::MaxPositionSize,
        Limit::InsufficientCash,
        Limit::Participation,
        Limit::MinimumOrder,
        Limit::MaxOpenPositions,
        Limit::DailyLoss,
        Limit::DrawdownHalt,
        Limit::Cooldown,
        Limit::ExceedsHolding,
    ] {
        assert_eq!(serde_json::to_value(limit).unwrap(), limit.name());
    }
}

#[test]
fn a_profile_scales_the_risk_of_a_trade() {
    let limits = RiskLimits::default();
    for (profile, fraction) in [(RiskProfile::Low, "0.005"), (RiskProfile::Medium, "0.01"), (RiskProfile::High, "0.02")] {
        assert_eq!(limits.risk_fraction_for(profile), decimal(fraction));
        assert_eq!(serde_json::to_value(profile).unwrap(), profile.name());
    }
}

//! The portfolio's numbers against each other, worked out again from what was traded.

use domain::{
    execution::{FeeSchedule, RiskLimits},
    trading::TradingRules,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::harness::{ADMIN, Client, Server};

/// Exactly what stands in the answer.
fn exact(value: &Value) -> Decimal {
    value.to_string().parse().unwrap_or_else(|_| panic!("{value} is not a decimal"))
}

fn sum<'a>(rows: impl IntoIterator<Item = &'a Value>, name: &str) -> Decimal {
    rows.into_iter().map(|row| exact(&row[name])).sum()
}

/// Checks every sum and gives the portfolio's value.
async fn check(client: &Client, paid_in: Decimal) -> Decimal {
    let summary = client.get("portfolio/summary").await.ok();
    let part = |name: &str| exact(&summary[name]);
    let positions = client.get("portfolio/positions").await.ok();
    let trades = client.get("portfolio/trades?limit=1000").await.ok();
    let trades = trades["trades"].as_array().unwrap();
    let of_side = |side: &'static str| trades.iter().filter(move |trade| trade["side"] == side);

    // Realised and unrealised have the fees in them, so that they and the dividends are all.
    assert_eq!(part("realized_pnl") + part("unrealized_pnl") + part("dividends"), part("total_pnl"), "{summary}");
    assert_eq!(part("total_value") - paid_in, part("total_pnl"), "{summary}");
    assert_eq!(sum(trades, "total_fees"), part("fees_paid"), "{summary}");
    assert_eq!(sum(of_side("sell"), "realized_pnl"), part("realized_pnl"), "{summary}");
    // Without fees: what sales brought, what is still held and what came in as dividends, less what purchases cost; then the fees.
    let held = sum(positions["positions"].as_array().unwrap(), "market_value");
    let before_fees = sum(of_side("sell"), "notional") + held + part("dividends") - sum(of_side("buy"), "notional");
    assert_eq!(before_fees - part("fees_paid"), part("total_pnl"), "{summary}");

    let allocation = client.get("portfolio/allocation").await.ok();
    for breakdown in ["by_sector", "by_market_cap", "by_asset"] {
        let slices = allocation[breakdown].as_array().unwrap();
        assert_eq!(sum(slices, "percentage"), Decimal::ONE_HUNDRED, "{allocation}");
        assert_eq!(sum(slices, "value"), part("total_value"), "{allocation}");
    }

    let performance = client.get("portfolio/performance?period=ALL").await.ok();
    let points = performance["performance"].as_array().unwrap();
    assert_eq!(exact(&points.last().unwrap()["value"]), part("total_value"), "{performance}");
    assert_eq!(sum(points, "pnl"), part("total_pnl"), "{performance}");
    if points.len() > 1 {
        // Nothing was paid in meanwhile: the time-weighted return is the gain on what there was at the beginning.
        let (own, whole) = (exact(&performance["total_return"]), exact(&summary["total_pnl_percent"]));
        assert!((own - whole).abs() <= Decimal::new(1, 4), "{own} {whole}");
        assert_eq!(exact(&points[0]["value"]), paid_in);
        assert_eq!(performance["max_drawdown"], summary["max_drawdown"]);
        assert_eq!(performance["sharpe_ratio"], summary["sharpe_ratio"]);
    }
    let last = client.get("portfolio/performance?period=1W").await.ok();
    assert_eq!(last["performance"].as_array().unwrap().last(), points.last(), "a period shows the same points");
    part("total_value")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_component_adds_up_to_the_cent_every_day() {
    let rules = TradingRules {
        fees: FeeSchedule::IbkrFixed,
        risk_free_rate: Decimal::new(2, 2),
        limits: RiskLimits { position_weight: Decimal::new(5, 1), sector_weight: Decimal::ONE, ..RiskLimits::default() },
        ..TradingRules::default()
    };
    let paid_in = rules.initial_cash.decimal();
    let server = Server::start_by(rules, None, |_| {}).await;
    let (ann, admin) = (server.log_in("ann@example.com").await, server.log_in(ADMIN).await);
    assert_eq!(check(&ann, paid_in).await, paid_in);

    let order = |symbol: &str, side: &str, quantity: u32| json!({"symbol": symbol, "side": side, "type": "market", "quantity": quantity});
    for order in
        [order("JPM", "buy", 101), order("KO", "buy", 333), json!({"symbol": "MSFT", "side": "buy", "type": "market", "notional": 7777.77})]
    {
        ann.post("portfolio/orders", &order).await.ok();
    }
    let mut before = paid_in;
    // JPMorgan's dividend has its ex-date on 2022-01-05 and is paid at the end of the month.
    for (day, trade) in [
        ("2022-01-03", None),
        ("2022-01-04", Some(order("JPM", "sell", 50))),
        ("2022-01-05", Some(order("KO", "sell", 333))),
        ("2022-01-06", Some(order("JPM", "buy", 7))),
        ("2022-01-07", None),
    ] {
        admin.advance(&format!("{day}T15:00:00Z")).await;
        check(&ann, paid_in).await;
        if let Some(trade) = trade {
            ann.post("portfolio/orders", &trade).await.ok();
        }
        admin.advance(&format!("{day}T22:30:00Z")).await;
        let value = check(&ann, paid_in).await;
        let summary = ann.get("portfolio/summary").await.ok();
        assert_eq!(exact(&summary["day_pnl"]), value - before, "{day}: {summary}");
        before = value;
    }
    let summary = ann.get("portfolio/summary").await.ok();
    assert!(exact(&summary["dividends"]) > Decimal::ZERO && exact(&summary["fees_paid"]) >= Decimal::new(5, 0), "{summary}");
    let performance = ann.get("portfolio/performance?period=ALL").await.ok();
    assert_eq!(exact(&performance["risk_free_rate"]), Decimal::TWO);
    for defined in ["volatility", "sharpe_ratio", "sortino_ratio", "exposure", "turnover"] {
        assert!(performance[defined].is_number(), "{defined}: {performance}");
    }
    for defined in ["total_return", "excess_return", "beta"] {
        assert!(performance["benchmark"][defined].is_number(), "{defined}: {performance}");
    }
    assert_eq!(ann.get("portfolio/ledger/verify").await.ok()["valid"], true);
}

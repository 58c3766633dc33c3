//! Parts that an operator may switch off, and what they are when they are on.

use serde_json::json;
use stockgpt::cli::Features;

use crate::harness::{ADMIN, Server};

const OFF: Features = Features { real_time_data: false, advanced_charts: false, model_insights: false };

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_answers_and_is_in_the_specification() {
    let server = Server::start().await;
    let ann = server.log_in("ann@example.com").await;
    let features = &ann.get("data/status").await.ok()["features"];
    assert_eq!(*features, json!({"real_time_data": true, "advanced_charts": true, "model_insights": true}));

    let latest = ann.get("stocks/AAPL/latest").await.ok();
    assert_eq!((&latest["date"], &latest["last_price_at"]), (&json!("2021-12-31"), &json!("2022-01-03T14:30:00Z")), "today's open");
    assert!(latest["last_price"].as_f64().unwrap() > 0.0);

    let model = ann.get("signals/model").await.ok();
    assert_eq!((&model["data_through"], &model["label"]["life_sessions"]), (&json!("2021-12-31"), &json!(10)));
    assert!(model["feature_gain"].as_object().unwrap().len() == model["features"].as_array().unwrap().len());
    let signal = ann.get("signals?limit=1").await.ok()["signals"][0]["id"].as_str().unwrap().to_owned();
    assert!(ann.get(&format!("signals/{signal}")).await.ok()["feature_importance"].is_object());
    assert!(ann.get("signals/performance/summary").await.ok()["calibration"].is_array());

    let specification = ann.get("/openapi.json").await.ok();
    for path in ["/api/v1/stocks/{symbol}/chart", "/api/v1/portfolio/chart", "/api/v1/signals/model"] {
        assert!(specification["paths"][path]["get"].is_object(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_off_is_not_there_and_says_why() {
    let server = Server::start_offering(OFF).await;
    let ann = server.log_in("ann@example.com").await;
    for (path, variable) in [
        ("stocks/AAPL/chart", "FEATURE_ADVANCED_CHARTS"),
        ("portfolio/chart", "FEATURE_ADVANCED_CHARTS"),
        ("signals/model", "FEATURE_MODEL_INSIGHTS"),
    ] {
        let problem = ann.get(path).await.problem(404);
        assert_eq!(problem["type"], "urn:stockgpt:problem:feature-switched-off", "{path}");
        assert!(problem["detail"].as_str().unwrap().contains(variable), "{problem}");
    }
    let latest = ann.get("stocks/AAPL/latest").await.ok();
    assert!(latest.get("last_price").is_none() && latest.get("last_price_at").is_none(), "{latest}");
    let signal = ann.get("signals?limit=1").await.ok()["signals"][0]["id"].as_str().unwrap().to_owned();
    assert!(ann.get(&format!("signals/{signal}")).await.ok().get("feature_importance").is_none());
    let performance = ann.get("signals/performance/summary").await.ok();
    assert!(performance.get("calibration").is_none() && performance.get("by_model").is_none(), "{performance}");

    let specification = ann.get("/openapi.json").await.text;
    for word in ["/chart", "signals/model", "feature_importance", "\"calibration\"", "last_price_at", "feature_gain"] {
        assert!(!specification.contains(word), "{word}");
    }
    let features = &ann.get("data/status").await.ok()["features"];
    assert_eq!(*features, json!({"real_time_data": false, "advanced_charts": false, "model_insights": false}));
}

#[tokio::test(flavor = "multi_thread")]
async fn charts_are_pictures_of_what_is_known_and_done() {
    let server = Server::start().await;
    let (ann, admin) = (server.log_in("ann@example.com").await, server.log_in(ADMIN).await);
    let chart = ann.get("stocks/AAPL/chart?end_date=2021-12-31&limit=60").await;
    assert_eq!((chart.status.as_u16(), chart.headers["content-type"].to_str().unwrap()), (200, "image/svg+xml"));
    assert_eq!(chart.headers["content-security-policy"], "default-src 'none'; frame-ancestors 'none'");
    assert!(chart.text.starts_with("<svg ") && chart.text.contains("<title>AAPL · Apple Inc.</title>"), "{}", &chart.text[..300]);
    assert!(chart.text.contains("31 Dec 2021") && chart.text.contains("177.57"), "the newest close");
    for foreign in ["<script", "href", "url(", "style=", "<image"] {
        assert!(!chart.text.contains(foreign), "{foreign}");
    }
    let again = ann.get("stocks/AAPL/chart?end_date=2021-12-31&limit=60").await;
    assert_eq!((&again.text, &again.headers["etag"]), (&chart.text, &chart.headers["etag"]));
    let etag = chart.headers["etag"].to_str().unwrap();
    let unchanged =
        ann.send(reqwest::Method::GET, "stocks/AAPL/chart?end_date=2021-12-31&limit=60", None, &[("if-none-match", etag)]).await;
    assert_eq!((unchanged.status.as_u16(), unchanged.text.as_str()), (304, ""));

    // A trade of one's own is marked for its owner and for nobody else.
    ann.post("portfolio/orders", &json!({"symbol": "AAPL", "side": "buy", "type": "market", "quantity": 10})).await.ok();
    admin.advance("next_session").await;
    let (mine, theirs) = (ann.get("stocks/AAPL/chart").await.text, admin.get("stocks/AAPL/chart").await.text);
    assert!(mine.contains("1 trade of yours") && !theirs.contains("of yours"));
    let worth = ann.get("portfolio/chart?theme=dark&width=640&height=400").await;
    assert!(worth.text.contains("width=\"640\" height=\"400\"") && worth.text.contains("the same money in all stocks"));
    assert!(admin.get("portfolio/chart").await.status.is_success(), "also of a portfolio that never traded");
    assert!(ann.get("stocks/AAPL/chart?start_date=2030-01-01").await.text.contains("There are no prices in this range."));

    for (path, status) in [
        ("stocks/AAPL/chart?width=100", 422),
        ("stocks/AAPL/chart?height=99999", 422),
        ("stocks/AAPL/chart?theme=pink", 422),
        ("stocks/AAPL/chart?limit=2601", 422),
        ("portfolio/chart?start_date=2022-02-01&end_date=2022-01-01", 422),
        ("stocks/ZZZZ/chart", 404),
    ] {
        ann.get(path).await.problem(status);
    }
    server.anonymous().get("stocks/AAPL/chart").await.problem(401);
}

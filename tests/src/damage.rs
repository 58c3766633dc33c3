//! Damaged files: the part that needs them says so, the rest serves.

use std::fs;

use crate::harness::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_history_is_named_and_the_other_stocks_serve() {
    let server = Server::start_with(None, |data| fs::write(data.join("objects/prices/AAPL.parquet"), b"not parquet").unwrap()).await;
    let ann = server.log_in("ann@example.com").await;
    assert_eq!(ann.get("/health").await.ok()["checks"]["prices"]["status"], "healthy", "a plain check reads no history");
    let health = ann.get("/health?deep=true").await.ok();
    assert_eq!((&health["status"], &health["checks"]["prices"]["status"]), (&"degraded".into(), &"degraded".into()));
    assert!(health["checks"]["prices"]["detail"].as_str().unwrap().contains("AAPL"), "{health}");
    ann.get("stocks/AAPL/prices").await.problem(503);
    assert_eq!(ann.get("stocks/MSFT/prices?limit=1").await.ok()["count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_model_is_named_and_prices_and_portfolios_serve() {
    let server = Server::start_with(None, |data| {
        let models = fs::read_dir(data.join("objects/models")).unwrap().map(|entry| entry.unwrap().path());
        let model = models.into_iter().find(|path| path.is_dir()).expect("the model's directory");
        let mut onnx = fs::read(model.join("model.onnx")).unwrap();
        let middle = onnx.len() / 2;
        onnx[middle] ^= 1;
        fs::write(model.join("model.onnx"), onnx).unwrap();
    })
    .await;
    let ann = server.log_in("ann@example.com").await;
    let health = ann.get("/health").await.ok();
    assert_eq!(health["checks"]["model"]["status"], "degraded", "{health}");
    assert!(health["checks"]["model"]["detail"].as_str().unwrap().contains("refused"), "{health}");
    assert_eq!(ann.get("stocks/MSFT/prices?limit=1").await.ok()["count"], 1);
    assert_eq!(ann.get("portfolio/summary").await.ok()["total_value"], 100_000);
}

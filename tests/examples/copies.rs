//! Copies of the server over one store, for tests that look at all of them: `copies DIRECTORY` starts the first, which has the tables,
//! and `copies DIRECTORY TABLES` another one beside it. Each says in a line of JSON where it serves, and runs until it is told to stop.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
};

use serde_json::json;
use stockgpt::{
    cli::{Features, LogFormat, Serve},
    serve,
    system::System,
};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().expect("copies DIRECTORY [TABLES]"));
    let options = Serve {
        port: 0,
        host: IpAddr::V4(Ipv4Addr::LOCALHOST),
        data_dir: directory,
        from: None,
        speed: 0.0,
        live: false,
        reset: false,
        sign_up: app::auth::SignUp::Open,
        rate_limits: api::middleware::LimitSettings::default(),
        cors_origins: Vec::new(),
        admin: "admin@localhost".parse().expect("an address"),
        log_format: LogFormat::default(),
        features: Features::default(),
    };
    let system = match arguments.next() {
        None => System::start(&options).await,
        Some(tables) => System::beside(&options, &tables).await,
    };
    let system = system.expect("the system starts");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
    let url = format!("http://{}", listener.local_addr().expect("the socket is bound"));
    println!("{}", json!({"url": url, "tables": system.tables()}));
    serve::serve_until_stopped(listener, &system).await;
}

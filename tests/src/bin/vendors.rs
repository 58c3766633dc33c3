//! Both simulated vendors, for development: `cargo run -p tests --bin vendors`.
//!
//! The bundled prices are moved so that their newest session is the newest one of the exchange, so that a live system finds
//! every day it asks for.

use std::{net::SocketAddr, process::ExitCode};

use domain::{Timestamp, calendar};
use tests::vendors::{Market, Plan, Simulator, Vendor};

const USAGE: &str = "usage: vendors [--port PORT] [--free] [--as-bundled]

  --port PORT    Polygon's port; Tiingo has the next one (default 9000)
  --free         with the limits of the vendors' free plans
  --as-bundled   with the bundled dates, 2018-01-02 to 2024-03-08";

struct Options {
    port: u16,
    is_free: bool,
    is_moved: bool,
}

fn options() -> Option<Options> {
    let mut options = Options { port: 9000, is_free: false, is_moved: true };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--port" => options.port = arguments.next()?.parse().ok().filter(|port| *port < u16::MAX)?,
            "--free" => options.is_free = true,
            "--as-bundled" => options.is_moved = false,
            _ => return None,
        }
    }
    Some(options)
}

#[tokio::main]
async fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    let market =
        if options.is_moved { Market::bundled().ending_on(calendar::last_closed_session(Timestamp::now())) } else { Market::bundled() };
    let mut simulators = Vec::new();
    for (vendor, name, port) in [(Vendor::Polygon, "POLYGON", options.port), (Vendor::Tiingo, "TIINGO", options.port + 1)] {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let simulator = match Simulator::start_at(vendor, market.clone(), address).await {
            Ok(simulator) => simulator,
            Err(error) => {
                eprintln!("port {port}: {error}");
                return ExitCode::FAILURE;
            }
        };
        simulator.set_now(Timestamp::now());
        if options.is_free {
            simulator.set_plan(Plan::free(vendor));
        }
        println!("export {name}_BASE_URL={} {name}_API_KEY={}", simulator.url(), Simulator::KEY);
        simulators.push(simulator);
    }
    println!("# then: cargo run -- --live");
    std::future::pending().await
}

//! A database of its own for each test: the real server in memory on loopback.

use std::{net::TcpListener, thread};

use dynoxide::{Database, server};

use super::{Store, TableNames, tables};

/// Fresh, empty tables. The server's thread ends with the test process.
pub(crate) async fn store() -> Store {
    let store = Store::local(&serve(), TableNames::with_prefix("test"));
    tables::create_missing(&store).await.expect("the embedded server makes tables");
    store
}

/// An empty database without tables.
pub(crate) fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    listener.set_nonblocking(true).expect("a socket can be set");
    let endpoint = format!("http://{}", listener.local_addr().expect("the socket is bound"));
    let database = Database::memory().expect("memory can be opened");
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("the socket is a listener");
            server::serve_on(listener, database).await;
        });
    });
    endpoint
}

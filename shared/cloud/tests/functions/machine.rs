//! A place for functions on this machine.

use std::{
    fs,
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use adapters::{
    events::Detail,
    history::directory::Directory,
    mail::Outbox,
    market_data::bundled::Bundled,
    secrets::SecretError,
    store::{MarketTable, Store, TableNames, tables::create_missing},
};
use app::{
    auth::code_in,
    ports::{Event, Events, EventsError, HistoryStore, Mailer, MarketData, MarketStore, Occasion},
};
use async_trait::async_trait;
use cloud::{
    Place, Settings, SettingsError,
    jobs::Invocation,
    place::{VendorKeyError, Vendors},
};
use dynoxide::{Database, server};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const STAGE: &str = "dev";

/// At a wall's time, with a quarter of an hour to work.
pub(crate) fn invocation(at: &str) -> Invocation {
    Invocation { id: "invocation-1".into(), at: at.parse().unwrap(), end: Instant::now() + Duration::from_mins(15) }
}

pub(crate) struct Machine {
    settings: Settings,
    store: Store,
    directory: TempDir,
    sent: Arc<Sent>,
    pub(crate) key: Mutex<Option<Arc<str>>>,
}

/// The bus: it remembers.
#[derive(Default)]
struct Sent(Mutex<Vec<(Event, Occasion)>>);

#[async_trait]
impl Events for Sent {
    async fn publish(&self, events: &[Event], occasion: &Occasion) -> Result<(), EventsError> {
        self.0.lock().unwrap().extend(events.iter().map(|event| (event.clone(), occasion.clone())));
        Ok(())
    }
}

impl Machine {
    /// With three companies that the bundled data knows, and no prices yet.
    pub(crate) async fn start() -> Arc<Self> {
        let store = Store::local(&serve(), TableNames::with_prefix("test"));
        create_missing(&store).await.unwrap();
        let companies: Vec<_> = Bundled::new().all_companies().iter().take(3).cloned().collect();
        MarketTable::new(&store).put_companies(&companies).await.unwrap();
        let variables = [
            ("STAGE", STAGE),
            ("SIGNING_SECRET_ID", "signing"),
            ("ADMIN_EMAIL", "admin@example.com"),
            ("ALLOWED_ORIGINS", "https://app.example.com"),
            ("POLYGON_SECRET_ID", "polygon"),
        ];
        let variable = |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        Arc::new(Self {
            settings: Settings::from_variables(variable).unwrap(),
            store,
            directory: tempfile::tempdir().unwrap(),
            sent: Arc::default(),
            key: Mutex::new(Some("k".repeat(64).into())),
        })
    }

    /// What was sent since the last time, as the bus hands it to a function.
    pub(crate) fn sent(&self) -> Vec<Value> {
        let envelope = |(event, occasion): (Event, Occasion)| {
            let detail: Value = serde_json::from_str(&Detail::new(STAGE, &event, &occasion).to_json()).unwrap();
            json!({"version": "0", "id": "e", "detail-type": event.name(), "source": "stockgpt.dev", "resources": [], "detail": detail})
        };
        self.sent.0.lock().unwrap().drain(..).map(envelope).collect()
    }

    /// The code in the only mail; the mail is taken away.
    pub(crate) fn code(&self) -> String {
        let mails: Vec<_> = fs::read_dir(self.directory.path().join("outbox")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(mails.len(), 1, "{mails:?}");
        let mail = fs::read_to_string(&mails[0]).unwrap();
        fs::remove_file(&mails[0]).unwrap();
        let text = mail.split("text/plain").nth(1).expect("a part as text");
        code_in(text).expect("the mail has a code").to_owned()
    }
}

#[async_trait]
impl Place for Machine {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn store(&self) -> Result<Store, SettingsError> {
        Ok(self.store.clone())
    }

    fn objects(&self) -> Result<Arc<dyn HistoryStore>, SettingsError> {
        Ok(Arc::new(Directory::open(self.directory.path().join("objects")).unwrap()))
    }

    fn events(&self) -> Result<Arc<dyn Events>, SettingsError> {
        Ok(self.sent.clone())
    }

    fn mailer(&self) -> Result<Arc<dyn Mailer>, SettingsError> {
        Ok(Arc::new(Outbox::open(self.directory.path().join("outbox"), Outbox::local_sender()).unwrap()))
    }

    async fn secret(&self, id: &str) -> Result<Arc<str>, SecretError> {
        assert_eq!(id, "signing");
        self.key.lock().unwrap().clone().ok_or_else(|| SecretError::Missing(id.to_owned()))
    }

    async fn vendors(&self) -> Result<Vendors, VendorKeyError> {
        Ok(Vendors { first: Arc::new(Bundled::new()), second: None })
    }

    fn quotes(&self) -> Arc<dyn MarketData> {
        Arc::new(Bundled::new())
    }
}

/// One of the companies.
pub(crate) fn symbol() -> String {
    Bundled::new().all_companies()[0].symbol.to_string()
}

/// An empty database; its thread ends with the test process.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let database = Database::memory().unwrap();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            server::serve_on(listener, database).await;
        });
    });
    endpoint
}

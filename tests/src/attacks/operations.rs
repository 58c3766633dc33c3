//! All operations, from the document that the server gives of itself: what is forgotten here cannot be forgotten.

use reqwest::Method;
use serde_json::Value;

use crate::harness::Server;

/// One operation under `/api/v1/`.
pub(super) struct Operation {
    pub(super) method: Method,
    /// The template, without its beginning: `portfolio/orders/{id}`.
    pub(super) path: String,
    /// `viewer`, `trader`, `admin`; `None` for what needs no token.
    pub(super) role: Option<String>,
    pub(super) takes_body: bool,
    parameters: Vec<(String, String)>,
}

impl Operation {
    /// Whether it has a parameter of this name in this place (`query`, `header`, `path`).
    pub(super) fn takes(&self, place: &str, name: &str) -> bool {
        self.parameters.iter().any(|(other_place, other)| other_place == place && other.eq_ignore_ascii_case(name))
    }

    pub(super) fn is_read(&self) -> bool {
        self.method == Method::GET
    }

    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

pub(super) async fn all(server: &Server) -> Vec<Operation> {
    let document = server.anonymous().get("/openapi.json").await.ok();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().filter_map(|(path, item)| Some((path.strip_prefix("/api/v1/")?, item)));
    let operations: Vec<Operation> = operations
        .flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(|(method, operation)| read(&document, path, method, operation)).collect::<Vec<_>>()
        })
        .collect();
    assert!(operations.len() > 50, "{}", operations.len());
    operations
}

fn read(document: &Value, path: &str, method: &str, operation: &Value) -> Operation {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let parameters = operation["parameters"].as_array().into_iter().flatten().map(|parameter| match parameter["$ref"].as_str() {
        Some(target) => document.pointer(target.trim_start_matches('#')).unwrap(),
        None => parameter,
    });
    Operation {
        method: method.to_uppercase().parse().unwrap(),
        path: path.to_owned(),
        role: operation["security"][0]["bearer"][0].as_str().map(str::to_owned),
        takes_body: operation.get("requestBody").is_some(),
        parameters: parameters.map(|parameter| (text(&parameter["in"]), text(&parameter["name"]))).collect(),
    }
}

//! The document says what the routes do, and its pages need nobody but us.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{app, edge, get_with};

/// Path, method and operation of everything in the document.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths");
    paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().expect("a path item").iter().map(|(method, operation)| (path.clone(), method.clone(), operation.clone()))
        })
        .collect()
}

#[tokio::test]
async fn the_document_is_complete() {
    let document = get_with(&app(edge()), "/openapi.json", &[]).await.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    let tags: BTreeSet<&str> = document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();

    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let context = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().expect(&context).to_owned()), "{context}: its operation id is taken");
        assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{context}: no summary");
        assert!(operation["tags"].as_array().expect(&context).iter().all(|tag| tags.contains(tag.as_str().unwrap())), "{context}: tags");

        let optional = operation["parameters"].as_array().into_iter().flatten().filter(|parameter| parameter["required"] != true);
        let filled_in: Vec<&Value> = optional.filter(|parameter| parameter.get("example").is_some()).collect();
        assert!(filled_in.is_empty(), "{context}: a form would send what nobody chose: {filled_in:?}");

        let responses = operation["responses"].as_object().expect(&context);
        assert!(responses.keys().any(|status| status.starts_with('2')), "{context}: no success");
        let is_open = ["/api/v1/auth/request-otp", "/api/v1/auth/login", "/api/v1/auth/status", "/health", "/metrics"].contains(&&*path);
        assert_eq!(operation.get("security").is_none(), is_open, "{context}: security");
        let mut expected = vec![];
        if path.starts_with("/api/") {
            expected.extend(["429", "500", "503"]);
        }
        if !is_open {
            expected.extend(["401", "403"]);
        }
        if path.contains('{') {
            expected.extend(["404", "422"]);
        }
        if operation.get("requestBody").is_some() {
            expected.extend(["400", "408", "413", "415", "422"]);
        }
        for status in expected {
            assert!(responses.contains_key(status), "{context}: {status} is not declared");
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let forms = schema["oneOf"].as_array().into_iter().flatten();
        let is_of_forms = forms.clone().any(|form| form.get("$ref").is_some() || form.get("properties").is_some());
        assert!(!is_of_forms || schema.get("examples").is_none(), "{name}: its example would be shown for each of its forms");
    }
    assert_eq!(dangling(&document, &document), BTreeSet::<String>::new(), "every reference leads somewhere");
}

/// References that point to nothing.
fn dangling(node: &Value, document: &Value) -> BTreeSet<String> {
    match node {
        Value::Object(map) => {
            let own = map.get("$ref").and_then(Value::as_str).filter(|target| document.pointer(target.trim_start_matches('#')).is_none());
            own.map(str::to_owned).into_iter().chain(map.values().flat_map(|child| dangling(child, document))).collect()
        }
        Value::Array(children) => children.iter().flat_map(|child| dangling(child, document)).collect(),
        _ => BTreeSet::new(),
    }
}

#[tokio::test]
async fn the_pages_and_all_they_load_come_from_here() {
    let app = app(edge());
    for page in ["/docs", "/redoc"] {
        let answer = get_with(&app, page, &[]).await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("script-src 'self';") && policy.contains("connect-src 'self';"), "{page}: {policy}");
        let html = answer.text();
        assert!(!html.contains("//"), "{page} names another host");
        assert!(!html.contains("<script>") && !html.contains("<style"), "{page} has inline code");
        let loaded: Vec<&str> =
            ["src=\"", "href=\""].iter().flat_map(|start| html.split(start).skip(1).map(|rest| rest.split('"').next().unwrap())).collect();
        assert!(loaded.len() >= 4, "{page}: {loaded:?}");
        for path in loaded {
            for encoding in ["gzip", "identity", "gzip;q=0"] {
                let asset = get_with(&app, &format!("/{path}"), &[("accept-encoding", encoding)]).await;
                assert_eq!(asset.status, 200, "{path}");
                assert!(asset.body.len() > 20, "{path}");
                assert_eq!(asset.body.starts_with(&[0x1f, 0x8b]), asset.header("content-encoding") == Some("gzip"), "{path} {encoding}");
                assert!(encoding == "gzip" || asset.header("content-encoding").is_none(), "{path} {encoding}");
            }
        }
    }
}

//! Parts of the API that an operator may switch off. What is off answers 404 with the reason, and is not in the document.

use std::collections::BTreeSet;

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{OpenApi, RefOr, Schema},
};

use crate::problem::Problem;

/// Which parts are on. As a parameter of a handler: which are on here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeatureFlags {
    /// Fresh quotes beside end-of-day bars while the market is open.
    pub real_time_data: bool,
    /// Charts of stocks and of the portfolio.
    pub advanced_charts: bool,
    /// What the model is, what moved a signal, and whether confidence came true.
    pub model_insights: bool,
}

/// Nothing is off unless somebody says so.
impl Default for FeatureFlags {
    fn default() -> Self {
        Self { real_time_data: true, advanced_charts: true, model_insights: true }
    }
}

/// The variables that say whether a part is on, in the order of the fields.
pub const VARIABLES: [&str; 3] = ["FEATURE_REAL_TIME_DATA", "FEATURE_ADVANCED_CHARTS", "FEATURE_MODEL_INSIGHTS"];

/// What belongs to a part.
struct Part {
    is_on: fn(&FeatureFlags) -> bool,
    paths: &'static [&'static str],
    /// Fields of answers, by schema.
    fields: &'static [(&'static str, &'static [&'static str])],
}

const PARTS: [Part; 3] = [
    Part { is_on: |flags| flags.real_time_data, paths: &[], fields: &[("LatestBar", &["last_price", "last_price_at"])] },
    Part { is_on: |flags| flags.advanced_charts, paths: &["/api/v1/stocks/{symbol}/chart", "/api/v1/portfolio/chart"], fields: &[] },
    Part {
        is_on: |flags| flags.model_insights,
        paths: &["/api/v1/signals/model"],
        fields: &[("SignalDetail", &["feature_importance"]), ("SignalPerformance", &["calibration", "by_model"])],
    },
];

impl FeatureFlags {
    /// Takes what is off out of a document.
    pub(crate) fn restrict(self, document: &mut OpenApi) {
        for part in PARTS.iter().filter(|part| !(part.is_on)(&self)) {
            for path in part.paths {
                document.paths.paths.shift_remove(*path);
            }
            let Some(components) = document.components.as_mut() else { continue };
            for (schema, fields) in part.fields {
                if let Some(RefOr::T(schema)) = components.schemas.get_mut(*schema) {
                    remove_fields(schema, fields);
                }
            }
        }
        remove_unused_schemas(document);
    }
}

fn remove_fields(schema: &mut Schema, fields: &[&str]) {
    match schema {
        Schema::Object(object) => {
            for field in fields {
                object.properties.shift_remove(*field);
            }
            object.required.retain(|name| !fields.contains(&name.as_str()));
        }
        // A body that has another body's fields besides its own.
        Schema::AllOf(all) => {
            for item in &mut all.items {
                if let RefOr::T(schema) = item {
                    remove_fields(schema, fields);
                }
            }
        }
        _ => {}
    }
}

/// What only described something that is off is not described.
fn remove_unused_schemas(document: &mut OpenApi) {
    loop {
        let text = serde_json::to_string(document).expect("a document is strings, numbers and maps");
        let Some(components) = document.components.as_mut() else { return };
        let unused: BTreeSet<String> =
            components.schemas.keys().filter(|name| !text.contains(&format!("\"#/components/schemas/{name}\""))).cloned().collect();
        if unused.is_empty() {
            return;
        }
        components.schemas.retain(|name, _| !unused.contains(name));
    }
}

impl<S: Send + Sync> FromRequestParts<S> for FeatureFlags {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(*parts.extensions.get::<Self>().expect("the edge surrounds every router"))
    }
}

macro_rules! required {
    ($($(#[$doc:meta])* $name:ident: $field:ident, $what:literal, $variable:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl<S: Send + Sync> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
                let Ok(flags) = FeatureFlags::from_request_parts(parts, state).await;
                if flags.$field {
                    return Ok(Self);
                }
                let detail = concat!($what, " switched off on this server; its operator can switch them on with ", $variable, "=true");
                Err(Problem::new(StatusCode::NOT_FOUND, "feature-switched-off", detail))
            }
        }
    )*};
}

required! {
    /// Parameter of handlers that there are only with charts on.
    AdvancedCharts: advanced_charts, "charts are", "FEATURE_ADVANCED_CHARTS";
    /// Parameter of handlers that there are only with the model's insights on.
    ModelInsights: model_insights, "insights into the model are", "FEATURE_MODEL_INSIGHTS";
}

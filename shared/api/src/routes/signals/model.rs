//! What the model in force says of itself.

use std::{collections::BTreeMap, sync::Arc};

use analysis::ModelManifest;
use app::ports::{ModelCard, ModelError};
use axum::extract::State;
use domain::Date;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{SignalsState, TAG};
use crate::{cached::Cached, extract::AuthUser, features::ModelInsights, problem::Problem};

/// The model that makes the signals: what it was made from, what it looks at, and how it did on years that it had not seen.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Model)]
pub(super) struct ModelBody {
    /// Part of the identity of its signals.
    #[schema(example = "xgb-20211231-d484a75b")]
    version: String,
    /// The features in the model's order.
    features: Vec<String>,
    /// Names their exact definitions.
    schema_hash: String,
    /// SHA-256 of the ONNX file.
    onnx_sha256: String,
    classes: Vec<String>,
    label: LabelBody,
    /// Sessions whose features it was fitted to.
    trained: WindowBody,
    /// Later sessions that its calibration was fitted to.
    calibrated: WindowBody,
    /// Last session whose prices influenced the model in any way; what comes after is out of sample.
    data_through: Date,
    rule: RuleBody,
    /// Costs of a round trip for which the rule was set, in hundredths of a percent of the price.
    cost_bps: f64,
    /// How much each feature contributed to the fit (gain), where the model has a card.
    feature_gain: Option<BTreeMap<String, f64>>,
    /// Measurements on years that the model had not seen, by name.
    #[schema(value_type = Object)]
    metrics: Value,
    /// Year by year and pooled: log loss, reliability and trades, as training wrote them down; where the model has a card.
    #[schema(value_type = Option<Object>)]
    validation: Option<Value>,
}

/// The trade that the classes are about.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ModelLabel)]
struct LabelBody {
    /// Distance of the target in average true ranges.
    target_atr: f64,
    /// Distance of the stop in average true ranges.
    stop_atr: f64,
    /// Sessions after which the trade ends in any case.
    life_sessions: usize,
}

/// First and last session, both included.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ModelWindow)]
struct WindowBody {
    from: Date,
    through: Date,
}

/// From which expected result on a trade is proposed, in units of the distance to the stop.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ModelRule)]
#[expect(clippy::struct_field_names, reason = "each is in units of risk, R")]
struct RuleBody {
    least_r: f64,
    medium_r: f64,
    high_r: f64,
}

impl From<ModelCard> for ModelBody {
    fn from(ModelCard { manifest, details }: ModelCard) -> Self {
        let detail = |name: &str| details.as_ref().and_then(|details| details.get(name)).cloned();
        let ModelManifest { version, onnx_sha256, features, schema_hash, classes, label, trained, calibrated, data_through, .. } = manifest;
        Self {
            version,
            features,
            schema_hash,
            onnx_sha256,
            classes: classes.into(),
            label: LabelBody { target_atr: label.target_atr, stop_atr: label.stop_atr, life_sessions: label.life_sessions },
            trained: WindowBody { from: trained.from, through: trained.through },
            calibrated: WindowBody { from: calibrated.from, through: calibrated.through },
            data_through,
            rule: RuleBody { least_r: manifest.rule.least_r, medium_r: manifest.rule.medium_r, high_r: manifest.rule.high_r },
            cost_bps: manifest.cost_bps,
            feature_gain: detail("feature_gain").and_then(|gain| serde_json::from_value(gain).ok()),
            metrics: manifest.metrics,
            validation: detail("validation").filter(Value::is_object),
        }
    }
}

/// The model in force
///
/// Its card: data, features, classes, decision rule, and how it did on years that it had not seen.
#[utoipa::path(
    get,
    path = "/signals/model",
    tag = TAG,
    security(("bearer" = ["viewer"])),
    responses(
        (status = 200, description = "The model's card.", body = ModelBody),
        (status = 304, description = "Not modified."),
        (status = 404, response = crate::docs::NotFound)
    )
)]
pub(super) async fn get_model(_: ModelInsights, _: AuthUser, State(state): State<Arc<SignalsState>>) -> Result<Cached<ModelBody>, Problem> {
    match state.cards.current_card().await {
        Ok(card) => Ok(Cached(card.into())),
        Err(ModelError::Missing) => Err(Problem::not_found("There is no model yet.")),
        Err(error) => Err(Problem::dependency("the model", &error)),
    }
}

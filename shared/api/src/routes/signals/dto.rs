//! Bodies of the Signals routes.

use std::collections::BTreeMap;

use app::{
    portfolio::Acceptance,
    ports::DecisionKind,
    signals::{
        ExplainedSignal, PerformanceSummary, SeenSignal,
        performance::{CalibrationBin, GroupPerformance},
    },
};
use domain::{
    Date, Sector, Timestamp,
    signal::{Level, Probabilities, SignalAction, SignalStatus},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema, Type,
        schema::{AdditionalProperties, SchemaType},
    },
};

use crate::{
    features::FeatureFlags,
    number::{SharePrice, Shares, percent, tidy},
    routes::{
        portfolio::order_dto::{OrderBody, SizingBody},
        vocabulary::{Action, DecisionName, LevelName, SectorName, Status},
    },
};

/// A page of signals.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SignalList {
    pub(super) signals: Vec<SignalBody>,
    /// All matches, not only this page's.
    pub(super) total: usize,
}

/// What the model proposes for one stock on one date.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Signal)]
pub(super) struct SignalBody {
    /// The same whenever the same model scores the same symbol and date.
    id: String,
    #[schema(example = "AAPL")]
    symbol: String,
    company: String,
    #[schema(value_type = Action)]
    action: SignalAction,
    /// Calibrated probability of what the action bets on.
    #[schema(minimum = 0, maximum = 1)]
    confidence: f64,
    #[schema(value_type = LevelName)]
    confidence_level: Level,
    /// The close that the signal was made at, as traded.
    entry_price: SharePrice,
    target_price: Option<SharePrice>,
    stop_loss: Option<SharePrice>,
    #[schema(value_type = Option<SectorName>)]
    sector: Option<Sector>,
    rationale: String,
    model_version: String,
    /// Of the proposed trade after costs, percent.
    expected_return: Option<f64>,
    #[schema(value_type = LevelName)]
    risk_level: Level,
    #[schema(value_type = Status)]
    status: SignalStatus,
    generated_at: Timestamp,
    valid_until: Timestamp,
}

impl From<&SeenSignal> for SignalBody {
    fn from(seen: &SeenSignal) -> Self {
        let signal = &seen.signal;
        Self {
            id: signal.id().to_string(),
            symbol: signal.symbol.to_string(),
            company: signal.company.clone(),
            action: signal.action,
            confidence: signal.confidence,
            confidence_level: signal.confidence_level,
            entry_price: SharePrice(signal.entry_price),
            target_price: signal.target_price.map(SharePrice),
            stop_loss: signal.stop_loss.map(SharePrice),
            sector: signal.sector,
            rationale: signal.rationale.clone(),
            model_version: signal.model.clone(),
            expected_return: percent(signal.expected_return),
            risk_level: signal.risk_level,
            status: seen.status,
            generated_at: signal.generated_at,
            valid_until: signal.valid_until,
        }
    }
}

/// A signal with everything that explains it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SignalDetail {
    #[serde(flatten)]
    signal: SignalBody,
    /// The model's own probability before calibration.
    #[schema(minimum = 0, maximum = 1)]
    model_confidence: f64,
    probabilities: ProbabilitiesBody,
    technical_analysis: String,
    /// Distance to the target over distance to the stop; null without them.
    risk_reward_ratio: Option<f64>,
    /// Annualised volatility of the stock, percent.
    volatility_estimate: Option<f64>,
    /// How each feature moved the score; together the score less its base value. Part of the insights into the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    feature_importance: Option<BTreeMap<String, f64>>,
    /// The session whose close the features end with.
    features_as_of: Date,
    /// What you decided, if anything.
    #[schema(value_type = Option<DecisionName>)]
    your_action: Option<DecisionKind>,
    /// Whether `your_action` was taken for you, because your preferences have `auto_trade` on.
    your_action_is_automatic: bool,
    /// Your notes to it, or why the automatic trading let the signal pass.
    your_notes: Option<String>,
}

/// Calibrated probabilities, together 1.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Probabilities)]
struct ProbabilitiesBody {
    buy: f64,
    hold: f64,
    sell: f64,
}

impl From<Probabilities> for ProbabilitiesBody {
    fn from(Probabilities { buy, hold, sell }: Probabilities) -> Self {
        Self { buy, hold, sell }
    }
}

impl SignalDetail {
    pub(super) fn new(ExplainedSignal { seen, explanation }: ExplainedSignal, features: FeatureFlags) -> Self {
        let signal = &seen.signal;
        Self {
            model_confidence: signal.model_confidence,
            probabilities: signal.probabilities.into(),
            technical_analysis: explanation.technical_analysis,
            risk_reward_ratio: signal.risk_reward_ratio().and_then(tidy),
            volatility_estimate: signal.volatility.and_then(percent),
            feature_importance: features.model_insights.then(|| explanation.contributions.into_iter().collect()),
            features_as_of: signal.date.date(),
            your_action: seen.decision.as_ref().map(|decision| decision.kind),
            your_action_is_automatic: seen.decision.as_ref().is_some_and(|decision| decision.auto),
            your_notes: seen.decision.as_ref().and_then(|decision| decision.notes.clone()),
            signal: SignalBody::from(&seen),
        }
    }
}

/// What to do about a signal.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignalDecision {
    pub(super) action: DecisionKind,
    /// Shares to trade instead of the size that the risk budget gives; only with `accept`.
    pub(super) quantity: Option<Shares>,
    pub(super) notes: Option<String>,
}

impl PartialSchema for SignalDecision {
    fn schema() -> RefOr<Schema> {
        let form = |title: &str, words: &[&'static str], example: Value| {
            let notes = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null])).max_length(Some(1000));
            ObjectBuilder::new()
                .title(Some(title))
                .property("action", ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words.iter().copied())))
                .required("action")
                .property("notes", notes)
                .additional_properties(Some(AdditionalProperties::FreeForm(false)))
                .examples([example])
        };
        let quantity = OneOfBuilder::new()
            .item(Ref::from_schema_name("Shares"))
            .item(ObjectBuilder::new().schema_type(Type::Null))
            .description(Some("Shares to trade instead of the size that the risk budget gives."));
        OneOfBuilder::new()
            .item(form("Acceptance", &["accept"], json!({ "action": "accept", "quantity": 10 })).property("quantity", quantity))
            .item(form("Rejection", &["reject", "ignore"], json!({ "action": "reject", "notes": "too close to the earnings" })))
            .description(Some("What to do about a signal."))
            .into()
    }
}

impl ToSchema for SignalDecision {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Shares::name().into(), Shares::schema()));
    }
}

/// What followed from the decision.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DecisionAnswer {
    message: String,
    signal_id: String,
    #[schema(value_type = DecisionName)]
    action: DecisionKind,
    notes: Option<String>,
    /// The order that an acceptance placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    order: Option<OrderBody>,
    /// How its size came about, unless you gave the quantity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sizing: Option<SizingBody>,
}

impl DecisionAnswer {
    pub(super) fn new(signal_id: String, action: DecisionKind, notes: Option<String>, acceptance: Option<Acceptance>) -> Self {
        let message = match (&acceptance, action) {
            (Some(acceptance), _) => format!("Accepted: {}.", OrderBody::in_words(&acceptance.order)),
            (None, DecisionKind::Accept) => "Accepted.".to_owned(),
            (None, DecisionKind::Reject) => "Rejected; nothing is traded.".to_owned(),
            (None, DecisionKind::Ignore) => "Ignored; nothing is traded.".to_owned(),
        };
        let (order, sizing) = acceptance.map(|acceptance| (acceptance.order, acceptance.sizing)).unzip();
        Self { message, signal_id, action, notes, order: order.map(Into::into), sizing: sizing.flatten().map(Into::into) }
    }
}

/// How good the signals were, from what really happened afterwards; null where nothing has been evaluated.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SignalPerformance {
    total_signals: u64,
    active_signals: usize,
    evaluated_signals: u64,
    /// Signals whose class came true, percent.
    accuracy: Option<f64>,
    /// Mean return of the proposed trades before costs, percent.
    avg_return: Option<f64>,
    /// Proposed trades that gained, percent.
    win_rate: Option<f64>,
    /// Of the daily mean returns, annualised.
    sharpe_ratio: Option<f64>,
    /// Of the cumulated daily mean returns, percent of the peak.
    max_drawdown: Option<f64>,
    /// Brier's score over the three classes: 0 is perfect, 2 is worst.
    brier_score: Option<f64>,
    /// Reliability: what was promised and what came true. Empty bins are left out. Part of the insights into the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    calibration: Option<Vec<CalibrationRow>>,
    by_sector: BTreeMap<String, GroupRow>,
    by_confidence: BTreeMap<String, GroupRow>,
    /// Part of the insights into the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    by_model: Option<BTreeMap<String, GroupRow>>,
}

/// Signals whose confidence lies between two bounds.
#[derive(Debug, Serialize, ToSchema)]
struct CalibrationRow {
    bin_low: f64,
    bin_high: f64,
    signals: u64,
    /// 0 to 1.
    mean_confidence: Option<f64>,
    /// Share whose class came true, 0 to 1.
    hit_rate: Option<f64>,
}

impl From<CalibrationBin> for CalibrationRow {
    fn from(bin: CalibrationBin) -> Self {
        Self {
            bin_low: bin.bin_low,
            bin_high: bin.bin_high,
            signals: bin.signals,
            mean_confidence: bin.mean_confidence.and_then(tidy),
            hit_rate: bin.hit_rate.and_then(tidy),
        }
    }
}

/// Performance of one group of signals; rates and returns in percent.
#[derive(Debug, Serialize, ToSchema)]
struct GroupRow {
    signals: u64,
    accuracy: Option<f64>,
    avg_return: Option<f64>,
    win_rate: Option<f64>,
}

impl From<GroupPerformance> for GroupRow {
    fn from(group: GroupPerformance) -> Self {
        Self {
            signals: group.signals,
            accuracy: group.accuracy.and_then(percent),
            avg_return: group.avg_return.and_then(percent),
            win_rate: group.win_rate.and_then(percent),
        }
    }
}

fn rows(groups: BTreeMap<String, GroupPerformance>) -> BTreeMap<String, GroupRow> {
    groups.into_iter().map(|(name, group)| (name, group.into())).collect()
}

impl SignalPerformance {
    pub(super) fn new(summary: PerformanceSummary, features: FeatureFlags) -> Self {
        let with_insights = features.model_insights;
        Self {
            total_signals: summary.total_signals,
            active_signals: summary.active_signals,
            evaluated_signals: summary.evaluated_signals,
            accuracy: summary.accuracy.and_then(percent),
            avg_return: summary.avg_return.and_then(percent),
            win_rate: summary.win_rate.and_then(percent),
            sharpe_ratio: summary.sharpe_ratio.and_then(tidy),
            max_drawdown: summary.max_drawdown.and_then(percent),
            brier_score: summary.brier_score.and_then(tidy),
            calibration: with_insights.then(|| summary.calibration.into_iter().map(Into::into).collect()),
            by_sector: rows(summary.by_sector),
            by_confidence: rows(summary.by_confidence),
            by_model: with_insights.then(|| rows(summary.by_model)),
        }
    }
}

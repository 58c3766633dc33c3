//! Bodies of the Data routes.

use std::collections::BTreeMap;

use app::data::{Run, RunKind, RunState};
use domain::{Date, Symbol, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ArrayBuilder, ObjectBuilder, OneOfBuilder, RefOr, Schema, schema::AdditionalProperties},
};

use crate::{
    features::FeatureFlags,
    routes::vocabulary::{RunKindName, RunStateName, SymbolName},
};

/// No run takes more symbols than this from one request.
const SYMBOLS_MAX: usize = 1_000;

/// Symbols as an array, or as an object with one.
#[derive(Debug)]
pub(super) struct SymbolsBody(pub(super) Vec<Symbol>);

impl PartialSchema for SymbolsBody {
    fn schema() -> RefOr<Schema> {
        let symbols = || ArrayBuilder::new().items(SymbolName::schema()).min_items(Some(1)).max_items(Some(SYMBOLS_MAX));
        let example = || json!(["AAPL", "MSFT"]);
        let named = ObjectBuilder::new()
            .title(Some("An object"))
            .property("symbols", symbols())
            .required("symbols")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .examples([json!({ "symbols": example() })]);
        OneOfBuilder::new()
            .item(symbols().title(Some("An array")).examples([example()]))
            .item(named)
            .description(Some("Symbols as an array, or as an object with one."))
            .into()
    }
}

impl ToSchema for SymbolsBody {}

impl<'de> Deserialize<'de> for SymbolsBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Named {
            symbols: Vec<String>,
        }

        /// An array, or the object around it; unlike an untagged enum it says what is wrong inside.
        struct Either;

        impl<'de> de::Visitor<'de> for Either {
            type Value = Vec<String>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array of symbols, or an object with the field `symbols`")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(seq))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Ok(Named::deserialize(de::value::MapAccessDeserializer::new(map))?.symbols)
            }
        }

        let texts = deserializer.deserialize_any(Either)?;
        if texts.is_empty() || texts.len() > SYMBOLS_MAX {
            return Err(de::Error::custom(format_args!("must be 1 to {SYMBOLS_MAX} symbols")));
        }
        let mut symbols = texts.iter().map(|text| text.parse().map_err(de::Error::custom)).collect::<Result<Vec<Symbol>, _>>()?;
        symbols.sort_unstable();
        symbols.dedup();
        Ok(Self(symbols))
    }
}

/// A run that has been started.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunStarted {
    pub(super) message: String,
    /// For `GET data/runs/{run_id}`.
    pub(super) run_id: String,
    /// The symbols asked for; null when the run decides itself.
    pub(super) symbols: Option<Vec<String>>,
    pub(super) days_back: Option<u32>,
}

/// An ingestion run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Run)]
pub(super) struct RunBody {
    pub(super) id: String,
    #[schema(value_type = RunKindName)]
    pub(super) kind: RunKind,
    #[schema(value_type = RunStateName)]
    pub(super) state: RunState,
    pub(super) started_at: Timestamp,
    pub(super) finished_at: Option<Timestamp>,
    pub(super) symbols_total: usize,
    pub(super) symbols_done: usize,
    pub(super) symbols_failed: usize,
    /// What went wrong, by symbol.
    pub(super) errors: BTreeMap<String, String>,
    pub(super) bars_added: usize,
    pub(super) actions_added: usize,
    /// Bars that the quality gate held back.
    pub(super) bars_quarantined: usize,
    /// Requests to the vendors.
    pub(super) vendor_calls: u64,
    /// Part of the symbols that are done or have failed, 0 to 1.
    pub(super) progress: f64,
    /// How long the rest will take at the rate so far; null when nothing is left or nothing is known yet.
    pub(super) estimated_remaining_seconds: Option<u64>,
}

impl From<Run> for RunBody {
    fn from(run: Run) -> Self {
        let progress = run.progress();
        Self {
            id: run.id,
            kind: run.kind,
            state: run.state,
            started_at: run.started_at,
            finished_at: run.finished_at,
            symbols_total: run.symbols_total,
            symbols_done: run.symbols_done,
            symbols_failed: run.symbols_failed,
            errors: run.failures.into_iter().map(|(symbol, error)| (symbol.to_string(), error)).collect(),
            bars_added: run.bars_added,
            actions_added: run.actions_added,
            bars_quarantined: run.bars_quarantined,
            vendor_calls: run.vendor_calls,
            progress,
            estimated_remaining_seconds: run.remaining_seconds,
        }
    }
}

/// The newest runs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunList {
    pub(super) runs: Vec<RunBody>,
    pub(super) count: usize,
}

/// Symbols that there is data for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SymbolList {
    pub(super) symbols: Vec<String>,
    pub(super) count: usize,
}

/// How fresh the data is, and what is configured.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DataStatusBody {
    #[schema(value_type = String, example = "operational")]
    pub(super) service: &'static str,
    /// Where bars come from.
    #[schema(value_type = String, example = "bundled")]
    pub(super) source: &'static str,
    pub(super) polygon_api_configured: bool,
    pub(super) tiingo_api_configured: bool,
    /// When the last ingestion that stored anything ended.
    pub(super) last_ingestion: Option<Timestamp>,
    pub(super) latest_bar_date: Option<Date>,
    /// Sessions that have closed since the newest bar; 0 means that nothing is missing.
    pub(super) newest_bar_age_sessions: Option<usize>,
    /// Hours since the close of the newest bar.
    pub(super) newest_bar_age_hours: Option<f64>,
    /// How many stocks have prices.
    pub(super) symbols: usize,
    pub(super) features: FeatureFlags,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_come_as_an_array_or_in_an_object() {
        for (body, expected) in [
            (r#"["MSFT","aapl","MSFT"]"#, Ok("AAPL,MSFT")),
            (r#"{"symbols":["BRK.B"]}"#, Ok("BRK.B")),
            ("[]", Err("must be 1 to 1000 symbols")),
            (r#"{"symbols":[]}"#, Err("must be 1 to 1000 symbols")),
            (r#"["A/B"]"#, Err("`A/B` is not a ticker symbol")),
            (r#"{"symbols":["A"],"days":1}"#, Err("unknown field `days`")),
            (r#""AAPL""#, Err("invalid type: string \"AAPL\", expected an array of symbols")),
        ] {
            let read = serde_json::from_str::<SymbolsBody>(body);
            match (read, expected) {
                (Ok(SymbolsBody(symbols)), Ok(expected)) => {
                    assert_eq!(symbols.iter().map(Symbol::as_str).collect::<Vec<_>>().join(","), expected, "{body}");
                }
                (Err(error), Err(expected)) => assert!(error.to_string().starts_with(expected), "{body}: {error}"),
                (read, _) => panic!("{body}: {read:?}"),
            }
        }
    }
}

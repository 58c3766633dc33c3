//! The domain's closed sets of words as the document shows them. Values are the domain's own types; these only describe them.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident: $description:literal = [$($word:literal),+ $(,)?];)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new().schema_type(Type::String).description(Some($description)).enum_values(Some([$($word),+])).into()
            }
        }

        impl ToSchema for $name {}
    )*};
}

words! {
    RoleName: "What a user may do; each role includes the ones before it." = ["viewer", "trader", "admin"];
    AuditActionName: "What was done, or was not allowed." = [
        "admin_appointed", "role_changed", "user_deactivated", "user_reactivated", "admin_request", "logged_out_everywhere",
        "account_exported", "account_closing", "account_deleted", "login_failed", "login_throttled", "login_refused",
        "confirmation_failed", "token_refused", "role_insufficient",
    ];
    ActorName: "Who did it: a user, whoever configures the system, or somebody unknown." = ["user", "operator", "anonymous"];
    RiskTolerance: "How much loss a user accepts on one trade." = ["low", "medium", "high"];
    SectorName: "A sector of the Global Industry Classification Standard." = [
        "Communication Services", "Consumer Discretionary", "Consumer Staples", "Energy", "Financials", "Health Care",
        "Industrials", "Information Technology", "Materials", "Real Estate", "Utilities",
    ];
    Regime: "The state of the market." = ["bull", "bear", "sideways"];
    Action: "What a signal proposes." = ["BUY", "SELL", "HOLD"];
    LevelName: "A band." = ["LOW", "MEDIUM", "HIGH"];
    Status: "`executed` means that the user who asks has accepted it." = ["active", "executed", "expired", "cancelled"];
    DecisionName: "What to do about a signal." = ["accept", "reject", "ignore"];
    SideName: "Whether shares come or go." = ["buy", "sell"];
    OrderKind: "When an order may trade, and at what price." = ["market", "limit", "stop", "stop_limit", "trailing_stop"];
    TimeInForceName: "How long an order works: to the close, until cancelled, in the next opening or closing auction." = ["day", "gtc", "opg", "cls"];
    OrderStateName: "How far an order has come." = [
        "new", "accepted", "partially_filled", "filled", "canceled", "rejected", "expired", "replaced",
    ];
    PriceBasisName: "Which observation gave the reference price; a delisting pays out without an order." = ["open", "level", "close", "quote", "delisting"];
    PositionStatus: "Whether anything is still held." = ["open", "closed"];
    PeriodName: "How far back to look." = ["1D", "1W", "1M", "3M", "6M", "1Y", "ALL"];
    RunKindName: "What a run brings in." = ["scheduled", "stocks", "stock_list"];
    RunStateName: "`paused`: a vendor's quota is used up, the next run does the rest. `partial`: some symbols failed, the others are stored." = ["running", "paused", "succeeded", "partial", "failed"];
    QuarantineReasonName: "Which rule of the quality gate a bar broke." = [
        "contradiction", "silent_move", "volume_spike", "stale_repeat", "unexplained_jump", "vendors_disagree", "unreadable",
    ];
    QuarantineStateName: "What was decided about a bar." = ["held", "released", "discarded"];
    ThemeName: "What a chart will be seen on." = ["light", "dark"];
    ClockMode: "Whether time is simulated." = ["replay", "wall"];
    Session: "Whether the regular session is on." = ["open", "closed"];
    OriginName: "Who placed an order." = ["user", "automatic", "stop_loss", "take_profit", "time_exit"];
}

macro_rules! texts {
    ($($name:ident: $description:literal = $pattern:literal, $length:expr, $example:literal;)*) => {$(
        /// A text as the document describes it.
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some($description))
                    .pattern(Some($pattern))
                    .max_length($length)
                    .examples([$example])
                    .into()
            }
        }

        impl ToSchema for $name {}
    )*};
}

texts! {
    SymbolName: "A ticker symbol in any case, a dot before a share class." = "^[A-Za-z][A-Za-z0-9]*(\\.[A-Za-z0-9]+)?$", Some(10), "AAPL";
    PersonName: "A name without control characters." = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$", Some(100), "Ann";
}

#[cfg(test)]
mod tests {
    use domain::{
        Role, Sector,
        order::{OrderState, TimeInForce},
        signal::{SignalAction, SignalStatus},
    };

    use super::*;

    fn words<T: PartialSchema>() -> Vec<String> {
        let schema = serde_json::to_value(T::schema()).unwrap();
        schema["enum"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    }

    fn written<T: serde::Serialize>(values: impl IntoIterator<Item = T>) -> Vec<String> {
        values.into_iter().map(|value| serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_document_lists_the_words_that_are_written() {
        assert_eq!(words::<RoleName>(), written([Role::Viewer, Role::Trader, Role::Admin]));
        assert_eq!(words::<SectorName>(), written(Sector::ALL));
        assert_eq!(words::<Action>(), written(SignalAction::ALL));
        assert_eq!(words::<Status>(), written(SignalStatus::ALL));
        assert_eq!(words::<OrderStateName>(), written(OrderState::ALL));
        assert_eq!(words::<QuarantineReasonName>(), written(app::data::Reason::ALL));
        assert_eq!(words::<TimeInForceName>(), written([TimeInForce::Day, TimeInForce::Gtc, TimeInForce::Opg, TimeInForce::Cls]));
    }
}

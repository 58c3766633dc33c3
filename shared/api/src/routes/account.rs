//! Everything that is kept about a user, to take along or to end.

use app::{
    account::{Accounts, Export, ExportFrom, ExportSummary},
    auth::User,
    ports::{Decision, DecisionKind},
};
use axum::extract::State;
use domain::{Date, Email, Timestamp, execution::RiskProfile, order::OrderId, trading::Valuation};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    admin::AccountBody,
    auth::{
        dto::{MessageBody, Otp},
        profile::PreferencesBody,
    },
    portfolio::{
        ledger::{EntryBody, TradeBody},
        ledger_state::{HoldingBody, LedgerState},
        order_dto::OrderBody,
    },
    vocabulary::{DecisionName, RiskTolerance, SectorName},
};
use crate::{
    clock::WallNow,
    cursor::CursorSealer,
    extract::{AuthUser, Json, Limit, Query, RequestOrigin},
    number::Dollars,
    problem::Problem,
};

const TAG: &str = "Auth";

/// What these routes work with.
#[derive(Clone)]
pub struct AccountState {
    pub accounts: Accounts,
    pub cursors: CursorSealer,
}

/// The routes under `/users/me` that reach into the portfolio.
pub fn router(state: AccountState) -> OpenApiRouter {
    routes().with_state(state)
}

pub(crate) fn routes() -> OpenApiRouter<AccountState> {
    OpenApiRouter::default().routes(routes!(export_account)).routes(routes!(delete_account))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// `next_cursor` of the page before.
    #[param(nullable = false)]
    cursor: Option<String>,
    /// Orders, trades and ledger entries together.
    #[serde(default)]
    #[param(inline, required = false, value_type = Limit<1000, 2000>)]
    limit: Limit<1000, 2000>,
}

/// A page of everything that is kept about you.
#[derive(Debug, Serialize, ToSchema)]
struct AccountExport {
    exported_at: Timestamp,
    /// On the first page.
    account: Option<AccountBody>,
    /// On the first page.
    profile: Option<ExportedProfile>,
    /// On the first page.
    preferences: Option<PreferencesBody>,
    /// Cash, positions, open orders and totals; on the first page, null where nothing was ever traded.
    portfolio: Option<LedgerState>,
    /// On the first page, the last closed first.
    closed_positions: Vec<HoldingBody>,
    /// On the first page, oldest first.
    valuations: Vec<ValuationBody>,
    /// What was decided about signals; on the first page.
    decisions: Vec<DecisionBody>,
    /// Newest first.
    orders: Vec<OrderBody>,
    /// Newest first, after the last order.
    trades: Vec<TradeBody>,
    /// Oldest first, after the last trade.
    ledger: Vec<EntryBody>,
    /// Where the next page begins; null on the last.
    next_cursor: Option<String>,
}

/// What you say about yourself.
#[derive(Debug, Serialize, ToSchema)]
struct ExportedProfile {
    first_name: Option<String>,
    last_name: Option<String>,
    #[schema(value_type = RiskTolerance)]
    risk_tolerance: RiskProfile,
    #[schema(value_type = Vec<SectorName>)]
    preferred_sectors: Vec<domain::Sector>,
    max_position_size: Option<Dollars>,
}

/// What a portfolio was worth at a close.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Valuation)]
struct ValuationBody {
    date: Date,
    /// Cash and everything held.
    equity: Dollars,
    cash: Dollars,
    /// All paper cash that had come in.
    deposits: Dollars,
    /// Value of everything bought and sold until then.
    turnover: Dollars,
}

/// What was decided about a signal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Decision)]
struct DecisionBody {
    signal_id: String,
    #[schema(value_type = DecisionName)]
    action: DecisionKind,
    notes: Option<String>,
    /// The order that followed.
    order_id: Option<String>,
    /// Whether it was decided for you, as your preferences allow.
    automatic: bool,
}

/// Confirms that the account is yours and that you mean it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeletionRequest {
    /// The address of your account.
    #[schema(value_type = String, format = Email, example = "ann@example.com")]
    email: Email,
    /// A fresh code from `POST /api/v1/auth/request-otp`; it is used up.
    #[schema(value_type = String, pattern = r"^\s*[0-9]{6}\s*$", example = "042137")]
    otp: Otp,
}

impl From<Valuation> for ValuationBody {
    fn from(valuation: Valuation) -> Self {
        let Valuation { date, equity, cash, deposits, turnover } = valuation;
        Self { date, equity: Dollars(equity), cash: Dollars(cash), deposits: Dollars(deposits), turnover: Dollars(turnover) }
    }
}

impl From<Decision> for DecisionBody {
    fn from(decision: Decision) -> Self {
        let Decision { signal, kind, notes, order, auto } = decision;
        Self { signal_id: signal.to_string(), action: kind, notes, order_id: order.map(|id| id.0), automatic: auto }
    }
}

impl From<&User> for ExportedProfile {
    fn from(user: &User) -> Self {
        let profile = user.profile.clone();
        Self {
            first_name: profile.first_name,
            last_name: profile.last_name,
            risk_tolerance: profile.risk_tolerance,
            preferred_sectors: profile.preferred_sectors,
            max_position_size: profile.max_position_size.map(Dollars),
        }
    }
}

impl AccountExport {
    fn new(export: Export, exported_at: Timestamp, next_cursor: Option<String>) -> Result<Self, serde_json::Error> {
        let Export { summary, orders, trades, ledger, next: _ } = export;
        let mut page = Self {
            exported_at,
            account: None,
            profile: None,
            preferences: None,
            portfolio: None,
            closed_positions: vec![],
            valuations: vec![],
            decisions: vec![],
            orders: orders.into_iter().map(Into::into).collect(),
            trades: trades.into_iter().map(Into::into).collect(),
            ledger: ledger.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            next_cursor,
        };
        if let Some(ExportSummary { user, portfolio, closed_positions, valuations, decisions }) = summary {
            page.account = Some((&user).into());
            page.profile = Some((&user).into());
            page.preferences = Some(user.preferences.into());
            page.portfolio = portfolio.map(Into::into);
            page.closed_positions = closed_positions.iter().map(Into::into).collect();
            page.valuations = valuations.into_iter().map(Into::into).collect();
            page.decisions = decisions.into_iter().map(Into::into).collect();
        }
        Ok(page)
    }
}

/// The text that a cursor seals, such as `ledger:42`.
fn position(from: &ExportFrom) -> String {
    match from {
        ExportFrom::Start => "start:".to_owned(),
        ExportFrom::Orders(id) => format!("orders:{id}"),
        ExportFrom::Trades(sequence) => format!("trades:{sequence}"),
        ExportFrom::Ledger(sequence) => format!("ledger:{sequence}"),
    }
}

fn export_from(position: &str) -> Option<ExportFrom> {
    match position.split_once(':')? {
        ("orders", id) => Some(ExportFrom::Orders(OrderId(id.to_owned()))),
        ("trades", sequence) => sequence.parse().ok().map(ExportFrom::Trades),
        ("ledger", sequence) => sequence.parse().ok().map(ExportFrom::Ledger),
        _ => None,
    }
}

/// Export my account
///
/// Everything that is kept about you: address, profile, preferences, portfolio, decisions, orders, trades and the whole ledger. Long
/// histories come in pages: follow `next_cursor` until it is null.
#[utoipa::path(
    get,
    path = "/users/me/export",
    tag = TAG,
    params(ExportQuery),
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "A page of everything.", body = AccountExport))
)]
async fn export_account(
    user: AuthUser,
    State(state): State<AccountState>,
    WallNow(now): WallNow,
    RequestOrigin(origin): RequestOrigin,
    Query(query): Query<ExportQuery>,
) -> Result<Json<AccountExport>, Problem> {
    let scope = format!("export:{}", user.user_id);
    let from = match query.cursor {
        None => ExportFrom::Start,
        Some(cursor) => {
            let position = state.cursors.open(&scope, &cursor)?;
            export_from(&position).ok_or_else(|| Problem::internal(&format_args!("the sealed position {position}")))?
        }
    };
    let export = state.accounts.export(&user, from, query.limit.get(), &origin, now).await?;
    let next_cursor = export.next.as_ref().map(|next| state.cursors.seal(&scope, &position(next)));
    AccountExport::new(export, now, next_cursor).map(Json).map_err(|error| Problem::internal(&error))
}

/// Delete my account
///
/// Ends all sessions at once and deletes everything that is kept about you, portfolio and ledger included; the address may sign up
/// anew. It cannot be undone, and so it asks for your address and a fresh code. A deletion that was interrupted goes on when it is
/// asked for again. The last active administrator has to make another one first.
#[utoipa::path(
    delete,
    path = "/users/me",
    tag = TAG,
    request_body = DeletionRequest,
    security(("bearer" = ["viewer"])),
    responses(
        (status = 200, description = "Nothing is left.", body = MessageBody),
        (status = 409, response = crate::docs::Conflict)
    )
)]
async fn delete_account(
    user: AuthUser,
    State(state): State<AccountState>,
    WallNow(now): WallNow,
    RequestOrigin(origin): RequestOrigin,
    Json(request): Json<DeletionRequest>,
) -> Result<Json<MessageBody>, Problem> {
    state.accounts.delete(&user, &request.email, &request.otp.0, &origin, now).await?;
    Ok(Json(MessageBody { message: "Your account and everything in it are deleted.".to_owned() }))
}

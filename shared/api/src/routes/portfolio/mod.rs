//! Orders, positions, trades and the ledger they follow from, and what they are worth.

pub(super) mod ledger;
pub(super) mod ledger_state;
mod node;
pub(crate) mod order_dto;
mod order_request;
mod order_schema;
mod orders;
mod positions;
mod reports;

use std::sync::Arc;

use app::portfolio::Desk;
use domain::trading::Cause;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{cursor::CursorSealer, middleware::RequestId, problem::Problem};

const TAG: &str = "Portfolio";

/// What the routes of the portfolio work with.
pub struct PortfolioState {
    pub desk: Desk,
    pub cursors: CursorSealer,
}

/// The routes under `/portfolio`.
pub fn router(state: PortfolioState) -> OpenApiRouter {
    routes().with_state(Arc::new(state))
}

pub(crate) fn routes() -> OpenApiRouter<Arc<PortfolioState>> {
    OpenApiRouter::default()
        .routes(routes!(reports::portfolio_summary))
        .routes(routes!(reports::allocation))
        .routes(routes!(reports::portfolio_performance))
        .routes(routes!(positions::list_positions, positions::open_position))
        .routes(routes!(positions::get_position, positions::set_levels, positions::close_position))
        .routes(routes!(orders::list_orders, orders::place_order))
        .routes(routes!(orders::preview_order))
        .routes(routes!(orders::get_order, orders::replace_order, orders::cancel_order))
        .routes(routes!(ledger::list_trades))
        .routes(routes!(ledger::list_entries))
        .routes(routes!(ledger::verify_ledger))
        .routes(routes!(ledger_state::ledger_state))
}

/// The header of writes that may be sent twice and happen once.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct IdempotencyHeader {
    /// Your name for this write: the same key with the same request gives the first answer again, with another request 409.
    #[param(rename = "Idempotency-Key", required = false, nullable = false, pattern = "^[!-~]{1,255}$", example = "6f1c0d9e")]
    _key: Option<String>,
}

/// The request as the cause of what it enters into the ledger.
pub(crate) fn cause() -> Cause {
    Cause::request(RequestId::current().as_ref().map_or("unknown", RequestId::as_str))
}

const NOTES_MAX: usize = 1_000;

/// Notes are kept as they are, if they are not a novel.
pub(crate) fn checked_notes(notes: Option<String>) -> Result<Option<String>, Problem> {
    match notes {
        Some(notes) if notes.chars().count() > NOTES_MAX => {
            Err(Problem::invalid("notes", format!("must be at most {NOTES_MAX} characters")))
        }
        notes => Ok(notes),
    }
}

//! From a reached order to shares that change hands: how many, at what price, at what cost.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::{
    Money, Price, Quantity, TradingDate,
    execution::{EarlierFills, Fee, FeeName, Shares, Side, SlippedPrice, fees::rates::RateError, fees_of_part},
    order::{Order, OrderId, OrderSize, OrderState},
    trading::{
        event::Event,
        fill::{Fill, PriceBasis},
        journal::Journal,
        rules::TradingRules,
        tape::DayTape,
    },
};

/// By how much a fractional quantity is lowered at the least when cash is short: a ten-thousandth of a share.
const FRACTIONAL_STEP: Decimal = Decimal::from_parts(1, 0, 0, false, 4);

/// Why an order waits whose price was reached.
pub(super) const TOO_THIN: &str = "participation: the part of a day's volume that an order may be is less than one share";

/// The observation that an order trades on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trigger {
    pub(super) reference: Price,
    pub(super) at: Timestamp,
    pub(super) basis: PriceBasis,
}

/// Fills as much of the order as the market's volume, the holding and the cash allow; closes it when the cash does not.
pub(super) fn fill(journal: &mut Journal, order_id: &OrderId, tape: &DayTape, trigger: Trigger, rules: &TradingRules) {
    let Some(order) = journal.portfolio().order(order_id).cloned() else { return };
    let already_filled_here = order.fills.iter().any(|fill| fill.reference_at == trigger.at);
    let wanted = wanted_quantity(&order, trigger.reference);
    let takeable = takeable(&order, wanted, tape, rules).min(match order.request.side {
        Side::Sell => journal.portfolio().held(&order.request.symbol),
        Side::Buy => wanted,
    });
    if already_filled_here {
        return;
    }
    if takeable.is_zero() {
        if order.filled_on(tape.date.date()).is_zero() {
            waits(journal, order_id, TOO_THIN);
        }
        return;
    }
    let executed_at = if trigger.basis == PriceBasis::Quote { journal.at() } else { trigger.at };
    let priced = priced(&order, takeable, journal.portfolio().cash, tape, trigger, rules);
    match priced.map(|fill| fill.map(|fill| Fill { executed_at, ..fill })) {
        Err(rates) => close(journal, order_id, OrderState::Rejected, rates.to_string()),
        Ok(None) => {}
        Ok(Some(fill)) if fill.quantity.is_zero() => {
            close(
                journal,
                order_id,
                OrderState::Rejected,
                format!("insufficient-cash: {} does not pay for it at {}", journal.portfolio().cash, fill.price),
            );
        }
        Ok(Some(fill)) => {
            let is_short_of_cash = fill.quantity < takeable;
            journal.record(Event::Filled { fill });
            if is_short_of_cash && journal.portfolio().order(order_id).is_some() {
                close(
                    journal,
                    order_id,
                    OrderState::Canceled,
                    "insufficient-cash: the rest was cancelled because the price had risen".into(),
                );
            }
        }
    }
}

/// Records what the order waits for, unless it says so already.
pub(super) fn waits(journal: &mut Journal, order_id: &OrderId, reason: &str) {
    if journal.portfolio().order(order_id).is_some_and(|order| order.reason != reason) {
        journal.record(Event::OrderWaits { order_id: order_id.clone(), reason: reason.to_owned() });
    }
}

pub(super) fn close(journal: &mut Journal, order_id: &OrderId, state: OrderState, reason: String) {
    journal.record(Event::OrderClosed { order_id: order_id.clone(), state, reason });
}

fn wanted_quantity(order: &Order, reference: Price) -> Quantity {
    match order.request.size {
        OrderSize::Quantity(_) => order.remaining().unwrap_or(Quantity::ZERO),
        OrderSize::Notional(amount) => Shares::Fractional.floor(amount.decimal() / reference.decimal()),
    }
}

/// What the market's volume can take of the order today.
fn takeable(order: &Order, wanted: Quantity, tape: &DayTape, rules: &TradingRules) -> Quantity {
    let volume = tape.before.liquidity.average_daily_volume;
    rules.limits.participation.fillable(wanted, volume, order.filled_on(tape.date.date()), shares_of(wanted))
}

fn shares_of(quantity: Quantity) -> Shares {
    if quantity.is_whole() { Shares::Whole } else { Shares::Fractional }
}

/// The fill with its price and costs, made smaller until `cash` pays for it; `None` when a limit forbids the price or a sale would cost
/// more than it brings and there is.
fn priced(
    order: &Order,
    quantity: Quantity,
    cash: Money,
    tape: &DayTape,
    trigger: Trigger,
    rules: &TradingRules,
) -> Result<Option<Fill>, RateError> {
    let (side, liquidity) = (order.request.side, tape.before.liquidity);
    let mut quantity = quantity;
    loop {
        let slipped = rules.slippage.slip(side, trigger.reference, quantity, liquidity);
        let slipped = match order.request.order_type.limit_price() {
            None => slipped,
            Some(limit) => match slipped.within_limit(side, trigger.reference, limit) {
                None => return Ok(None),
                Some(within) => within,
            },
        };
        let fees = fees_at(order, slipped.price, quantity, tape.date, rules)?;
        let fill = explained(order, quantity, slipped, fees, liquidity.average_daily_volume, trigger);
        let needed = match side {
            Side::Buy => fill.notional() + fill.total_fees(),
            Side::Sell => fill.total_fees() - fill.notional(),
        };
        if needed <= cash || quantity.is_zero() {
            return Ok(Some(fill));
        }
        // Shares that bring less than the fees on selling them, in an account that cannot pay the difference, stay.
        if side == Side::Sell {
            return Ok(None);
        }
        let affordable = shares_of(quantity).floor(((cash - fill.total_fees()).decimal() / slipped.price.decimal()).max(Decimal::ZERO));
        // Rounding may leave the affordable quantity where it was: one step less then.
        let step = if quantity.is_whole() { Decimal::ONE } else { FRACTIONAL_STEP };
        let one_less = shares_of(quantity).floor((quantity.decimal() - step).max(Decimal::ZERO));
        quantity = affordable.min(one_less);
    }
}

fn fees_at(order: &Order, price: Price, quantity: Quantity, date: TradingDate, rules: &TradingRules) -> Result<Vec<Fee>, RateError> {
    let today = order.fills.iter().filter(|fill| crate::calendar::new_york_date(fill.executed_at) == date.date());
    let earlier = today.fold(EarlierFills::default(), |sum, fill| EarlierFills {
        quantity: sum.quantity + fill.quantity,
        value: sum.value + fill.notional(),
        commission: sum.commission + fill.fees.iter().filter(|fee| fee.name == FeeName::Commission).map(|fee| fee.amount).sum(),
    });
    fees_of_part(rules.fees, &rules.rates, order.request.side, date, price, quantity, earlier)
}

fn explained(order: &Order, quantity: Quantity, slipped: SlippedPrice, fees: Vec<Fee>, day_volume: Decimal, trigger: Trigger) -> Fill {
    Fill {
        order_id: order.id.clone(),
        symbol: order.request.symbol.clone(),
        side: order.request.side,
        quantity,
        price: slipped.price,
        executed_at: trigger.at,
        reference_price: trigger.reference,
        reference_at: trigger.at,
        basis: trigger.basis,
        half_spread_bps: slipped.half_spread_bps,
        impact_bps: slipped.impact_bps,
        slippage_bps: slipped.total_bps,
        participation: if day_volume.is_zero() { Decimal::ONE } else { (quantity.decimal() / day_volume).round_dp(9) },
        fees,
    }
}

//! Whether a fill is one that could have happened: an observed price after the order, fair slippage, the right fees, not too much of it.

use domain::{
    Date, Decimal, Symbol, Timestamp, TradingDate, calendar,
    execution::fees::rates::{RateTable, RegulatoryFee},
};
use serde_json::Value;

use super::{
    ledger::{OrderNote, parsed},
    market::{FeedKind, Market},
    number::{CENT, Nano, ONE, at, cents, cents_up, half_up, parse, show, text},
};

/// What this world's broker charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// Regulatory fees only.
    UsRetail,
    /// Half a cent a share, between a dollar and a hundredth of the value, and regulatory fees.
    IbkrFixed,
    /// A tenth of a percent of the value.
    TenthOfAPercent,
}

/// What a good fill moves.
pub(crate) struct Booked {
    pub(crate) shares: Nano,
    pub(crate) notional: Nano,
    pub(crate) charged: Nano,
    pub(crate) at: Timestamp,
}

/// The most of a stock's average daily volume that one order may trade in one session: 2.5 %.
const CAP: (Nano, Nano) = (25, 1_000);
/// Sessions over which the average is taken.
const WINDOW: usize = 20;

pub(crate) fn check(
    fill: &Value,
    order: &mut OrderNote,
    recorded_at: Timestamp,
    market: &Market,
    schedule: Schedule,
) -> Result<Booked, String> {
    let (shares, price, reference) = (at(fill, "quantity")?, at(fill, "price")?, at(fill, "reference_price")?);
    let (executed_at, reference_at): (Timestamp, Timestamp) = (parsed(fill, "executed_at")?, parsed(fill, "reference_at")?);
    if shares <= 0 || parsed::<Symbol>(fill, "symbol")? != order.symbol || (text(fill, "side")? == "buy") != order.is_buy {
        return Err(format!("not what was ordered: {fill}"));
    }
    let is_older = reference_at < order.placed_at || (reference_at == order.placed_at && !order.is_exit);
    if is_older || reference_at > recorded_at || executed_at != reference_at {
        return Err(format!("placed at {}, recorded at {recorded_at}, filled at a price of {reference_at}", order.placed_at));
    }
    if order.last_filled_at.is_some_and(|last| last >= executed_at) {
        return Err(format!("fills twice at {executed_at}"));
    }
    observed(text(fill, "basis")?, &order.symbol, reference, reference_at, market)?;
    in_time(order, text(fill, "basis")?, calendar::new_york_date(executed_at))?;
    fair(order, price, reference, at(fill, "slippage_bps")?)?;

    let date = calendar::new_york_date(executed_at);
    let notional = cents(price, shares);
    let session = order.by_session.entry(date).or_default();
    session.0 += shares;
    session.1 += price * shares / ONE;
    let volume = average_volume(market, &order.symbol, date);
    if session.0 * CAP.1 > volume * CAP.0 {
        return Err(format!("{} shares in one session are too much of {} a day", show(session.0), show(volume)));
    }
    let charged = fees(fill, order, date, price * shares, schedule)?;
    order.filled += shares;
    order.last_filled_at = Some(executed_at);
    Ok(Booked { shares, notional, charged, at: executed_at })
}

/// The market showed this price at this instant.
fn observed(basis: &str, symbol: &Symbol, reference: Nano, at: Timestamp, market: &Market) -> Result<(), String> {
    let date = calendar::new_york_date(at);
    let bar = market.bar(symbol, date).ok_or_else(|| format!("{symbol} did not trade on {date}"))?;
    let nano = |price: domain::Price| i128::from(price.units()) * (ONE / 10_000);
    let (open, close) = (bar.date.open(), bar.date.close());
    let is_true = match basis {
        "open" => at == open && reference == nano(bar.open),
        "close" => at == close && reference == nano(bar.close),
        "level" => at == close && (nano(bar.low)..=nano(bar.high)).contains(&reference),
        "quote" => market.feed == FeedKind::Live && open < at && at < close && reference == nano(Market::live_price(bar, at)),
        _ => false,
    };
    if is_true { Ok(()) } else { Err(format!("no {basis} of {} at {at}: {bar:?}", show(reference))) }
}

fn in_time(order: &OrderNote, basis: &str, date: Date) -> Result<(), String> {
    let is_in_auction = match order.time_in_force.as_str() {
        "opg" => basis == "open",
        "cls" => basis == "close",
        _ => true,
    };
    let is_alive = order.expires_on.is_none_or(|last| date <= last);
    if is_in_auction && is_alive { Ok(()) } else { Err(format!("a {} order at the {basis} of {date}", order.time_in_force)) }
}

/// Against the trader by as much as the fill says and a rounding, and never beyond the limit.
fn fair(order: &OrderNote, price: Nano, reference: Nano, slippage_bps: Nano) -> Result<(), String> {
    let moved = (reference * slippage_bps) / (ONE * 10_000);
    let tick = ONE / 10_000;
    let (against, limit_holds) = if order.is_buy {
        (price - reference, order.limit.is_none_or(|limit| price <= limit))
    } else {
        (reference - price, order.limit.is_none_or(|limit| price >= limit))
    };
    let is_stated = against >= 0 && against < moved + tick && (order.limit.is_some() || against >= moved.min(reference - tick));
    if is_stated && limit_holds {
        Ok(())
    } else {
        Err(format!("{} for a reference of {}, {} bps and the limit {:?}", show(price), show(reference), show(slippage_bps), order.limit))
    }
}

/// Mean volume of the sessions before `date` on its share basis, in billionths, rounded down to whole shares.
fn average_volume(market: &Market, symbol: &Symbol, date: Date) -> Nano {
    let Some(history) = market.histories.get(symbol) else { return 0 };
    let end = history.bars.partition_point(|record| record.bar.date.date() < date);
    // A window of returns begins with the second bar.
    let bars = &history.bars[end.saturating_sub(WINDOW + 1)..end];
    if bars.len() < 2 {
        return 0;
    }
    let volumes = bars[1..].iter().map(|record| {
        let later = history.actions.iter().filter(|action| action.ex_date > record.bar.date.date() && action.ex_date <= date);
        let ratio: Decimal = later.map(|action| action.kind.share_ratio()).product();
        i128::from(record.bar.volume) * parse(&ratio.to_string()).unwrap_or(ONE)
    });
    volumes.sum::<Nano>() / (bars.len() as Nano - 1) / ONE * ONE
}

/// Checks each fee by its name and returns what they add up to.
fn fees(fill: &Value, order: &mut OrderNote, date: Date, value: i128, schedule: Schedule) -> Result<Nano, String> {
    let charged = fill["fees"].as_array().ok_or("no fees")?;
    let named = |name: &str| -> Result<Nano, String> {
        let fees = charged.iter().filter(|fee| fee["name"] == name);
        fees.map(|fee| at(fee, "amount")).sum()
    };
    let shares = at(fill, "quantity")?;
    let total: Nano = charged.iter().map(|fee| at(fee, "amount")).sum::<Result<_, _>>()?;
    let (sec, taf, cat) = if schedule == Schedule::TenthOfAPercent { (0, 0, 0) } else { regulatory(order.is_buy, date, value, shares)? };
    if (named("sec-section-31")?, named("finra-taf")?, named("cat")?) != (sec, taf, cat) {
        return Err(format!("regulators take {}, {} and {}: {charged:?}", show(sec), show(taf), show(cat)));
    }
    let commission = named("commission")?;
    if total != sec + taf + cat + commission {
        return Err(format!("a fee that nobody knows: {charged:?}"));
    }
    let fills = i128::try_from(order.by_session.len()).unwrap_or(1) + 3;
    let session = order.by_session.entry(date).or_default();
    session.2 += commission;
    let owed = match schedule {
        Schedule::UsRetail => 0,
        Schedule::TenthOfAPercent => session.1 / 1_000,
        Schedule::IbkrFixed => (session.0 / 200).max(if session.0 < ONE { CENT } else { ONE }).min(session.1 / 100),
    };
    if (session.2 - owed).abs() > CENT * fills || (schedule == Schedule::UsRetail && commission != 0) {
        return Err(format!("the session's commission is {}, owed are {}", show(session.2), show(owed)));
    }
    Ok(total)
}

/// Section 31, Trading Activity Fee and Consolidated Audit Trail, each to the next cent; the rates are data.
fn regulatory(is_buy: bool, date: Date, value: i128, shares: Nano) -> Result<(Nano, Nano, Nano), String> {
    let date = TradingDate::new(date).map_err(|error| error.to_string())?.date();
    let rate = |fee| RateTable::bundled().on(fee, date).map_err(|error| error.to_string());
    let number = |decimal: Decimal| parse(&decimal.to_string());
    let cat = cents_up(shares, number(rate(RegulatoryFee::Cat)?.rate)?);
    if is_buy {
        return Ok((0, 0, cat));
    }
    // `value` is dollars times 10^18; a rate is for a million dollars.
    let exact = value * number(rate(RegulatoryFee::SecSection31)?.rate)?;
    let unit = ONE * ONE * 1_000_000 * CENT;
    let sec = (exact + unit - 1) / unit * CENT;
    let taf_rate = rate(RegulatoryFee::FinraTaf)?;
    let taf = cents_up(shares, number(taf_rate.rate)?);
    let cap = taf_rate.cap.map(|cap| number(cap.decimal())).transpose()?;
    Ok((sec, cap.map_or(taf, |cap| taf.min(cap)), cat))
}

/// The worst that rounding cents can do to `count` amounts.
pub(crate) fn rounding(count: u64) -> Nano {
    half_up(CENT * Nano::from(count), 1) + CENT
}

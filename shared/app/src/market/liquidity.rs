//! How readily a stock traded in the sessions before a date.

use domain::{ActionKind, Bar, BarRecord, Date, Decimal, Price, PriceHistory, TradingDate, execution::Liquidity, trading::Background};

const WINDOW: usize = 20;
/// Volatility is kept to a hundredth of a basis point: finer would be noise and cost digits in every fill.
const VOLATILITY_PLACES: u32 = 6;

/// Of a stock without history: it takes no volume, so that nothing fills.
pub(super) const UNKNOWN: Liquidity = Liquidity { average_daily_volume: Decimal::ZERO, daily_volatility: Decimal::ZERO };

/// What was known of a stock before the session of `date` opened: only bars of earlier sessions count.
pub fn background(history: &PriceHistory, date: Date) -> Background {
    let end = history.bars.partition_point(|record| record.bar.date.date() < date);
    let before = &history.bars[..end];
    let previous_close = before.last().and_then(|record| close_on_basis_of_day_before(history, &record.bar, date));
    Background { previous_close, liquidity: liquidity(history, before, date) }
}

/// A stock may split without trading for days: its last close then means as many shares as the day before `date` had.
fn close_on_basis_of_day_before(history: &PriceHistory, last: &Bar, date: Date) -> Option<Price> {
    let ratio = history.ratio_between(last.date.date(), date.yesterday().ok()?, ActionKind::price_ratio);
    Price::round(last.close.decimal() / ratio).ok()
}

/// As a session left it, on that session's share basis: what order entry goes by until the next bar.
pub fn liquidity_after(history: &PriceHistory, session: TradingDate) -> Liquidity {
    let end = history.bars.partition_point(|record| record.bar.date <= session);
    liquidity(history, &history.bars[..end], session.date())
}

/// Mean volume and standard deviation of returns over the last 20 of `bars`, on the share basis of `as_of`.
fn liquidity(history: &PriceHistory, bars: &[BarRecord], as_of: Date) -> Liquidity {
    let window = &bars[bars.len().saturating_sub(WINDOW + 1)..];
    if window.len() < 2 {
        return UNKNOWN;
    }
    let (mut volume, mut returns) = (Decimal::ZERO, Vec::with_capacity(WINDOW));
    for pair in window.windows(2) {
        let (before, after) = (&pair[0].bar, &pair[1].bar);
        volume += Decimal::from(after.volume) * history.ratio_between(after.date.date(), as_of, ActionKind::share_ratio);
        let basis = history.ratio_between(before.date.date(), after.date.date(), ActionKind::price_ratio);
        returns.push(after.close.decimal() * basis / before.close.decimal() - Decimal::ONE);
    }
    let count = Decimal::from(returns.len());
    let mean = returns.iter().sum::<Decimal>() / count;
    let variance = returns.iter().map(|value| (value - mean) * (value - mean)).sum::<Decimal>() / count;
    Liquidity { average_daily_volume: (volume / count).trunc(), daily_volatility: square_root(variance).round_dp(VOLATILITY_PLACES) }
}

fn square_root(value: Decimal) -> Decimal {
    use rust_decimal::MathematicalOps;
    value.sqrt().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{CorporateAction, Source, Timestamp, TradingDate};

    fn history(closes: &[&str], volumes: &[u64]) -> PriceHistory {
        let mut history = PriceHistory::new("AAPL".parse().unwrap());
        let mut date = TradingDate::new(jiff::civil::date(2022, 1, 3)).unwrap();
        for (close, volume) in closes.iter().zip(volumes) {
            let price = close.parse().unwrap();
            let bar = Bar { date, open: price, high: price, low: price, close: price, volume: *volume };
            history.bars.push(BarRecord { bar, source: Source::Bundled, known_at: Timestamp::UNIX_EPOCH });
            date = date.next();
        }
        history
    }

    #[test]
    fn only_sessions_before_the_date_count() {
        let history = history(&["100", "110", "99", "500"], &[1, 1000, 3000, 999_999]);
        // Returns +10 % and −10 %: mean 0, deviation 10 %.
        let seen = background(&history, history.bars[3].bar.date.date());
        assert_eq!(seen.liquidity.average_daily_volume, Decimal::from(2000));
        assert_eq!(seen.liquidity.daily_volatility, Decimal::new(1, 1));
        assert_eq!(seen.previous_close.unwrap().to_string(), "99");
    }

    #[test]
    fn a_split_changes_neither_volatility_nor_the_value_of_the_volume() {
        let mut history = history(&["400", "440", "99", "99"], &[1, 1000, 12_000, 1]);
        history.actions.push(CorporateAction {
            ex_date: history.bars[2].bar.date.date(),
            kind: ActionKind::Split { ratio: Decimal::from(4) },
            source: Source::Bundled,
            known_at: Timestamp::UNIX_EPOCH,
        });
        let seen = background(&history, history.bars[3].bar.date.date());
        assert_eq!(seen.liquidity.average_daily_volume, Decimal::from(8000), "(1,000 × 4 + 12,000) / 2");
        assert_eq!(seen.liquidity.daily_volatility, Decimal::new(1, 1), "+10 % and 99 × 4 / 440 = −10 %");
    }

    #[test]
    fn without_history_nothing_is_liquid() {
        assert_eq!(background(&history(&["100"], &[1]), jiff::civil::date(2022, 1, 4)).liquidity, UNKNOWN);
    }
}

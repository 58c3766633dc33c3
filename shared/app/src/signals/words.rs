//! A signal in words: only what its numbers say.

use analysis::{FeatureRow, MarketRegime, model::Decision};
use domain::{Price, signal::SignalAction};

/// How many features the rationale names.
const NAMED: usize = 3;

/// One or two sentences: the chance, the expectation, and what moved the score most.
pub(super) fn rationale(action: SignalAction, decision: &Decision, contributions: &[(String, f64)]) -> String {
    let chance = format!("{:.0} %", decision.confidence * 100.0);
    let claim = match action {
        SignalAction::Buy => format!(
            "A {chance} chance that the target is reached before the stop; the trade is expected to return {:+.2} % after costs.",
            decision.expected_return * 100.0
        ),
        SignalAction::Sell => format!(
            "A {chance} chance that the price falls to the target before it rises to the stop; {:+.2} % is expected after costs.",
            decision.expected_return * 100.0
        ),
        SignalAction::Hold => {
            let best = decision.long_r.max(decision.short_r);
            format!(
                "No trade promises enough after costs (the better side {best:+.2} times its risk); a {chance} chance of neither target."
            )
        }
    };
    let moved = contributions.iter().take(NAMED).map(|(name, value)| format!("{} ({value:+.2})", name.replace('_', " ")));
    format!("{claim} What moved the score most: {}.", moved.collect::<Vec<_>>().join(", "))
}

/// Trend, momentum, range and volume as the indicators show them; what is still warming up is left out.
pub(super) fn technical_analysis(features: &FeatureRow, close: Price) -> String {
    let close = f64::try_from(close.decimal()).unwrap_or(f64::NAN);
    let sentences = [trend(features, close), momentum(features), bands(features, close), volume(features), regime(features)];
    sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn trend(features: &FeatureRow, close: f64) -> Option<String> {
    let (short, long) = (features.sma_50?, features.sma_200?);
    let side = |average: f64| if close >= average { "above" } else { "below" };
    let cross = if short >= long { "above" } else { "below" };
    Some(format!(
        "The close of {close:.2} is {} its 50-session average ({short:.2}) and {} its 200-session average ({long:.2}); the former is {cross} the latter.",
        side(short),
        side(long)
    ))
}

fn momentum(features: &FeatureRow) -> Option<String> {
    let (rsi, histogram) = (features.rsi_14?, features.macd_histogram?);
    let state = match rsi {
        value if value >= 70.0 => "overbought",
        value if value <= 30.0 => "oversold",
        _ => "neutral",
    };
    let direction = if histogram >= 0.0 { "above" } else { "below" };
    Some(format!("RSI(14) is {rsi:.1} ({state}); MACD is {direction} its signal line by {:.2}.", histogram.abs()))
}

fn bands(features: &FeatureRow, close: f64) -> Option<String> {
    let (upper, lower, atr) = (features.bollinger_upper?, features.bollinger_lower?, features.atr_14?);
    let place = if close > upper {
        "above its upper Bollinger band".to_owned()
    } else if close < lower {
        "below its lower Bollinger band".to_owned()
    } else {
        format!("{:.0} % of the way up its Bollinger bands", (close - lower) / (upper - lower) * 100.0)
    };
    Some(format!("It closed {place}; the average true range is {atr:.2} ({:.1} % of the price).", atr / close * 100.0))
}

fn volume(features: &FeatureRow) -> Option<String> {
    features.volume_ratio.map(|ratio| format!("Volume was {ratio:.2} times its 20-session average."))
}

fn regime(features: &FeatureRow) -> Option<String> {
    let name = match features.market_regime? {
        MarketRegime::Bull => "a bull",
        MarketRegime::Bear => "a bear",
        MarketRegime::Sideways => "a sideways",
    };
    Some(format!("The market as a whole is in {name} phase."))
}

//! Ticker symbols in the exchange's own notation.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

/// A US stock ticker such as `AAPL` or, for a share class, `BRK.B`.
///
/// Always upper case with a dot before the class; each vendor's notation is converted where the vendor is called.
/// Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Symbol(Arc<str>);

/// Why a text is not a ticker symbol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a ticker symbol: expected 1 to 10 letters or digits, a dot before a share class (`BRK.B`)")]
pub struct SymbolError(String);

impl Symbol {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Symbol {
    type Err = SymbolError;

    /// Accepts lower case, since people type it, and stores upper case.
    fn from_str(text: &str) -> Result<Self, SymbolError> {
        let well_formed = (1..=10).contains(&text.len())
            && text.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()))
            && text.split('.').count() <= 2
            && text.as_bytes()[0].is_ascii_alphabetic();
        if !well_formed {
            // Bad input is echoed in the answer: keep it short.
            return Err(SymbolError(text.chars().take(20).collect()));
        }
        Ok(Self(text.to_ascii_uppercase().into()))
    }
}

impl TryFrom<String> for Symbol {
    type Error = SymbolError;
    fn try_from(text: String) -> Result<Self, SymbolError> {
        text.parse()
    }
}

impl From<Symbol> for String {
    fn from(symbol: Symbol) -> String {
        symbol.0.to_string()
    }
}

impl Borrow<str> for Symbol {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tickers_are_symbols() {
        for (text, expected) in [
            ("AAPL", Some("AAPL")),
            ("aapl", Some("AAPL")),
            ("BRK.B", Some("BRK.B")),
            ("T", Some("T")),
            ("", None),
            ("BRK-B", None),
            (".B", None),
            ("BRK.", None),
            ("A.B.C", None),
            ("1ABC", None),
            ("TOOLONGTICKER", None),
            ("AA PL", None),
            ("ÄÖ", None),
            ("../etc", None),
        ] {
            assert_eq!(text.parse::<Symbol>().ok().as_ref().map(Symbol::as_str), expected, "{text:?}");
        }
    }
}

//! How each vendor writes a ticker.
//!
//! | share | here | Polygon | Tiingo |
//! |---|---|---|---|
//! | common stock | `AAPL` | `AAPL` | `AAPL` |
//! | class B | `BRK.B` | `BRK.B` | `BRK-B` |
//! | warrants | `XYZ.WS` | `XYZ.WS` | `XYZ-WS` |
//! | preferred, series J | none | `SPGpJ` | `SPG-P-J` |
//!
//! Preferred shares are no companies and have no [`Symbol`]: they are passed over.

use domain::Symbol;

pub(super) mod polygon {
    use super::Symbol;

    /// Kinds of shares are written in lower case: those we do not have.
    pub(in crate::market_data) fn symbol(ticker: &str) -> Option<Symbol> {
        if ticker.bytes().any(|byte| byte.is_ascii_lowercase()) { None } else { ticker.parse().ok() }
    }

    /// Tickers are case-sensitive there, and symbols always upper case.
    pub(in crate::market_data) fn ticker(symbol: &Symbol) -> &str {
        symbol.as_str()
    }
}

pub(super) mod tiingo {
    use super::Symbol;

    /// A dot is a leftover of another list, without prices.
    pub(in crate::market_data) fn symbol(ticker: &str) -> Option<Symbol> {
        if ticker.contains('.') { None } else { ticker.replace('-', ".").parse().ok() }
    }

    pub(in crate::market_data) fn ticker(symbol: &Symbol) -> String {
        symbol.as_str().replace('.', "-")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tickers_are_read_in_each_vendor_s_notation() {
        for (polygon, tiingo, expected) in [
            ("AAPL", "AAPL", Some("AAPL")),
            ("BRK.B", "BRK-B", Some("BRK.B")),
            ("XYZ.WS", "xyz-ws", Some("XYZ.WS")),
            ("KIMpL", "KIM-P-L", None),
            ("BRK-B", "BRK.B", None),
            ("", "", None),
            ("A.B.C", "A-B-C", None),
            (".B", "-B", None),
            ("ÄÖ", "ÄÖ", None),
        ] {
            let read = [polygon::symbol(polygon), tiingo::symbol(tiingo)];
            assert_eq!(read.each_ref().map(|symbol| symbol.as_ref().map(Symbol::as_str)), [expected; 2], "{polygon} {tiingo}");
        }
    }

    proptest! {
        #[test]
        fn every_symbol_comes_back(text in "[A-Z][A-Z0-9]{0,4}(\\.[A-Z]{1,2})?") {
            let symbol: Symbol = text.parse().unwrap();
            prop_assert_eq!(polygon::symbol(polygon::ticker(&symbol)), Some(symbol.clone()));
            prop_assert_eq!(tiingo::symbol(&tiingo::ticker(&symbol)), Some(symbol));
        }
    }
}

//! What is known of a listed company apart from its prices.

use std::{fmt, str::FromStr};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Money, Symbol};

/// A listed stock and the company behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Company {
    pub symbol: Symbol,
    pub name: String,
    pub sector: Option<Sector>,
    /// GICS sub-industry or the vendor's own wording.
    pub industry: Option<String>,
    /// Newest known market capitalisation in dollars.
    pub market_cap: Option<Money>,
    /// ISO 4217.
    pub currency: String,
    /// ISO 10383 market identifier code of the primary listing, such as `XNYS`.
    pub exchange: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// The share class's FIGI where the vendor tells it: it stays when the symbol changes.
    pub figi: Option<String>,
    pub listed_on: Option<Date>,
    pub delisted_on: Option<Date>,
    /// Inactive stocks keep their history but get no signals and no orders.
    pub is_active: bool,
}

impl Company {
    /// An active stock, quoted in dollars, of which only the name is known.
    pub fn named(symbol: Symbol, name: impl Into<String>) -> Self {
        Self {
            symbol,
            name: name.into(),
            sector: None,
            industry: None,
            market_cap: None,
            currency: "USD".into(),
            exchange: None,
            country: None,
            figi: None,
            listed_on: None,
            delisted_on: None,
            is_active: true,
        }
    }
}

/// The eleven sectors of the Global Industry Classification Standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Sector {
    CommunicationServices,
    ConsumerDiscretionary,
    ConsumerStaples,
    Energy,
    Financials,
    HealthCare,
    Industrials,
    InformationTechnology,
    Materials,
    RealEstate,
    Utilities,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a GICS sector; the sectors are: {all}", all = Sector::ALL.map(Sector::name).join(", "))]
pub struct SectorError(String);

impl Sector {
    pub const ALL: [Self; 11] = [
        Self::CommunicationServices,
        Self::ConsumerDiscretionary,
        Self::ConsumerStaples,
        Self::Energy,
        Self::Financials,
        Self::HealthCare,
        Self::Industrials,
        Self::InformationTechnology,
        Self::Materials,
        Self::RealEstate,
        Self::Utilities,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::CommunicationServices => "Communication Services",
            Self::ConsumerDiscretionary => "Consumer Discretionary",
            Self::ConsumerStaples => "Consumer Staples",
            Self::Energy => "Energy",
            Self::Financials => "Financials",
            Self::HealthCare => "Health Care",
            Self::Industrials => "Industrials",
            Self::InformationTechnology => "Information Technology",
            Self::Materials => "Materials",
            Self::RealEstate => "Real Estate",
            Self::Utilities => "Utilities",
        }
    }
}

impl FromStr for Sector {
    type Err = SectorError;
    fn from_str(text: &str) -> Result<Self, SectorError> {
        Self::ALL
            .into_iter()
            .find(|sector| sector.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| SectorError(text.chars().take(40).collect()))
    }
}

impl TryFrom<String> for Sector {
    type Error = SectorError;
    fn try_from(text: String) -> Result<Self, SectorError> {
        text.parse()
    }
}

impl From<Sector> for String {
    fn from(sector: Sector) -> String {
        sector.name().to_owned()
    }
}

impl fmt::Display for Sector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

//! Finding companies.

use domain::{Company, Sector};

/// What a company must be to be listed; an empty filter lists all.
#[derive(Debug, Clone, Default)]
pub struct StockFilter {
    pub sector: Option<Sector>,
    /// Part of the symbol or of the name, in any case.
    pub search: Option<String>,
}

impl StockFilter {
    /// The companies that match, in their order, from the one after `skip` on; and how many there are in all.
    pub fn page<'a>(&self, companies: &'a [Company], skip: usize, limit: usize) -> (Vec<&'a Company>, usize) {
        let matching: Vec<&Company> = companies.iter().filter(|company| self.matches(company)).collect();
        (matching.iter().skip(skip).take(limit).copied().collect(), matching.len())
    }

    fn matches(&self, company: &Company) -> bool {
        let sector_fits = self.sector.is_none_or(|sector| company.sector == Some(sector));
        sector_fits && self.search.as_deref().is_none_or(|text| is_found(text, company))
    }
}

fn is_found(text: &str, company: &Company) -> bool {
    let text = text.trim().to_lowercase();
    company.symbol.as_str().to_lowercase().contains(&text) || company.name.to_lowercase().contains(&text)
}

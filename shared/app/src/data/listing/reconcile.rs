//! Comparing what is known with what a vendor lists.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Company, Date, Symbol};
use tracing::warn;

/// A company that the vendor says nothing about is taken for delisted after missing in so many lists in a row.
const LISTS: u32 = 5;
/// A list that lacks more than this part of the known companies is a vendor's hiccup: nothing is concluded from what it lacks.
const HICCUP: f64 = 0.05;
/// So few may be missing from a short list without that suspicion.
const FEW: usize = 3;

/// What follows from a list.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Change {
    /// As they are from now on; also those that have not changed.
    pub(super) companies: Vec<Company>,
    pub(super) renames: Vec<Rename>,
    /// With the day of the end, where it was told.
    pub(super) ends: Vec<(Symbol, Option<Date>)>,
    pub(super) absences: BTreeMap<Symbol, u32>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rename {
    pub(super) from: Symbol,
    pub(super) to: Symbol,
    /// First day under the new symbol, where it was told.
    pub(super) on: Option<Date>,
}

impl Change {
    /// Without companies that were not known before, unless they are known ones under a new symbol.
    pub(super) fn only_of(mut self, known: &[Company]) -> Self {
        let new_names: BTreeSet<&Symbol> = self.renames.iter().map(|rename| &rename.to).collect();
        self.companies.retain(|company| new_names.contains(&company.symbol) || known.iter().any(|other| other.symbol == company.symbol));
        self
    }
}

/// `ended` is what the vendor says is no longer listed, `absences` how often each company was missing before.
pub(super) fn reconcile(known: &[Company], listed: &[Company], ended: &[Company], absences: &BTreeMap<Symbol, u32>, today: Date) -> Change {
    let is_listed = |company: &Company| company.is_active && company.delisted_on.is_none_or(|end| end > today);
    let by_symbol: BTreeMap<&Symbol, &Company> =
        listed.iter().filter(|company| is_listed(company)).map(|company| (&company.symbol, company)).collect();
    let known_symbols: BTreeMap<&Symbol, &Company> = known.iter().map(|company| (&company.symbol, company)).collect();
    let said: BTreeMap<&Symbol, &Company> =
        listed.iter().filter(|company| !is_listed(company)).chain(ended).map(|company| (&company.symbol, company)).collect();

    let vanished: Vec<&Company> = known.iter().filter(|company| company.is_active && !by_symbol.contains_key(&company.symbol)).collect();
    let silent = vanished.iter().filter(|company| !said.contains_key(&company.symbol)).count();
    let is_hiccup = silent > FEW && silent as f64 > HICCUP * known.iter().filter(|company| company.is_active).count() as f64;
    if is_hiccup {
        warn!(missing = silent, known = known.len(), "the vendor's list is incomplete; nothing is concluded from what it lacks");
    }

    let mut change = Change::default();
    for company in vanished {
        let word = said.get(&company.symbol).filter(|end| same_stock(company, end).unwrap_or(true));
        let told_on = word.and_then(|end| end.delisted_on);
        let successor = by_symbol.values().find(|other| {
            let is_known_as_another = known_symbols.get(&other.symbol).is_some_and(|known| same_stock(company, known) != Some(true));
            same_stock(company, other) == Some(true) && !is_known_as_another
        });
        if let Some(successor) = successor {
            change.renames.push(Rename { from: company.symbol.clone(), to: successor.symbol.clone(), on: told_on });
            change.companies.push(ended_on(company, told_on.or(Some(today))));
            change.companies.push(completed(successor, company));
        } else if word.is_some() {
            change.ends.push((company.symbol.clone(), told_on));
            change.companies.push(ended_on(company, told_on.or(Some(today))));
        } else if is_hiccup {
            change.absences.extend(absences.get_key_value(&company.symbol).map(|(symbol, count)| (symbol.clone(), *count)));
        } else {
            let missing = absences.get(&company.symbol).copied().unwrap_or(0) + 1;
            if missing < LISTS {
                change.absences.insert(company.symbol.clone(), missing);
            } else {
                change.ends.push((company.symbol.clone(), None));
                change.companies.push(ended_on(company, Some(today)));
            }
        }
    }
    let renamed: BTreeSet<Symbol> = change.renames.iter().map(|rename| rename.to.clone()).collect();
    for company in by_symbol.values().filter(|company| !renamed.contains(&company.symbol)) {
        change.companies.push(known_symbols.get(&company.symbol).map_or_else(|| (*company).clone(), |known| completed(company, known)));
    }
    change
}

/// By the share class's FIGI; `None` where it is not known of both.
fn same_stock(a: &Company, b: &Company) -> Option<bool> {
    Some(a.figi.as_ref()? == b.figi.as_ref()?)
}

fn ended_on(company: &Company, on: Option<Date>) -> Company {
    Company { is_active: false, delisted_on: on, ..company.clone() }
}

/// What the list says, and where it is silent what was known: lists are short, details come from elsewhere.
fn completed(listed: &Company, known: &Company) -> Company {
    let known = known.clone();
    Company {
        sector: listed.sector.or(known.sector),
        industry: listed.industry.clone().or(known.industry),
        market_cap: listed.market_cap.or(known.market_cap),
        exchange: listed.exchange.clone().or(known.exchange),
        country: listed.country.clone().or(known.country),
        figi: listed.figi.clone().or(known.figi),
        listed_on: listed.listed_on.or(known.listed_on),
        delisted_on: None,
        is_active: true,
        ..listed.clone()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn company(symbol: &str, figi: &str) -> Company {
        Company { figi: (!figi.is_empty()).then(|| figi.into()), ..Company::named(symbol.parse().unwrap(), symbol) }
    }

    fn gone(symbol: &str, figi: &str) -> Company {
        Company { is_active: false, delisted_on: Some(date(2022, 6, 9)), ..company(symbol, figi) }
    }

    /// What becomes of FB, by what the vendor lists and says has ended.
    #[test]
    fn an_end_needs_a_word_and_a_new_name_the_same_figi() {
        let known = [company("FB", "F1"), company("KO", "F2"), company("PEP", "")];
        let rest = || vec![company("KO", "F2"), company("PEP", "")];
        let with = |more: Company| [rest(), vec![more]].concat();
        for (name, listed, ended, absences, expected) in [
            ("listed as ever", with(company("FB", "F1")), vec![], 3, ""),
            ("missing once", rest(), vec![], 0, "missing 1"),
            ("missing for the fifth time", rest(), vec![], 4, "ended None"),
            ("the vendor says so", rest(), vec![gone("FB", "F1")], 0, "ended Some(2022-06-09)"),
            ("listed as inactive", with(gone("FB", "F1")), vec![], 0, "ended Some(2022-06-09)"),
            ("the symbol of another stock has ended", rest(), vec![gone("FB", "F9")], 0, "missing 1"),
            ("the same FIGI under a new symbol", with(company("META", "F1")), vec![gone("FB", "F1")], 0, "META on Some(2022-06-09)"),
            ("the same without a word", with(company("META", "F1")), vec![], 0, "META on None"),
            ("a new company", with(company("META", "F7")), vec![], 0, "missing 1"),
            ("a new company of which no FIGI is told", with(company("META", "")), vec![], 0, "missing 1"),
        ] {
            let before = [("FB".parse().unwrap(), absences)].into();
            let change = reconcile(&known, &listed, &ended, &before, date(2022, 6, 10));
            let renames = change.renames.iter().map(|rename| format!("{} on {:?}", rename.to, rename.on));
            let ends = change.ends.iter().map(|(_, on)| format!("ended {on:?}"));
            let missing = change.absences.values().map(|count| format!("missing {count}"));
            let found: Vec<String> = renames.chain(ends).chain(missing).collect();
            assert_eq!(found.join(", "), expected, "{name}");
            let is_active = change.companies.iter().rev().find(|company| company.symbol.as_str() == "FB").map(|company| company.is_active);
            assert_eq!(is_active == Some(false), expected.starts_with("ended") || expected.starts_with("META"), "{name}");
        }
    }

    #[test]
    fn a_short_list_ends_nobody() {
        let known: Vec<Company> = (0..100).map(|at| company(&format!("S{at}"), "")).collect();
        let absences = known.iter().map(|company| (company.symbol.clone(), 4)).collect();
        let change = reconcile(&known, &known[..90], &[], &absences, date(2022, 6, 10));
        assert_eq!((change.ends.len(), change.absences.len()), (0, 10), "and what was counted before is kept");
        assert!(change.companies.iter().all(|company| company.is_active));
        let change = reconcile(&known, &known[..97], &[], &absences, date(2022, 6, 10));
        assert_eq!(change.ends.len(), 3);
    }

    #[test]
    fn a_list_that_says_less_takes_nothing_away() {
        let known = Company { sector: Some(domain::Sector::Energy), country: Some("US".into()), ..company("XOM", "F1") };
        let change = reconcile(std::slice::from_ref(&known), &[company("XOM", "F1")], &[], &BTreeMap::new(), date(2022, 6, 10));
        assert_eq!(change.companies, [known]);
    }
}

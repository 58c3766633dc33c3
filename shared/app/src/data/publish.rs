//! What is computed from all histories: the newest bar of every stock, and the market's means.

use std::collections::{BTreeMap, BTreeSet};

use analysis::{Series, market::MarketSums, market::Member};
use domain::{Date, Symbol, Timestamp, calendar};

use super::{Data, run::Batch, symbol::GAP_SESSIONS};
use crate::{UseCaseError, market::MarketSnapshot, objects};

/// Sessions of which no vendor had a bar.
pub(super) const ABSENT: &str = "ingestion/absent.json";

impl Data {
    /// Computes anew what is derived from all histories, as known at `now`: one history after the other, each dropped when its numbers are
    /// taken, so that memory does not grow with the market. Sums of floats depend on their order: it is that of the symbols.
    pub(super) async fn publish(&self, now: Timestamp) -> Result<(), UseCaseError> {
        let companies = self.market.companies().companies().await?;
        let symbols: Vec<Symbol> = companies.iter().map(|company| company.symbol.clone()).collect();
        let as_of = calendar::new_york_date(now);
        let (mut snapshot, mut sums) = (MarketSnapshot::default(), MarketSums::default());
        self.market
            .for_each_history(&symbols, now, |history| {
                snapshot.add(&history, now);
                if history.last_bar().is_some() {
                    let sector =
                        companies.binary_search_by(|company| company.symbol.cmp(&history.symbol)).ok().and_then(|at| companies[at].sector);
                    sums.add(&Member::always(&Series::new(&history, as_of), sector));
                }
            })
            .await?;
        self.market.publish(&snapshot, &sums.into()).await
    }

    /// Makes the derived objects those of `now`, without asking the vendor for anything.
    pub async fn republish(&self, now: Timestamp) -> Result<(), UseCaseError> {
        self.publish(now).await
    }

    /// Remembers which sessions no vendor has, so that they are not asked for every day. Only the newest sessions matter.
    pub(super) async fn keep_absences(&self, batches: &[Batch], now: Timestamp) -> Result<(), UseCaseError> {
        let mut absent = self.absent().await?;
        for (symbol, added) in batches.iter().flat_map(|batch| &batch.done) {
            absent.entry(symbol.clone()).or_default().extend(&added.absent);
        }
        let oldest = (0..GAP_SESSIONS).fold(calendar::last_closed_session(now), |date, _| date.previous()).date();
        let kept: BTreeMap<Symbol, BTreeSet<Date>> = absent
            .into_iter()
            .map(|(symbol, dates)| (symbol, dates.into_iter().filter(|date| *date >= oldest).collect::<BTreeSet<_>>()))
            .filter(|(_, dates)| !dates.is_empty())
            .collect();
        self.histories.replace_object(ABSENT, &objects::to_bytes(&kept)).await?;
        Ok(())
    }
}

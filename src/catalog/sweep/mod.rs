//! placeholder until the branch lands
use crate::api::{RawPage, RawRecord};
use crate::schema::Entity;
pub trait Lists {
    type Error;
    fn page_limit(&self) -> u32;
    fn raw_page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> impl Future<Output = Result<RawPage, Self::Error>>;
}
pub struct Sweep<'a> {
    pub entity: &'static Entity,
    pub filters: &'a [(&'a str, &'a str)],
    pub expected: Option<u64>,
    pub at_once: usize,
    pub longest: u32,
}
pub struct Swept {
    pub records: u64,
    pub requests: u64,
    pub reread: u64,
    pub longest: u32,
}
#[derive(Debug, thiserror::Error)]
pub enum SweepError<E, T> {
    #[error("x")]
    Service(E),
    #[error("y")]
    Take(T),
    #[error("unsteady")]
    Unsteady,
}
impl<'a> Sweep<'a> {
    pub async fn run<L: Lists, T>(
        self,
        lists: &L,
        take: &mut dyn FnMut(RawRecord<'_>) -> Result<(), T>,
    ) -> Result<Swept, SweepError<L::Error, T>> {
        let mut offset = 0;
        let mut requests = 0;
        loop {
            let page = lists.raw_page(self.entity, self.filters, offset, 1000).await.map_err(SweepError::Service)?;
            requests += 1;
            for record in page.records() {
                take(record).map_err(SweepError::Take)?;
            }
            offset += page.len() as u64;
            if page.len() < 1000 {
                return Ok(Swept { records: offset, requests, reread: 0, longest: page.len() as u32 });
            }
        }
    }
}

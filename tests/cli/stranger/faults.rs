//! What goes wrong on the way, drawn from a seed.

use std::time::Duration;

use fastrand::Rng;

/// How late a late commit or reply comes, at most. A commit still happens when the client has hung up by then.
pub const LATEST: Duration = Duration::from_millis(250);

/// On which side of the commit a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    BeforeCommit,
    AfterCommit,
}

/// One thing that goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed without an answer.
    Drop(Side),
    /// The request lies about for a while, then it is carried out and answered.
    LateCommit(Duration),
    /// It is carried out at once and answered after a while.
    LateReply(Duration),
    /// An error status in place of the answer.
    Status(Side, u16),
    /// Carried out; the answer breaks off in the middle.
    Truncate,
    /// A page for people with that status in place of the answer.
    Page(Side, u16),
}

/// Draws faults: of a hundred requests, so many have one.
pub struct Faults {
    percent: u8,
    random: Rng,
}

impl Faults {
    pub fn none() -> Self {
        Self { percent: 0, random: Rng::with_seed(0) }
    }

    pub fn seeded(seed: u64, percent: u8) -> Self {
        Self { percent, random: Rng::with_seed(seed) }
    }

    /// What befalls the next request.
    pub fn draw(&mut self) -> Option<Fault> {
        if self.random.u8(0..100) >= self.percent {
            return None;
        }
        let side = if self.random.bool() { Side::BeforeCommit } else { Side::AfterCommit };
        let late = LATEST.mul_f64(self.random.f64());
        Some(match self.random.u8(0..6) {
            0 => Fault::Drop(side),
            1 => Fault::LateCommit(late),
            2 => Fault::LateReply(late),
            3 => Fault::Status(side, self.one_of([500, 502, 503])),
            4 => Fault::Truncate,
            _ => Fault::Page(side, self.one_of([200, 502])),
        })
    }

    fn one_of<const N: usize>(&mut self, statuses: [u16; N]) -> u16 {
        statuses[self.random.usize(0..N)]
    }
}

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

/// What goes wrong with whom.
pub enum Faults {
    None,
    /// The same with every request.
    Always(Fault),
    /// Of a hundred requests, so many have a fault of any kind.
    Drawn {
        percent: u8,
        random: Rng,
    },
}

impl Faults {
    pub fn seeded(seed: u64, percent: u8) -> Self {
        Self::Drawn { percent, random: Rng::with_seed(seed) }
    }

    /// What befalls the next request.
    pub fn draw(&mut self) -> Option<Fault> {
        match self {
            Self::None => None,
            Self::Always(fault) => Some(*fault),
            Self::Drawn { percent, random } => (random.u8(0..100) < *percent).then(|| drawn(random)),
        }
    }
}

fn drawn(random: &mut Rng) -> Fault {
    let side = if random.bool() { Side::BeforeCommit } else { Side::AfterCommit };
    let late = LATEST.mul_f64(random.f64());
    match random.u8(0..6) {
        0 => Fault::Drop(side),
        1 => Fault::LateCommit(late),
        2 => Fault::LateReply(late),
        3 => Fault::Status(side, [500, 502, 503][random.usize(0..3)]),
        4 => Fault::Truncate,
        _ => Fault::Page(side, [200, 502][random.usize(0..2)]),
    }
}

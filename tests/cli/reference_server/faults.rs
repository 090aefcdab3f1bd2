//! Faults, drawn from a seed.

use std::time::Duration;

use fastrand::Rng;

/// The longest delay of a commit or reply. A late commit happens even if the client has hung up.
pub const LATEST: Duration = Duration::from_millis(250);

/// Whether a fault happens before or after the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    BeforeCommit,
    AfterCommit,
}

/// A fault of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed without a response.
    Drop(Side),
    /// The request is processed and answered after a delay.
    LateCommit(Duration),
    /// The request is processed immediately and answered after a delay.
    LateReply(Duration),
    /// An error status instead of the response.
    Status(Side, u16),
    /// The request is processed; only half of the response is sent.
    Truncate,
    /// An HTML page with that status instead of the response.
    Page(Side, u16),
}

/// Which requests fail, and how.
pub enum Faults {
    None,
    /// The same fault for every request.
    Always(Fault),
    /// A random fault for this percentage of requests.
    Drawn {
        percent: u8,
        random: Rng,
    },
}

impl Faults {
    pub fn seeded(seed: u64, percent: u8) -> Self {
        Self::Drawn { percent, random: Rng::with_seed(seed) }
    }

    /// The fault of the next request.
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

//! Numbers and days that look like chance and are the same every time.

use jiff::ToSpan;
use jiff::civil::Date;

pub(crate) struct Chance(fastrand::Rng);

impl Chance {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// One in `n`.
    pub(crate) fn one_in(&mut self, n: u32) -> bool {
        self.0.u32(0..n) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.0.usize(0..from.len())]
    }

    /// A position in a table of weights, the heavier the likelier.
    pub(crate) fn weighted(&mut self, weights: impl Iterator<Item = u32> + Clone) -> usize {
        let mut left = self.0.u32(0..weights.clone().sum());
        weights.into_iter().take_while(|weight| left.checked_sub(*weight).map(|rest| left = rest).is_some()).count()
    }

    /// A day from `first` on, within so many days; never one of a weekend, when nobody buys computers.
    pub(crate) fn workday(&mut self, first: Date, within: i32) -> Date {
        let day = first.saturating_add(self.0.i32(0..within).days());
        match day.weekday().to_monday_zero_offset() {
            5 => day.saturating_add(2.days()),
            6 => day.saturating_add(1.days()),
            _ => day,
        }
    }

    /// A serial number of that pattern: `#` is a digit, `@` a letter, `*` either, all else itself.
    pub(crate) fn serial(&mut self, pattern: &str) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHJKLMNPRSTUVWXYZ";
        const EITHER: &[u8] = b"0123456789ABCDFGHJKLMNPRSTVWXYZ";
        let mut letter = |from: &[u8]| char::from(from[self.0.usize(0..from.len())]);
        let drawn = pattern.chars().map(|char| match char {
            '#' => letter(b"0123456789"),
            '@' => letter(LETTERS),
            '*' => letter(EITHER),
            _ => char,
        });
        drawn.collect()
    }
}

//! Estimates how long a plan takes under the quota.

/// Seconds that `requests` take with a quota per hour of which `used` are already spent.
///
/// The quota is a rolling window, not a pace: the first `quota` requests go at once, each further batch of that size
/// waits an hour. Sending itself is estimated at `per_second`.
fn seconds(requests: u64, used: u64, quota: Option<u32>, per_second: u64) -> u64 {
    let sending = requests.div_ceil(per_second.max(1));
    let Some(quota) = quota.map(u64::from).filter(|quota| *quota > 0) else { return sending };
    let waits = (used + requests).saturating_sub(1) / quota;
    waits * 3600 + sending.min(3600)
}

/// Requests a second at the usual concurrency, for the time that a plan takes.
const REQUESTS_PER_SECOND: u64 = 20;

/// What a run would take.
#[derive(Debug, Clone)]
pub struct RunEstimate {
    pub requests: u64,
    /// How long they take under the quota.
    pub seconds: u64,
    /// E-mails the service would send to employees, and to how many of them.
    pub emails: u64,
    pub people: u64,
    /// Requests per hour, if there is a limit.
    pub quota: Option<u32>,
}

impl RunEstimate {
    /// The estimate of so many requests where `used` of the hour's quota are spent.
    pub(crate) fn new(requests: u64, used: u64, quota: Option<u32>, (emails, people): (u64, u64)) -> Self {
        let seconds = seconds(requests, used, quota, REQUESTS_PER_SECOND);
        Self { requests, seconds, emails, people, quota }
    }
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn a_short_job_is_not_slowed_and_a_long_one_waits_by_the_hour() {
        assert_eq!(seconds(9_000, 0, Some(10_000), 100), 90);
        assert_eq!(seconds(25_000, 0, Some(10_000), 100), 2 * 3600 + 250);
        assert_eq!(seconds(25_000, 0, None, 100), 250);
        assert_eq!(seconds(0, 5, Some(10), 100), 0);
        assert_eq!(seconds(10_000, 500, Some(10_000), 100), 3600 + 100);
    }
}

//! What requests wait for.

use std::fmt;
use std::time::SystemTime;

/// Why requests wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitReason {
    /// Our own quota (`--quota`) is used up.
    Quota,
    /// The service said 429.
    Throttled,
    /// The service said that none of its own quota is left.
    ServerQuota,
}

impl fmt::Display for WaitReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            WaitReason::Quota => "the quota of requests is used up",
            WaitReason::Throttled => "the service asked for a pause",
            WaitReason::ServerQuota => "the service says its quota is used up",
        })
    }
}

/// A wait that every request shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitStatus {
    pub until: SystemTime,
    pub reason: WaitReason,
}

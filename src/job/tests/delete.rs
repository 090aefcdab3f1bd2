//! What a delete leaves that does not come to an end.

use super::job_test::JobTest;
use crate::error::ErrorKind;
use crate::job::DeleteJob;
use crate::observer::Observer;
use crate::shutdown::ShutdownSignal;

/// Is interrupted, or says no, when it is asked.
struct Reluctant(Option<ShutdownSignal>);

impl Observer for Reluctant {
    fn can_confirm(&self) -> bool {
        true
    }

    fn confirm(&mut self, _: &str) -> bool {
        self.0.iter().for_each(ShutdownSignal::request);
        false
    }
}

#[test]
fn the_backup_that_a_stopped_delete_leaves_is_named() {
    let test = JobTest::with_lookups();
    test.import("locations.csv", "name\nBerlin\n");
    for (is_interrupted, kind, said) in [
        (true, ErrorKind::Stopped, "interrupted; nothing was deleted; "),
        (false, ErrorKind::Declined, "nothing was deleted; "),
    ] {
        let backup = test.file("gone.csv", "name\nBerlin\n").with_file_name(format!("backup-{is_interrupted}.xlsx"));
        let mut job = DeleteJob::new("locations", backup.with_file_name("gone.csv")).backup(&backup);
        let signal = is_interrupted.then(ShutdownSignal::new);
        job.run.shutdown = signal.clone().unwrap_or_default();
        let plan = test.wait(test.account.plan_delete(job)).unwrap();
        let error = test.wait(plan.apply(&mut Reluctant(signal))).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(error.to_string(), format!("{said}the backup {} can be deleted", backup.display()));
        assert!(backup.exists());
        assert_eq!(test.records("locations").len(), 1);
    }
}

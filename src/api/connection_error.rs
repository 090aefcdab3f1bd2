//! Why no response came, in the user's words: of a chain of causes the innermost, and of a certificate that is not accepted
//! what to do about it.

use std::error::Error;
use std::io;
use std::path::Path;

use rustls::CertificateError;

/// Names a file with certificates of authorities to trust, in place of the system's. On Windows and macOS the system
/// itself decides whom to trust, and knows nothing of that.
const CERT_FILE: &str = "SSL_CERT_FILE";

/// The innermost cause, the only one that helps: "connection refused", not "error sending request".
pub(super) fn describe(error: &reqwest::Error) -> String {
    let mut cause: &(dyn Error + 'static) = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    match tls_error(cause) {
        Some(rustls::Error::InvalidCertificate(reason)) => describe_certificate(reason, TrustStore::of_this_system()),
        _ if is_cut(cause) => String::from("the connection was closed before the response was complete"),
        _ => super::error_body::tidy(&cause.to_string()),
    }
}

/// Where the authorities are listed that are trusted.
enum TrustStore {
    System,
    /// Files, and the one that takes their place.
    Files(Option<std::ffi::OsString>),
}

impl TrustStore {
    fn of_this_system() -> Self {
        let is_system = cfg!(any(windows, target_vendor = "apple"));
        if is_system { Self::System } else { Self::Files(std::env::var_os(CERT_FILE)) }
    }
}

/// The TLS error in a cause. I/O errors wrap it, and each other, without naming it as their source.
fn tls_error<'e>(mut cause: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    loop {
        if let Some(error) = cause.downcast_ref() {
            return Some(error);
        }
        cause = cause.downcast_ref::<io::Error>()?.get_ref()?;
    }
}

fn is_cut(cause: &(dyn Error + 'static)) -> bool {
    cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof)
}

fn describe_certificate(reason: &CertificateError, store: TrustStore) -> String {
    match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            String::from("its certificate has expired; if that is not so, the date and time of this machine are wrong")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => String::from(
            "its certificate is not valid yet; if that is not so, the date and time of this machine are wrong",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            String::from("its certificate is for another host; check the host in the base URL")
        }
        CertificateError::UnknownIssuer | CertificateError::Other(_) => format!(
            "its certificate comes from an authority that this machine does not trust, perhaps that of a proxy which \
             inspects the traffic; {}",
            trust_hint(&store)
        ),
        other => format!("its certificate is not accepted: {other}"),
    }
}

/// What to do about an authority that is not trusted. A file that cannot be read is passed over by the libraries.
fn trust_hint(store: &TrustStore) -> String {
    let cert_file = match store {
        TrustStore::System => return String::from("add the authority's certificate to those that this system trusts"),
        TrustStore::Files(cert_file) => cert_file.as_deref().map(Path::new),
    };
    let Some(path) = cert_file.filter(|path| !path.as_os_str().is_empty()) else {
        return format!("set {CERT_FILE} to a file with the authority's certificate");
    };
    let shown = path.display();
    match std::fs::read(path) {
        Err(error) => format!("{CERT_FILE} names `{shown}`, which cannot be read: {error}"),
        Ok(bytes) if !holds_certificate(&bytes) => {
            format!("{CERT_FILE} names `{shown}`, which holds no certificate in PEM format")
        }
        Ok(_) => format!("the authority's certificate is not in `{shown}`, which {CERT_FILE} names: add it there"),
    }
}

fn holds_certificate(bytes: &[u8]) -> bool {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    bytes.windows(BEGIN.len()).any(|part| part == BEGIN)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_tls_error_is_found_however_often_it_is_wrapped() {
        let wrapped = || io::Error::other(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer));
        for error in [wrapped(), io::Error::other(wrapped()), io::Error::other(io::Error::other(wrapped()))] {
            let found = tls_error(&error);
            assert!(matches!(found, Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer))));
        }
        assert!(tls_error(&io::Error::other("refused")).is_none());
        assert!(tls_error(&io::Error::from(io::ErrorKind::ConnectionRefused)).is_none());
    }

    #[test]
    fn an_untrusted_authority_leads_to_the_file_of_certificates() {
        let folder = tempfile::tempdir().unwrap();
        let file = |text: &str| {
            let path = folder.path().join("authorities.pem");
            std::fs::write(&path, text).unwrap();
            path
        };
        let hint = |path: Option<&Path>| trust_hint(&TrustStore::Files(path.map(|path| path.as_os_str().to_owned())));
        assert_eq!(hint(None), "set SSL_CERT_FILE to a file with the authority's certificate");
        assert_eq!(hint(Some(Path::new(""))), hint(None));
        assert!(hint(Some(&folder.path().join("none.pem"))).contains("cannot be read"));
        assert!(hint(Some(&file("garbage"))).contains("holds no certificate"));
        assert!(hint(Some(&file("-----BEGIN CERTIFICATE-----\nMII"))).contains("add it there"));
    }

    #[test]
    fn where_the_system_decides_no_file_is_asked_for() {
        let text = describe_certificate(&CertificateError::UnknownIssuer, TrustStore::System);
        assert!(text.ends_with("; add the authority's certificate to those that this system trusts"), "{text}");
    }

    #[test]
    fn other_faults_of_a_certificate_are_told_apart() {
        let text = |reason: CertificateError| describe_certificate(&reason, TrustStore::Files(None));
        assert!(text(CertificateError::Expired).contains("date and time"));
        assert!(text(CertificateError::NotValidForName).contains("base URL"));
        assert!(text(CertificateError::Revoked).contains("not accepted"));
    }
}

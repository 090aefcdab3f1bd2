//! The secrets in the value of an environment variable.

use serde_json::Value;
use url::form_urlencoded;

/// Members of a service account's key file that are secret.
const SECRET_MEMBERS: &[&str] = &["private_key", "private_key_id", "client_secret", "refresh_token"];
/// Parameters of a shared access signature that are secret.
const SECRET_PARAMETERS: &[&str] = &["sig", "signature", "token"];

/// What must not be shown of a variable that holds a secret: the value itself; of a JSON document its keys, line by
/// line; of a query its signature as it is after decoding.
pub(crate) fn secrets_in(value: &str) -> Vec<String> {
    let value = value.trim();
    if let Ok(Value::Object(document)) = serde_json::from_str(value) {
        let texts = SECRET_MEMBERS.iter().filter_map(|name| document.get(*name)?.as_str());
        let lines = texts.flat_map(str::lines).filter(|line| !line.starts_with("-----"));
        return lines.map(str::to_owned).collect();
    }
    let query = value.trim_start_matches('?').as_bytes();
    let signatures = form_urlencoded::parse(query).filter(|(name, _)| SECRET_PARAMETERS.contains(&&**name));
    let mut secrets: Vec<String> = value.split_whitespace().map(str::to_owned).collect();
    secrets.extend(signatures.map(|(_, text)| text.into_owned()));
    secrets
}

#[cfg(test)]
mod tests {
    use super::secrets_in;

    #[test]
    fn every_secret_of_a_value_is_found() {
        assert_eq!(secrets_in(" abc123 \n"), ["abc123"]);
        assert_eq!(secrets_in("?sv=2024&sig=a%2Bb%3D"), ["?sv=2024&sig=a%2Bb%3D", "a+b="]);
        let account = r#"{"type":"service_account","private_key_id":"id1","client_email":"x@y.example",
            "private_key":"-----BEGIN PRIVATE KEY-----\nMIIE\nvQIB\n-----END PRIVATE KEY-----\n"}"#;
        assert_eq!(secrets_in(account), ["MIIE", "vQIB", "id1"]);
    }
}

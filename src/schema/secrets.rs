//! Header words of columns that hold passwords, PINs and keys. Such columns are never read, copied or stored.
//!
//! A new word is a line's word below; it must not be one of the schema's own header words, which a test checks.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::unicode::is_invisible;

/// Words that make a header secret wherever they stand in one of its words: compounds such as `Benutzerpasswort` are
/// one word in many languages. Lower case; accents do not matter.
const STEMS: &[&str] = &[
    // English
    "password", "passwd", "passphrase", "passcode", "passkey",
    // German, Dutch, Scandinavian languages, Finnish
    "passwort", "passwört", "kennwort", "kennwört", "geheimzahl", "geheimcode", "zugangscode", "zugangsdaten",
    "entsperrcode", "wachtwoord", "toegangscode", "lösenord", "passord", "adgangskode", "adgangsord", "salasana",
    "tunnusluku", "bitlockerschlüssel", "bitlockerschluessel", "wiederherstellungsschlüssel",
    "wiederherstellungsschluessel", "verschlüsselungsschlüssel", "verschluesselungsschluessel", "wlanschlüssel",
    "wlanschluessel", "netzwerkschlüssel", "netzwerkschluessel", "netzwerksicherheitsschlüssel", "herstelsleutel",
    "återställningsnyckel", "gjenopprettingsnøkkel", "gendannelsesnøgle", "palautusavain",
    // Romance languages
    "contraseña", "senha", "motdepasse", "palavrapasse",
    // Slavic and Baltic languages, Hungarian, Turkish, Greek
    "hasło", "haslo", "hasła", "heslo", "lozinka", "geslo", "пароль", "пароля", "пароли", "парола", "лозинка",
    "slaptažodis", "jelszó", "şifre", "κωδικόςπρόσβασης", "συνθηματικό", // Asia and the Middle East
    "密码", "密碼", "口令", "密钥", "密鑰", "パスワード", "暗証番号", "暗唱番号", "回復キー", "비밀번호", "암호",
    "복구키", "mậtkhẩu", "รหัสผ่าน", "katasandi", "katalaluan", "पासवर्ड", "סיסמה", "סיסמא", "كلمةالمرور", "كلمةالسر",
];

/// Words and phrases that make a header secret as whole words, in one word or several: `API Key`, `api_key`, `apiKey`
/// and `apikey` are one phrase. An `s` may follow.
const PHRASES: &[&str] = &[
    // PINs and PUKs
    "pin", "pin1", "pin2", "puk", "puk1", "puk2", "pin code", "puk code", "super pin", "sim pin", "sim puk", "card pin",
    "device pin", "otp", "cvv", "cvc", // short forms of passwords
    "pwd", "pw", "pswd", "passwrd", "mdp", "wifi pass", "wlan pass", "admin pass", "user pass", "root pass", "parola",
    "parool", "parole", "sandi", // what programs sign in with
    "secret", "token", "credential", "psk", "api key", "access key", "secret key", "private key", "ssh key",
    "shared key", "client secret", "service account key", "api schlüssel",
    // keys of disks and networks, and codes that unlock devices
    "encryption key", "recovery key", "recovery password", "bitlocker key", "bitlocker recovery", "filevault key",
    "filevault recovery", "luks key", "disk key", "escrow key", "master key", "unlock key", "wifi key", "wi fi key",
    "wlan key", "wireless key", "network key", "wpa key", "wpa2 key", "wpa3 key", "wep key", "recovery code",
    "backup code", "bypass code", "unlock code", "access code", "security code", "alarm code", "activation lock code",
    "activation lock key", "activation lock bypass", "recovery phrase", "seed phrase", "key phrase",
    // the same in other languages
    "clé wifi", "clé wi fi", "clé de récupération", "clé de chiffrement", "clé secrète", "clé api", "code secret",
    "code d'accès", "code de déverrouillage", "clave de acceso", "clave wifi", "clave secreta",
    "clave de recuperación", "clave de cifrado", "código de acceso", "chave de acesso", "chave de recuperação",
    "chiave di ripristino", "chiave wifi", "codice di accesso", "klucz odzyskiwania", "kod dostępu", "kod pin",
    "ключ восстановления", "код доступа", "пин код", "пин", "пук", "恢复密钥", "api anahtarı",
];

/// Whether a header names a column of secrets, whatever brackets, prefixes or other words surround the word.
pub fn is_secret_header(header: &str) -> bool {
    static FOLDED: LazyLock<[Vec<String>; 2]> =
        LazyLock::new(|| [STEMS, PHRASES].map(|table| table.iter().map(|phrase| words(phrase).concat()).collect()));
    let [stems, phrases] = &*FOLDED;
    let words = words(header);
    let has_stem = |stem: &String| words.iter().any(|word| word.contains(stem)) || is_run_of_words(&words, stem);
    stems.iter().any(has_stem) || phrases.iter().any(|phrase| is_run_of_words(&words, phrase))
}

/// Whether some words that follow each other make up the phrase, or its plural.
fn is_run_of_words(words: &[String], phrase: &str) -> bool {
    (0..words.len()).any(|first| {
        let mut rest = phrase;
        for word in &words[first..] {
            match rest.strip_prefix(word.as_str()) {
                Some("") => return true,
                Some(after) => rest = after,
                None => return word.strip_suffix('s') == Some(rest),
            }
        }
        false
    })
}

/// The words of a header, folded: cut where neither letters nor digits stand, and before the hump of `wifiKey`.
/// Characters that nobody sees part nothing.
fn words(header: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for char in header.nfkc().filter(|char| !is_invisible(*char)) {
        let is_hump = after_lower && char.is_uppercase();
        after_lower = char.is_lowercase();
        if is_hump || !(char.is_alphanumeric() || is_combining_mark(char)) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (char.is_alphanumeric(), words.last_mut()) {
            let plain = char.nfd().filter(|part| !is_combining_mark(*part));
            word.extend(plain.flat_map(char::to_lowercase).filter(|part| !is_combining_mark(*part)));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::is_secret_header;
    use crate::schema::importable;

    #[test]
    fn passwords_are_known_in_many_languages_and_spellings() {
        for header in [
            "Password",
            "Passwords",
            "passwd",
            "Passwd",
            "pwd",
            "PW",
            "Initial password [passwordProfile] Required",
            "Initial Password (required)",
            "custom:WiFi Password",
            "HB.password",
            "cf:password, type:text",
            "user_password",
            "adminPassword",
            "ADMIN-PASSWORD",
            "Passphrase",
            "Kennwort",
            "Start-Kennwort",
            "Benutzerpasswort",
            "contraseña",
            "Contrasena",
            "CONTRASEÑAS",
            "senha",
            "Senha inicial",
            "wachtwoord",
            "lösenord",
            "hasło",
            "пароль",
            "Пароль пользователя",
            "Mot de passe",
            "mot_de_passe",
            "MotDePasse",
            "密码",
            "初始密码",
            "パスワード",
            "비밀번호",
            "mật khẩu",
            "كلمة المرور",
            "κωδικός πρόσβασης",
            "SIM PIN",
            "PIN",
            "Pin-Code",
            "PIN (SIM)",
            "SIM (PIN)",
            "PUK",
            "PUK code",
            "PUK1",
            "simPin",
            "Recovery Key",
            "BitLocker Key",
            "BitLocker recovery key ID",
            "FileVault Recovery Key",
            "Disk Encryption Key",
            "Activation Lock Bypass Code",
            "WiFi Key",
            "Wi-Fi key",
            "WLAN-Key",
            "API Key",
            "apiKey",
            "api_keys",
            "APIKEY",
            "Secret",
            "client_secret",
            "Token",
            "Access Tokens",
            "Wiederherstellungsschlüssel",
            "Clé de récupération",
            "cle wifi",
            "clave de acceso",
            "Pass\u{ad}word",
            "P\u{200b}IN",
            "Unlock code",
        ] {
            assert!(is_secret_header(header), "{header}");
        }
    }

    #[test]
    fn words_that_only_contain_or_resemble_one_are_not_secret() {
        for header in [
            "Product Key", "License Key", "Key", "Pinned", "Shipping", "Opinion", "Spin", "Passport number",
            "Pass/Fail", "Secretary", "Tokenized", "Compass", "Pinboard", "Clave", "Activation Lock", "BitLocker",
            "Keyboard", "Monkey", "Encryption", "Network", "Unlocked", "Asset Tag", "Access", "Codigo",
        ] {
            assert!(!is_secret_header(header), "{header}");
        }
    }

    #[test]
    fn no_header_word_of_the_schema_is_secret() {
        for entity in importable() {
            for field in entity.fields {
                let related = field.related.iter().flat_map(|related| related.also);
                for word in [&field.name].into_iter().chain(field.also).chain(related) {
                    assert!(!is_secret_header(word), "{}: {word}", entity.name);
                }
            }
        }
    }
}

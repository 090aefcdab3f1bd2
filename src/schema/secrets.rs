//! Header words of columns that hold passwords, PINs and keys. Such columns are never read, copied or stored.
//!
//! A new word is a line's word below; it must not be one of the schema's own header words, which a test checks.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::fold::compatible;
use crate::unicode::is_invisible;

/// Words that make a header secret wherever they stand in one of its words: compounds such as `Benutzerpasswort` are
/// one word in many languages. Lower case; accents do not matter.
const STEMS: &[&str] = &[
    // English, and how it is misspelt
    "password", "passwd", "passphrase", "passcode", "passkey", "pasword", "passwrd", "passowrd",
    // German
    "passwort", "passwört", "passwoert", "kennwort", "kennwört", "kennwoert", "geheimzahl", "geheimcode", "zugangscode",
    "zugangsdaten", "anmeldedaten", "entsperrcode", "sperrcode", "sicherheitscode", "losungswort", "codewort",
    "bitlockerschlüssel", "bitlockerschluessel", "wiederherstellungsschlüssel", "wiederherstellungsschluessel",
    "wiederherstellungscode", "verschlüsselungsschlüssel", "verschluesselungsschluessel", "zugriffsschlüssel",
    "zugriffsschluessel", "wlanschlüssel", "wlanschluessel", "netzwerkschlüssel", "netzwerkschluessel",
    "netzwerksicherheitsschlüssel", // Dutch, Scandinavian languages, Finnish
    "wachtwoord", "paswoord", "passwoord", "toegangscode", "wachtzin", "herstelsleutel", "versleutelingssleutel",
    "lösenord", "lösenfras", "pinkod", "krypteringsnyckel", "återställningsnyckel", "passord", "kodeord", "passfrase",
    "krypteringsnøkkel", "gjenopprettingsnøkkel", "adgangskode", "adgangsord", "krypteringsnøgle", "gendannelsesnøgle",
    "lykilorð", "salasana", "tunnusluku", "tunnussana", "pääsykoodi", "salausavain", "palautusavain",
    // Romance languages
    "contraseña", "contrasenya", "contrasinal", "pasahitz", "senha", "motdepasse", "motsdepasse", "phrasedepasse",
    "phrasesecrète", "palavrapasse", "palavrachavesecreta", "paroladordine",
    // Slavic and Baltic languages, Hungarian, Turkish, Greek
    "hasło", "haslo", "hasła", "heslo", "hesla", "lozinka", "lozinke", "zaporka", "geslo", "парол", "лозинка",
    "slaptažod", "salasõna", "jelszó", "jelszav", "şifre", "κωδικόςπρόσβασης", "κωδικοίπρόσβασης", "συνθηματικό",
    // Asia and the Middle East
    "密码", "密碼", "口令", "密钥", "密鑰", "私钥", "私鑰", "パスワード", "パスコード", "パスフレーズ", "暗証番号",
    "暗唱番号", "回復キー", "暗号化キー", "秘密鍵", "비밀번호", "비번", "암호", "패스워드", "복구키", "핀번호",
    "mậtkhẩu", "รหัสผ่าน", "katasandi", "katalaluan", "पासवर्ड", "סיסמה", "סיסמא", "كلمةالمرور", "كلمةالسر", "كلمةمرور",
    "كلمةسر", "رمزالمرور", "الرقمالسري", "رمزعبور", "گذرواژه",
];

/// Words and phrases that make a header secret as whole words, in one word or several: `API Key`, `api_key`, `apiKey`
/// and `apikey` are one phrase. An `s` or a number may follow.
const PHRASES: &[&str] = &[
    // PINs and PUKs
    "pin", "puk", "pin code", "puk code", "super pin", "sim pin", "sim puk", "card pin", "device pin", "pin number",
    "pin nummer", "otp", "totp", "cvv", "cvc", // short forms of passwords
    "pwd", "pw", "pswd", "psswd", "passw", "pword", "pwort", "mdp", "wifi pass", "wlan pass", "admin pass",
    "user pass", "login pass", "root pass", "bios pass", "wifi pw", "wlan pw", "admin pw", "user pw", "login pw",
    "root pw", "bios pw", "parola", "parool", "parole", "sandi", "lösen", // what programs sign in with
    "secret", "token", "jwt", "credential", "login data", "psk", "api key", "access key", "secret key", "private key",
    "ssh key", "ssl key", "tls key", "pgp key", "gpg key", "signing key", "auth key", "authentication key",
    "shared key", "storage account key", "client secret", "service account key", "api schlüssel", "privater schlüssel",
    "geheimer schlüssel", "connection string", "community string", "snmp community",
    "security answer", // keys of disks and networks, and codes that unlock devices
    "encryption key", "decryption key", "recovery key", "recovery password", "bitlocker key", "bitlocker recovery",
    "filevault key", "filevault recovery", "luks key", "veracrypt key", "disk key", "escrow key", "master key",
    "unlock key", "wifi key", "wi fi key", "wlan key", "wireless key", "network key", "network security key",
    "wpa key", "wpa2 key", "wpa3 key", "wep key", "recovery code", "backup code", "bypass code", "unlock code",
    "lock code", "padlock code", "door code", "gate code", "keypad code", "safe code", "lock combination",
    "access code", "security code", "alarm code", "verification code", "mfa code", "2fa code", "mfa seed", "otp seed",
    "activation lock code", "activation lock key", "activation lock bypass", "recovery phrase", "seed phrase",
    "key phrase", // Romance languages
    "clé wifi", "clé wi fi", "clé wpa", "clé bitlocker", "clé de récupération", "clé de chiffrement", "clé secrète",
    "clé privée", "clé api", "clé d'api", "clé d'accès", "clé de sécurité", "clé réseau", "code secret", "jeton",
    "code d'accès", "code de déverrouillage", "code de verrouillage", "clave de acceso", "clave wifi", "clave wi fi",
    "clave de red", "clave bitlocker", "clave de bitlocker", "clave secreta", "clave privada", "clave api",
    "clave de api", "clave de usuario", "clave usuario", "clave inicial", "clave temporal", "clave de recuperación",
    "clave de cifrado", "código de acceso", "código de desbloqueo", "código de segurança", "código de seguridad",
    "secreto", "chave de acesso", "chave de recuperação", "chave de criptografia", "chave wifi", "chave wi fi",
    "chave bitlocker", "chave api", "chave de api", "chave secreta", "chave privada", "código de acesso", "segredo",
    "chiave di ripristino", "chiave di recupero", "chiave di crittografia", "chiave wifi", "chiave di rete",
    "chiave bitlocker", "chiave api", "chiave segreta", "chiave privata", "codice di accesso", "codice segreto",
    "codice di sblocco", "segreto", // Germanic and Nordic languages
    "api sleutel", "wifi sleutel", "geheime sleutel", "bitlocker sleutel", "codewoord", "api nyckel", "wifi nyckel",
    "bitlocker nyckel", "åtkomstkod", "pinkode", "pin kode", "api nøkkel", "bitlocker nøkkel", "api nøgle",
    "bitlocker nøgle", "pin koodi", "api avain", // Slavic languages, Turkish
    "klucz odzyskiwania", "klucz api", "klucz bitlocker", "klucz prywatny", "klucz szyfrowania", "kod dostępu",
    "kod pin", "klíč api", "obnovovací klíč", "přístupový kód", "ключ восстановления", "ключ шифрования",
    "секретный ключ", "закрытый ключ", "секрет", "токен", "ключ api", "код доступа", "пин код", "пин", "пинкод", "пук",
    "api anahtarı", "kurtarma anahtarı", "gizli anahtar", // Asia
    "恢复密钥", "令牌", "apiキー", "bitlockerキー", "wifiキー", "シークレット", "シークレットキー", "トークン",
    "アクセスキー", "api키", "토큰", "시크릿", "액세스키", "암호화키",
];

/// Headers that are secret as a whole; as a part of a header the word means something else.
const WHOLE: &[&str] = &["clave", "claves"];

/// Headers that contain one of these mean something else: encryption, the keys of licenses, a blocked account.
const ORDINARY: &[&str] = &[
    "암호화", "产品密钥", "產品密鑰", "许可证密钥", "許可證密鑰", "许可密钥", "授权密钥", "授權密鑰", "激活密钥",
    "啟用密鑰", "parolachiave", "blockcredential",
];

/// What stands behind a secret word where the column tells something about the secret, and not the secret itself.
const FACTS: &[&str] = &[
    "last", "changed", "change", "date", "time", "datetime", "expires", "expiry", "expiration", "expired", "age",
    "policy", "policies", "manager", "length", "complexity", "status", "rotation", "rotated", "protection",
    "protected", "enabled", "count", "pad", "type", "next", "function", "geändert", "ablauf", "ablaufdatum",
    "änderung",
];
/// Words that may stand among them.
const FILLERS: &[&str] = &[
    "set", "on", "at", "in", "days", "never", "logon", "login", "sign", "reset", "hash", "upload", "only", "am",
    "letzte",
];
/// Behind `token` only: the thing that makes codes has a number of its own, as other assets do.
const TOKEN_FACTS: &[&str] = &["id", "tag", "serial", "number", "no", "nr", "name", "model", "holder", "owner"];

thread_local! {
    /// What was found out of headers and names of custom fields: the same few come with every record that is copied.
    static KNOWN: RefCell<HashMap<String, bool>> = RefCell::default();
}

/// The headers that are remembered.
const MOST_KNOWN: usize = 1_024;

/// Whether a header names a column of secrets, whatever brackets, prefixes or other words surround the word.
pub fn is_secret_header(header: &str) -> bool {
    if let Some(known) = KNOWN.with_borrow(|known| known.get(header).copied()) {
        return known;
    }
    let is_secret = names_secret(header);
    KNOWN.with_borrow_mut(|known| {
        if known.len() < MOST_KNOWN {
            known.insert(header.to_owned(), is_secret);
        }
    });
    is_secret
}

fn names_secret(header: &str) -> bool {
    static TABLES: LazyLock<Tables> = LazyLock::new(Tables::new);
    let words: Vec<String> = words(header);
    let whole = words.concat();
    if TABLES.whole.contains(&whole) {
        return true;
    }
    let ordinary = TABLES.ordinary.iter().find(|word| whole.contains(*word));
    // `암호화키` is a secret although `암호화` is none.
    let counts = |word: &&String| ordinary.is_none_or(|ordinary| word.contains(ordinary));
    (0..words.len()).any(|first| {
        let begun = words[first].chars().next().and_then(|char| TABLES.phrases.get(&char)).into_iter().flatten();
        let phrases = begun.filter(counts).filter_map(|phrase| phrase_end(&words, first, phrase));
        let stems = TABLES.stems.iter().filter(counts).filter_map(|stem| {
            let is_part = words.get(first).is_some_and(|word| word.contains(stem));
            if is_part { Some(first + 1) } else { phrase_end(&words, first, stem) }
        });
        phrases.chain(stems).any(|end| !tells_a_fact(&words[first..end], &words[end..]))
    })
}

/// The words above, folded as headers are.
struct Tables {
    stems: Vec<String>,
    /// By their first character, because nearly none begins as a word does.
    phrases: HashMap<char, Vec<String>>,
    whole: Vec<String>,
    ordinary: Vec<String>,
}

impl Tables {
    fn new() -> Self {
        let folded = |table: &[&str]| table.iter().map(|phrase| words(phrase).concat()).collect::<Vec<String>>();
        let mut phrases: HashMap<char, Vec<String>> = HashMap::new();
        for phrase in folded(PHRASES) {
            phrases.entry(phrase.chars().next().unwrap_or_default()).or_default().push(phrase);
        }
        Self { stems: folded(STEMS), phrases, whole: folded(WHOLE), ordinary: folded(ORDINARY) }
    }
}

/// Where the words from `first` on that make up the phrase, its plural or the phrase with a number end.
fn phrase_end(words: &[String], first: usize, phrase: &str) -> Option<usize> {
    // Nearly no stem begins as the word does.
    if !phrase.starts_with(words.get(first)?.chars().next()?) {
        return None;
    }
    let mut rest = phrase;
    for (at, word) in words.iter().enumerate().skip(first) {
        match rest.strip_prefix(word.as_str()) {
            Some("") => return Some(at + 1),
            Some(after) => rest = after,
            None => {
                let single = word.trim_end_matches(|char: char| char.is_ascii_digit());
                return (single == rest || single.strip_suffix('s') == Some(rest)).then_some(at + 1);
            }
        }
    }
    None
}

/// Whether all that follows a secret word says what the column tells about it: `Password last changed`.
fn tells_a_fact(secret: &[String], behind: &[String]) -> bool {
    let is_in = |table: &[&str], word: &String| table.iter().any(|known| words(known).concat() == *word);
    let is_token = matches!(secret, [word] if word.trim_end_matches('s') == "token");
    let is_fact = |word: &String| is_in(FACTS, word) || (is_token && is_in(TOKEN_FACTS, word));
    behind.iter().any(is_fact) && behind.iter().all(|word| is_fact(word) || is_in(FILLERS, word))
}

/// The words of a header, folded: cut where neither letters nor digits stand, before the hump of `wifiKey`, and where
/// Latin letters meet those of East Asia. Characters that nobody sees part nothing.
fn words(header: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = None;
    for char in compatible(header).chars().filter(|char| !is_invisible(*char)) {
        let is_hump = before.is_some_and(char::is_lowercase) && char.is_uppercase();
        let is_seam = before.is_some_and(|before: char| {
            before.is_alphanumeric()
                && (before.is_ascii() && is_east_asian(char) || is_east_asian(before) && char.is_ascii())
        });
        before = Some(char);
        if is_hump || is_seam || !(char.is_alphanumeric() || is_combining_mark(char)) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (char.is_alphanumeric(), words.last_mut()) {
            if char.is_ascii() {
                word.push(char.to_ascii_lowercase());
                continue;
            }
            let plain = char.nfd().filter(|part| !is_combining_mark(*part));
            word.extend(plain.flat_map(char::to_lowercase).filter(|part| !is_combining_mark(*part)));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Scripts that stand beside Latin words without a space: kana, Han, Hangul.
fn is_east_asian(char: char) -> bool {
    matches!(char, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}')
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
            "Secrets",
            "Passcode",
            "Pass-phrase",
            "Pass word",
            "Pasword",
            "p/w",
            "user/pass",
            "userpw",
            "pwd1",
            "Password 2",
            "BIOS pw",
            "Local admin password (LAPS)",
            "[Password]",
            "{{password}}",
            "*Password*",
            "Temp. password set by IT",
            "Password status code and password",
            "Private key",
            "SSH_KEY",
            "MFA secret",
            "OTP Secret",
            "TOTP",
            "2FA code",
            "Recovery Codes",
            "PSK",
            "WPA2-PSK",
            "Wi-Fi PSK",
            "Passwörter",
            "Kennwörter",
            "PIN-Nummer",
            "Geräte-PIN",
            "GerätePIN",
            "Wiederherstellungscode",
            "API-Schlüssel",
            "BitLocker-Schlüssel",
            "WLAN-Schlüssel",
            "Zugangsdaten",
            "Passwoord",
            "paswoord",
            "pincode",
            "herstelsleutel",
            "lösenord (admin)",
            "Pinkod",
            "adgangskode",
            "Kodeord",
            "pinkode",
            "passord",
            "salasana",
            "Salasanat",
            "PIN-koodi",
            "Clave",
            "CLAVES",
            "Clave WiFi",
            "clave de red",
            "código de desbloqueo",
            "contrasenya",
            "Senhas",
            "Palavra-passe",
            "Código PIN",
            "chave de recuperação",
            "Parola",
            "codice PIN",
            "chiave di ripristino",
            "Mots de passe",
            "Clé BitLocker",
            "code d'accès",
            "Phrase secrète",
            "heslo",
            "Hesla",
            "Hasła",
            "Kod PIN",
            "lozinka",
            "geslo",
            "jelszó",
            "Jelszavak",
            "şifre",
            "Wi-Fi Şifresi",
            "parolă",
            "Пароли",
            "паролей",
            "ПИН-код",
            "Парола",
            "Токен",
            "Секретный ключ",
            "slaptažodis",
            "parool",
            "密碼",
            "WiFi密码",
            "登录口令",
            "初期パスワード",
            "PINコード",
            "SIMのPIN",
            "APIキー",
            "暗証番号",
            "BitLocker回復キー",
            "관리자 비밀번호",
            "PIN번호",
            "와이파이 암호",
            "디스크 암호화키",
            "API 키",
            "mat khau",
            "รหัสผ่าน",
            "kata sandi",
            "Kata Laluan",
            "पासवर्ड",
            "סיסמה",
            "كلمة مرور",
            "رمز عبور",
        ] {
            assert!(is_secret_header(header), "{header}");
        }
    }

    #[test]
    fn words_that_only_contain_or_resemble_one_are_not_secret() {
        for header in [
            "Product Key", "License Key", "Key", "Pinned", "Shipping", "Opinion", "Spin", "Passport number",
            "Pass/Fail", "Secretary", "Tokenized", "Compass", "Pinboard", "Activation Lock", "BitLocker", "Keyboard",
            "Monkey", "Encryption", "Network", "Unlocked", "Asset Tag", "Access", "Codigo", "Token ID tag", "Token ID",
            "Token serial number", "Token holder", "Pin count", "PIN pad", "Pinnacle", "Licence key", "Activation key",
            "Volume License Key", "Windows key", "CD Key", "Serial key", "Key number", "Key holder",
            "Key Account Manager", "Keycard", "Keys", "Asset key", "Password last changed",
            "lastPasswordChangeDateTime", "Password expires", "passwordPolicies", "PasswordNeverExpires",
            "Password last set", "pwdLastSet", "Password manager", "forceChangePasswordNextSignIn",
            "Secret expiry date", "Password Hash Function [UPLOAD ONLY]", "BlockCredential", "Clave del producto",
            "Clave de activo", "Clavier", "产品密钥", "许可证密钥", "암호화 여부", "암호화", "제품 키",
            "プロダクトキー", "キーボード", "Schlüssel", "Produktschlüssel", "Lizenzschlüssel", "Clé de produit",
            "Clé de licence", "Chave do produto", "Parola chiave", "Passage", "Encrypted", "Bypass", "Bearer", "Code",
            "Zip code", "Barcode", "QR code", "Cost code", "Country code", "Sandisk", "Wi-Fi MAC", "Wi-Fi SSID",
            "Network name", "Security level", "Hashtag", "Passenger", "Authentication", "Login", "Last login", "User",
            "Username", "Lock", "SIM number", "ICCID", "Pinion",
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

//! The currencies of locales, for number formats such as `[$$-409]` whose sign alone could be several currencies.

/// Language and region, the identifier that number formats have for them, and the currency. Only locales whose
/// currency has a sign that others use too. Source: the language identifiers of [MS-LCID].
const LOCALES: &[(&str, u16, &str)] = &[
    ("en-US", 0x0409, "USD"),
    ("es-US", 0x540A, "USD"),
    ("es-PR", 0x500A, "USD"),
    ("es-EC", 0x300A, "USD"),
    ("es-SV", 0x440A, "USD"),
    ("en-CA", 0x1009, "CAD"),
    ("fr-CA", 0x0C0C, "CAD"),
    ("en-AU", 0x0C09, "AUD"),
    ("en-NZ", 0x1409, "NZD"),
    ("en-SG", 0x4809, "SGD"),
    ("zh-SG", 0x1004, "SGD"),
    ("en-HK", 0x3C09, "HKD"),
    ("zh-HK", 0x0C04, "HKD"),
    ("zh-MO", 0x1404, "MOP"),
    ("zh-TW", 0x0404, "TWD"),
    ("en-BZ", 0x2809, "BZD"),
    ("en-JM", 0x2009, "JMD"),
    ("en-TT", 0x2C09, "TTD"),
    ("ms-BN", 0x083E, "BND"),
    ("es-MX", 0x080A, "MXN"),
    ("es-AR", 0x2C0A, "ARS"),
    ("es-CL", 0x340A, "CLP"),
    ("es-CO", 0x240A, "COP"),
    ("es-CU", 0x5C0A, "CUP"),
    ("es-DO", 0x1C0A, "DOP"),
    ("es-NI", 0x4C0A, "NIO"),
    ("es-UY", 0x380A, "UYU"),
    ("es-BO", 0x400A, "BOB"),
    ("es-VE", 0x200A, "VES"),
    ("pt-BR", 0x0416, "BRL"),
    ("en-PH", 0x3409, "PHP"),
    ("fil-PH", 0x0464, "PHP"),
    ("en-GB", 0x0809, "GBP"),
    ("cy-GB", 0x0452, "GBP"),
    ("ar-EG", 0x0C01, "EGP"),
    ("ar-LB", 0x3001, "LBP"),
    ("ar-SY", 0x2801, "SYP"),
    ("ja-JP", 0x0411, "JPY"),
    ("zh-CN", 0x0804, "CNY"),
    ("ko-KR", 0x0412, "KRW"),
    ("sv-SE", 0x041D, "SEK"),
    ("nb-NO", 0x0414, "NOK"),
    ("nn-NO", 0x0814, "NOK"),
    ("da-DK", 0x0406, "DKK"),
    ("fo-FO", 0x0438, "DKK"),
    ("is-IS", 0x040F, "ISK"),
    ("de-CH", 0x0807, "CHF"),
    ("fr-CH", 0x100C, "CHF"),
    ("it-CH", 0x0810, "CHF"),
    ("de-LI", 0x1407, "CHF"),
    ("en-IN", 0x4009, "INR"),
    ("hi-IN", 0x0439, "INR"),
    ("ur-PK", 0x0420, "PKR"),
    ("si-LK", 0x045B, "LKR"),
    ("ne-NP", 0x0461, "NPR"),
    ("ro-RO", 0x0418, "RON"),
    ("ro-MD", 0x0818, "MDL"),
    ("ru-RU", 0x0419, "RUB"),
    ("be-BY", 0x0423, "BYN"),
    ("ar-SA", 0x0401, "SAR"),
    ("ar-QA", 0x4001, "QAR"),
    ("ar-OM", 0x2001, "OMR"),
    ("ar-YE", 0x2401, "YER"),
    ("fa-IR", 0x0429, "IRR"),
    ("ar-AE", 0x3801, "AED"),
    ("ar-MA", 0x1801, "MAD"),
];

/// The currency of a locale as a number format has it: `409`, `1000409` (with calendar and digits), `en-US`.
pub(super) fn currency_of(locale: &str) -> Option<&'static str> {
    let identifier = u32::from_str_radix(locale, 16).ok().map(|identifier| identifier as u16);
    let is_it = |line: &&(&str, u16, &str)| match identifier {
        Some(identifier) => line.1 == identifier,
        None => line.0.eq_ignore_ascii_case(locale),
    };
    LOCALES.iter().find(is_it).map(|(_, _, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::choice::currency;
    use std::collections::HashSet;

    #[test]
    fn locales_are_listed_once_with_an_active_code() {
        let names: HashSet<_> = LOCALES.iter().map(|line| line.0).collect();
        let identifiers: HashSet<_> = LOCALES.iter().map(|line| line.1).collect();
        assert_eq!((names.len(), identifiers.len()), (LOCALES.len(), LOCALES.len()));
        assert!(LOCALES.iter().all(|(_, _, code)| currency(code) == Ok(code)));
    }

    #[test]
    fn locales_are_found_by_number_and_name() {
        for (locale, code) in
            [("409", Some("USD")), ("0809", Some("GBP")), ("1000409", Some("USD")), ("en-US", Some("USD"))]
        {
            assert_eq!(currency_of(locale), code, "{locale}");
        }
        for locale in ["407", "F800", "", "x", "en", "99999999999"] {
            assert_eq!(currency_of(locale), None, "{locale}");
        }
    }
}

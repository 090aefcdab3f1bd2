//! Languages and countries by the identifiers that format codes have for them: `[$-407]` is German of Germany.

use super::super::xml_scanner::XmlTag;

/// Language and country, and the identifier in hexadecimal digits. Source: the language identifiers of [MS-LCID].
const IDENTIFIERS: &str = "\
    af-ZA 436, am-ET 45e, ar-AE 3801, ar-BH 3c01, ar-DZ 1401, ar-EG c01, ar-IQ 801, ar-JO 2c01, ar-KW 3401, \
    ar-LB 3001, ar-LY 1001, ar-MA 1801, ar-OM 2001, ar-QA 4001, ar-SA 401, ar-SY 2801, ar-TN 1c01, ar-YE 2401, \
    arn-CL 47a, as-IN 44d, az-AZ 42c, ba-RU 46d, be-BY 423, bg-BG 402, bn-IN 445, bo-BT 851, bo-CN 451, br-FR 47e, \
    bs-BA 141a, ca-ES 403, co-FR 483, cs-CZ 405, cy-GB 452, da-DK 406, de-AT c07, de-CH 807, de-DE 407, de-LI 1407, \
    de-LU 1007, div-MV 465, dsb-DE 82e, el-GR 408, en-AU c09, en-BZ 2809, en-CA 1009, en-CB 2409, en-GB 809, \
    en-HK 3c09, en-IE 1809, en-IN 4009, en-JA 2009, en-MY 4409, en-NZ 1409, en-PH 3409, en-TT 2c09, en-US 409, \
    en-ZA 1c09, en-ZW 3009, es-AR 2c0a, es-BO 400a, es-CL 340a, es-CO 240a, es-CR 140a, es-CU 5c0a, es-DO 1c0a, \
    es-EC 300a, es-ES c0a, es-GT 100a, es-HN 480a, es-MX 80a, es-NI 4c0a, es-PA 180a, es-PE 280a, es-PR 500a, \
    es-PY 3c0a, es-SV 440a, es-UR 380a, es-US 540a, es-VE 200a, et-EE 425, eu-ES 42d, fa-IR 429, fi-FI 40b, \
    fil-PH 464, fo-FO 438, fr-BE 80c, fr-CA c0c, fr-CH 100c, fr-FR 40c, fr-LU 140c, fr-MC 180c, fy-NL 462, ga-IE 83c, \
    gbz-AF 48c, gl-ES 456, gsw-FR 484, gu-IN 447, ha-NG 468, he-IL 40d, hi-IN 439, hr-BA 101a, hr-HR 41a, hu-HU 40e, \
    hy-AM 42b, id-ID 421, ii-CN 478, is-IS 40f, it-CH 810, it-IT 410, iu-CA 45d, ja-JP 411, ka-GE 437, kh-KH 453, \
    kk-KZ 43f, kl-GL 46f, kn-IN 44b, ko-KR 412, kok-IN 457, ky-KG 440, lb-LU 46e, lo-LA 454, lt-LT 427, lv-LV 426, \
    mi-NZ 481, mk-MK 42f, ml-IN 44c, mn-CN 850, mn-MN 450, moh-CA 47c, mr-IN 44e, ms-BN 83e, ms-MY 43e, mt-MT 43a, \
    nb-NO 414, ne-NP 461, nl-BE 813, nl-NL 413, nn-NO 814, no-NO 414, ns-ZA 46c, oc-FR 482, or-IN 448, pa-IN 446, \
    pl-PL 415, ps-AF 463, pt-BR 416, pt-PT 816, qut-GT 486, quz-BO 46b, quz-EC 86b, quz-PE c6b, rm-CH 417, ro-RO 418, \
    ru-RU 419, rw-RW 487, sa-IN 44f, sah-RU 485, se-FI c3b, se-NO 43b, se-SE 83b, si-LK 45b, sk-SK 41b, sl-SI 424, \
    sma-NO 183b, sma-SE 1c3b, smj-NO 103b, smj-SE 143b, smn-FI 243b, sms-FI 203b, sq-AL 41c, sr-BA 181a, sr-RS 241a, \
    sr-SP 81a, sv-FI 81d, sv-SE 41d, sw-KE 441, syr-SY 45a, ta-IN 449, te-IN 44a, tg-TJ 428, th-TH 41e, tk-TM 442, \
    tmz-DZ 85f, tn-ZA 432, tr-TR 41f, tt-RU 444, ug-CN 480, uk-UA 422, ur-IN 820, ur-PK 420, uz-UZ 443, vi-VN 42a, \
    wen-DE 42e, wo-SN 488, xh-ZA 434, yo-NG 46a, zh-CHS 4, zh-CHT 7c04, zh-CN 804, zh-HK c04, zh-MO 1404, zh-SG 1004, \
    zh-TW 404, zu-ZA 435";

/// The identifier of the language and country that a style names; none where it names none, or one that has none.
pub(super) fn identifier(tag: &XmlTag<'_>) -> Option<&'static str> {
    let name = format!("{}-{}", tag.text_attribute("language")?, tag.text_attribute("country")?);
    IDENTIFIERS.split(", ").filter_map(|line| line.split_once(' ')).find(|(known, _)| *known == name).map(|(_, id)| id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_locale_has_one_identifier() {
        let lines: Vec<_> = IDENTIFIERS.split(", ").map(|line| line.split_once(' ').unwrap()).collect();
        assert_eq!(lines.iter().map(|(name, _)| name).collect::<HashSet<_>>().len(), lines.len());
        assert!(lines.iter().all(|(_, id)| u16::from_str_radix(id, 16).is_ok()));
        assert!(["de-DE 407", "en-CA 1009", "en-US 409"].iter().all(|line| IDENTIFIERS.contains(line)));
    }
}

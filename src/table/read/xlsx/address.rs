//! Addresses of rows, cells and areas, such as `7`, `C7` and `A1:C7`. All count from 0 once they are read.

/// `A1:C7`, by its corners.
pub(super) fn area(text: &[u8]) -> Option<((u32, u32), (u32, u32))> {
    let colon = memchr::memchr(b':', text)?;
    Some((position(&text[..colon])?, position(&text[colon + 1..])?))
}

/// `7` is row 6.
pub(super) fn row_number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse::<u32>().ok()?.checked_sub(1)
}

/// `C7` is row 6, column 2.
pub(super) fn position(text: &[u8]) -> Option<(u32, u32)> {
    let digits = text.iter().position(u8::is_ascii_digit)?;
    let letter = |column: u32, byte: &u8| {
        let digit = byte.to_ascii_uppercase().checked_sub(b'A').filter(|digit| *digit < 26)?;
        column.checked_mul(26)?.checked_add(u32::from(digit) + 1)
    };
    let column = text[..digits].iter().try_fold(0, letter)?;
    Some((row_number(&text[digits..])?, column.checked_sub(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions() {
        assert_eq!(position(b"C7"), Some((6, 2)));
        assert_eq!(position(b"c7"), Some((6, 2)));
        assert_eq!(position(b"XFD1048576"), Some((1_048_575, 16_383)));
        assert_eq!(position(b"ZZZZZZZZZ1"), None);
        assert_eq!(position(b"7"), None);
        assert_eq!(position(b"C0"), None);
        assert_eq!(position(b"$C7"), None);
        assert_eq!(area(b"A1:C7"), Some(((0, 0), (6, 2))));
        assert_eq!(area(b"A1"), None);
    }
}

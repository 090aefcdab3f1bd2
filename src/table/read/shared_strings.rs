//! The texts that the cells of a workbook share.

/// Texts side by side in one buffer: a workbook has millions, most of them short.
#[derive(Debug, Default)]
pub(super) struct SharedStrings {
    text: String,
    /// Where each text ends.
    ends: Vec<usize>,
}

impl SharedStrings {
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.text[start..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_comes_back_by_its_number() {
        let mut strings = SharedStrings::default();
        ["Zoë", "", "東京"].into_iter().for_each(|text| strings.push(text));
        assert_eq!((strings.get(0), strings.get(1), strings.get(2)), (Some("Zoë"), Some(""), Some("東京")));
        assert_eq!((strings.len(), strings.get(3)), (3, None));
    }
}

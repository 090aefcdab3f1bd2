//! A text file of any encoding, read as UTF-8.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder};

use super::{Encoding, LineEnding, ReplacementChars, read_some};

/// The text as UTF-8 with LF line ends, in whatever encoding it is; what cannot be decoded, and NUL, is U+FFFD.
pub(in crate::table::read) struct Utf8Text<R> {
    input: R,
    decoder: Decoder,
    line_ending: LineEnding,
    raw: Box<[u8]>,
    raw_start: usize,
    raw_end: usize,
    text: Vec<u8>,
    text_start: usize,
    state: DecoderState,
    pub(super) replacement_chars: ReplacementChars,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DecoderState {
    More,
    /// The input has ended; the decoder may hold something back.
    Ending,
    Ended,
}

impl<R: Read> Utf8Text<R> {
    pub(in crate::table::read) fn new(input: R, encoding: Encoding, line_ending: LineEnding) -> Utf8Text<R> {
        Utf8Text {
            input,
            decoder: encoding.0.new_decoder_with_bom_removal(),
            line_ending,
            raw: vec![0; 64 * 1024].into_boxed_slice(),
            raw_start: 0,
            raw_end: 0,
            text: Vec::new(),
            text_start: 0,
            state: DecoderState::More,
            replacement_chars: ReplacementChars::Absent,
        }
    }

    fn decode_more(&mut self) -> io::Result<()> {
        if self.raw_start == self.raw_end && self.state == DecoderState::More {
            self.raw_start = 0;
            self.raw_end = read_some(&mut self.input, &mut self.raw)?;
            if self.raw_end == 0 {
                self.state = DecoderState::Ending;
            }
        }
        // Three bytes of UTF-8 for one byte is the most that any encoding needs.
        self.text.resize(self.raw.len() * 3 + 16, 0);
        let is_last = self.state == DecoderState::Ending;
        let raw = &self.raw[self.raw_start..self.raw_end];
        let (result, read, written, had_errors) = self.decoder.decode_to_utf8(raw, &mut self.text, is_last);
        self.raw_start += read;
        self.text.truncate(written);
        self.text_start = 0;
        if had_errors {
            self.replacement_chars = ReplacementChars::Present;
        }
        if is_last && result == CoderResult::InputEmpty {
            self.state = DecoderState::Ended;
        }
        self.normalize();
        Ok(())
    }

    fn normalize(&mut self) {
        if self.line_ending == LineEnding::Cr {
            self.text.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        }
        if memchr::memchr(0, &self.text).is_some() {
            self.replacement_chars = ReplacementChars::Present;
            self.text = String::from_utf8_lossy(&self.text).replace('\0', "\u{FFFD}").into_bytes();
        }
    }
}

impl<R: Read> Read for Utf8Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.text_start == self.text.len() && self.state != DecoderState::Ended {
            self.decode_more()?;
        }
        let len = buffer.len().min(self.text.len() - self.text_start);
        buffer[..len].copy_from_slice(&self.text[self.text_start..self.text_start + len]);
        self.text_start += len;
        Ok(len)
    }
}

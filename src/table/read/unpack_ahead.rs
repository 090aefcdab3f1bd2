//! Unpacks a part on a second thread while the caller works on what is unpacked already.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use super::damage::guarded;
use crate::table::error::ReadFault;

/// Bytes per block: handing one over costs some microseconds, unpacking it a hundred.
const BLOCK: usize = 128 * 1024;
/// Blocks on their way: enough that neither thread waits for the other's scheduling, and little memory.
const AHEAD: usize = 4;

/// Runs `work` on what `packed` unpacks to. Where `work` stops early, so does the thread.
pub(super) fn unpack_ahead<T>(packed: impl Read + Send, work: impl FnOnce(&mut dyn Read) -> T) -> T {
    let (full, incoming) = sync_channel(AHEAD);
    let (used, recycled) = channel();
    std::thread::scope(|scope| {
        scope.spawn(move || unpack(packed, &full, &recycled));
        let mut blocks = UnpackedBlocks { incoming, used, block: Block::default(), start: 0 };
        work(&mut blocks)
    })
}

/// Some of the part.
#[derive(Default)]
struct Block {
    bytes: Vec<u8>,
    /// How many of the bytes are filled.
    len: usize,
}

impl Block {
    /// Fills it as far as the part goes.
    fn fill(&mut self, packed: &mut impl Read) -> io::Result<()> {
        self.bytes.resize(BLOCK, 0);
        self.len = 0;
        while self.len < BLOCK {
            match packed.read(&mut self.bytes[self.len..]) {
                Ok(0) => break,
                Ok(read) => self.len += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Unpacks until the part ends, an error comes, or the receiver is gone.
fn unpack(mut packed: impl Read, full: &SyncSender<io::Result<Block>>, recycled: &Receiver<Block>) {
    loop {
        let mut block = recycled.try_recv().unwrap_or_default();
        let filled = guarded(|| Ok::<_, ReadFault>(block.fill(&mut packed)));
        let result = match filled {
            Ok(Ok(())) if block.len == 0 => return,
            Ok(Ok(())) => Ok(block),
            Ok(Err(error)) => Err(error),
            // It panicked, which only damaged parts bring it to.
            Err(_) => Err(io::ErrorKind::InvalidData.into()),
        };
        let is_last = result.is_err();
        if full.send(result).is_err() || is_last {
            return;
        }
    }
}

/// The reader's end.
struct UnpackedBlocks {
    incoming: Receiver<io::Result<Block>>,
    used: Sender<Block>,
    block: Block,
    /// How much of the block has been read.
    start: usize,
}

impl Read for UnpackedBlocks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.start == self.block.len {
            // The thread may be done.
            let _ = self.used.send(std::mem::take(&mut self.block));
            self.start = 0;
            match self.incoming.recv() {
                Ok(block) => self.block = block?,
                Err(_) => return Ok(0),
            }
        }
        let unread = &self.block.bytes[self.start..self.block.len];
        let len = buffer.len().min(unread.len());
        buffer[..len].copy_from_slice(&unread[..len]);
        self.start += len;
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Some bytes, then an error or a panic.
    struct Faulty(usize, fn() -> io::Result<usize>);

    impl Read for Faulty {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = self.0.min(buffer.len());
            self.0 -= len;
            if len == 0 { (self.1)() } else { Ok(len) }
        }
    }

    #[test]
    fn the_bytes_arrive_in_order() {
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
        let mut read = Vec::new();
        unpack_ahead(bytes.as_slice(), |unpacked| unpacked.read_to_end(&mut read)).unwrap();
        assert!(read == bytes);
    }

    #[test]
    fn who_has_enough_stops_the_thread() {
        let first = unpack_ahead(io::repeat(7), |unpacked| {
            let mut byte = [0];
            unpacked.read_exact(&mut byte).map(|()| byte[0])
        });
        assert_eq!(first.unwrap(), 7);
    }

    #[test]
    fn errors_and_panics_arrive_as_errors() {
        let kind = |end| {
            unpack_ahead(Faulty(BLOCK * 9, end), |unpacked| io::copy(unpacked, &mut io::sink())).unwrap_err().kind()
        };
        assert_eq!(kind(|| Err(io::ErrorKind::UnexpectedEof.into())), io::ErrorKind::UnexpectedEof);
        assert_eq!(kind(|| Ok([1, 2][std::hint::black_box(7)])), io::ErrorKind::InvalidData);
    }
}

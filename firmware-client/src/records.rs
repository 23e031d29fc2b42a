//! What `embedded-tls` 0.19 cannot be shown: records that end it with a panic, whoever they are from.

use embedded_io_async::{Error as _, ErrorKind, ErrorType, Read, Write};

const HEADER: usize = 5;

/// Of a record (RFC 8446, section 5.1).
const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

/// The type of what is encrypted, and the tag: nothing that is shorter can be decrypted to anything (section 5.2).
const SHORTEST: u16 = 1 + 16;

/// A stream whose records are followed by their headers. It gives no encrypted record that is too short to say what it is,
/// whose last byte `embedded-tls` takes without looking whether there is one; and once the server has said hello none
/// that is not encrypted, but for the one that means nothing: a message that does not belong there is `unimplemented!`.
/// What a server that proved itself encrypts, nobody looks into here.
pub(crate) struct Records<T> {
    inner: T,
    header: [u8; HEADER],
    /// How much of the header was read.
    filled: usize,
    /// How much of the record is still to come after it.
    left: usize,
    greeted: bool,
}

impl<T> Records<T> {
    pub(crate) const fn new(inner: T) -> Self {
        Self { inner, header: [0; HEADER], filled: 0, left: 0, greeted: false }
    }

    /// Takes a whole header.
    fn begin(&mut self) -> Result<(), ErrorKind> {
        let [kind, _, _, high, low] = self.header;
        let length = u16::from_be_bytes([high, low]);
        let belongs = match kind {
            APPLICATION_DATA => length >= SHORTEST,
            CHANGE_CIPHER_SPEC => true,
            _ => !self.greeted,
        };
        if !belongs {
            return Err(ErrorKind::InvalidData);
        }
        self.greeted |= kind == HANDSHAKE;
        (self.filled, self.left) = (0, usize::from(length));
        Ok(())
    }
}

impl<T> ErrorType for Records<T> {
    type Error = ErrorKind;
}

impl<T: Read> Read for Records<T> {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        let most = if self.left > 0 { self.left } else { HEADER - self.filled };
        let room = into.len().min(most);
        let count = self.inner.read(&mut into[..room]).await.map_err(|error| error.kind())?;
        if self.left > 0 {
            self.left -= count;
        } else {
            self.header[self.filled..self.filled + count].copy_from_slice(&into[..count]);
            self.filled += count;
            if self.filled == HEADER {
                self.begin()?;
            }
        }
        Ok(count)
    }
}

impl<T: Write> Write for Records<T> {
    async fn write(&mut self, from: &[u8]) -> Result<usize, ErrorKind> {
        self.inner.write(from).await.map_err(|error| error.kind())
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        self.inner.flush().await.map_err(|error| error.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::{
        pin::pin,
        task::{Context, Poll, Waker},
    };

    /// Gives at most so many bytes at once.
    struct Slow<'a>(&'a [u8], usize);

    impl ErrorType for Slow<'_> {
        type Error = ErrorKind;
    }

    impl Read for Slow<'_> {
        async fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
            let count = self.0.len().min(into.len()).min(self.1);
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn record(kind: u8, length: usize) -> Vec<u8> {
        let mut record = vec![kind, 3, 3, (length >> 8) as u8, length as u8];
        record.extend((0..length).map(|byte| byte as u8));
        record
    }

    /// Everything that is read from these bytes, up to `step` of them at once into room for `room`.
    fn read(bytes: &[u8], step: usize, room: usize) -> Result<Vec<u8>, ErrorKind> {
        let mut records = Records::new(Slow(bytes, step));
        let (mut all, mut into) = (Vec::new(), vec![0; room]);
        loop {
            let read = pin!(records.read(&mut into)).poll(&mut Context::from_waker(Waker::noop()));
            let Poll::Ready(count) = read else { panic!("it does not wait") };
            match count? {
                0 => return Ok(all),
                count => all.extend_from_slice(&into[..count]),
            }
        }
    }

    fn read_in_all_pieces(bytes: &[u8]) -> Result<Vec<u8>, ErrorKind> {
        let whole = read(bytes, 4096, 4096);
        for step in 1..8 {
            for room in 1..8 {
                assert_eq!(read(bytes, step, room), whole, "{step} {room}");
            }
        }
        whole
    }

    #[test]
    fn a_usual_conversation_passes_unchanged() {
        let records =
            [record(22, 90), record(20, 1), record(23, 17), record(23, 300), record(20, 0), record(23, 40)].concat();
        assert_eq!(read_in_all_pieces(&records), Ok(records));
        let refusal = record(21, 2);
        assert_eq!(read_in_all_pieces(&refusal), Ok(refusal), "an alert instead of a hello");
    }

    #[test]
    fn an_encrypted_record_without_content_is_refused() {
        for length in [0, 1, 16] {
            let records = [record(22, 90), record(23, length)].concat();
            assert_eq!(read_in_all_pieces(&records), Err(ErrorKind::InvalidData), "{length}");
        }
    }

    #[test]
    fn nothing_but_the_change_of_cipher_is_in_the_clear_after_the_hello() {
        for kind in [0, 21, 22, 24, 255] {
            let records = [record(22, 90), record(23, 60), record(kind, 6)].concat();
            assert_eq!(read_in_all_pieces(&records), Err(ErrorKind::InvalidData), "{kind}");
        }
        // Two hellos, too.
        assert_eq!(read_in_all_pieces(&[record(22, 90), record(22, 90)].concat()), Err(ErrorKind::InvalidData));
    }
}

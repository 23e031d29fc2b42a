//! HTTP/1.1 (RFC 9112) as one request and one answer: bytes in, bytes out, no input or output of its own.

use crate::{error::Error, put::Put, server::Server};
use authkit_wire::TenantId;

/// The most headers of an answer.
const HEADERS: usize = 32;

/// The longest line of a chunk's size, and of all trailers together.
const CHUNK_LINE: usize = 128;
const TRAILERS: usize = 1024;

/// Answers that only announce the real one (RFC 9110, section 15.2).
const INFORMATIONAL: u8 = 4;

/// What is asked of a request beside its body.
pub(crate) struct Head<'a> {
    pub(crate) method: &'static str,
    pub(crate) server: &'a Server,
    pub(crate) path: &'a str,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) bearer: Option<&'a str>,
}

/// Whether a path can stand in a request line: it begins with a slash and has only what RFC 3986 allows there.
pub(crate) fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(|byte| matches!(byte, b'!'..=b'~') && !b"\"#<>\\^`{|}".contains(&byte))
}

/// A request's body.
#[derive(Clone, Copy)]
pub(crate) enum Body<'a> {
    None,
    /// It lies at the buffer's beginning already, and is so long.
    Written(usize),
    Bytes(&'a [u8]),
}

/// Writes a request to the beginning of the buffer. Its length.
pub(crate) fn write_request(head: &Head<'_>, body: Body<'_>, buffer: &mut [u8]) -> Result<usize, Error> {
    let written = if let Body::Written(length) = body { length } else { 0 };
    // Out of the way, to the end: how long the head will be is not known.
    let room = buffer.len() - written;
    buffer.copy_within(..written, room);
    let mut put = Put::new(&mut buffer[..room]);
    put.text(head.method).text(" ").text(head.server.prefix()).text(head.path).text(" HTTP/1.1\r\nHost: ");
    put.text(head.server.authority());
    put.text(concat!("\r\nUser-Agent: authkit-firmware/", env!("CARGO_PKG_VERSION")));
    put.text("\r\nAccept: application/json\r\n");
    if let Some(bearer) = head.bearer {
        put.text("Authorization: Bearer ").text(bearer).text("\r\n");
    }
    if let Some(tenant) = head.tenant {
        put.text("X-AuthKit-Tenant: ").id(TenantId::PREFIX, tenant.uuid().as_bytes()).text("\r\n");
    }
    let length = match body {
        Body::None => None,
        Body::Written(length) => Some(length),
        Body::Bytes(bytes) => Some(bytes.len()),
    };
    if let Some(length) = length {
        put.text("Content-Type: application/json\r\nContent-Length: ").number(length).text("\r\n");
    }
    put.text("\r\n");
    if let Body::Bytes(bytes) = body {
        put.bytes(bytes);
    }
    let end = put.length().ok_or(Error::TooLarge)?;
    buffer.copy_within(room.., end);
    Ok(end + written)
}

/// A whole answer: where its body lies in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<u32>,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The server will close, so nothing more may be sent.
    pub(crate) closing: bool,
}

/// Reads one answer as its bytes arrive.
pub(crate) struct AnswerReader {
    filled: usize,
    stage: Stage,
    informational: u8,
}

enum Stage {
    Head,
    Counted(Place),
    Chunked { answer: Place, raw: usize, left: usize, phase: Phase, trailers: usize },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Size,
    Data,
    DataEnd,
    Trailers,
}

impl AnswerReader {
    pub(crate) const fn new() -> Self {
        Self { filled: 0, stage: Stage::Head, informational: 0 }
    }

    /// Where the next bytes go.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when there is no room left.
    pub(crate) fn room<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b mut [u8], Error> {
        match buffer.get_mut(self.filled..) {
            Some(room) if !room.is_empty() => Ok(room),
            _ => Err(Error::TooLarge),
        }
    }

    /// Takes the `count` bytes that were put into [`Self::room`]; the answer when it is whole.
    pub(crate) fn advance(&mut self, buffer: &mut [u8], count: usize) -> Result<Option<Place>, Error> {
        self.filled += count;
        while matches!(self.stage, Stage::Head) {
            if !self.head(buffer)? {
                return Ok(None);
            }
        }
        match &mut self.stage {
            Stage::Head => Ok(None),
            Stage::Counted(answer) => match self.filled.cmp(&answer.end) {
                core::cmp::Ordering::Less => Ok(None),
                core::cmp::Ordering::Equal => Ok(Some(*answer)),
                core::cmp::Ordering::Greater => Err(Error::Protocol("bytes after the answer")),
            },
            Stage::Chunked { .. } => self.chunks(buffer),
        }
    }

    /// Whether a head was read.
    #[inline(never)]
    fn head(&mut self, buffer: &mut [u8]) -> Result<bool, Error> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let start = match response.parse(&buffer[..self.filled]) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(false),
            Err(_) => return Err(Error::Protocol("the head of the answer")),
        };
        let status = response.code.unwrap_or_default();
        if response.version != Some(1) {
            return Err(Error::Protocol("the HTTP version"));
        }
        let (mut length, mut chunked, mut closing, mut retry_after) = (None, false, false, None);
        for header in response.headers.iter() {
            let name = header.name;
            if name.eq_ignore_ascii_case("content-length") {
                // RFC 9112, section 6.3: a second one, or one beside chunks, is how answers are smuggled.
                let number = decimal(header.value).ok_or(Error::Protocol("Content-Length"))?;
                if length.replace(number).is_some() {
                    return Err(Error::Protocol("two Content-Length"));
                }
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                if chunked || !header.value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Error::Protocol("Transfer-Encoding"));
                }
                chunked = true;
            } else if name.eq_ignore_ascii_case("connection") {
                closing |=
                    header.value.split(|byte| *byte == b',').any(|t| t.trim_ascii().eq_ignore_ascii_case(b"close"));
            } else if name.eq_ignore_ascii_case("retry-after") {
                // The other form, a date, is of no use to who does not trust the answer's clock.
                retry_after = decimal(header.value).and_then(|seconds| u32::try_from(seconds).ok());
            } else if name.eq_ignore_ascii_case("content-encoding") && !header.value.eq_ignore_ascii_case(b"identity") {
                return Err(Error::Protocol("Content-Encoding"));
            }
        }
        if (100..200).contains(&status) {
            self.informational += 1;
            if self.informational > INFORMATIONAL || status == 101 {
                return Err(Error::Protocol("an informational answer"));
            }
            buffer.copy_within(start..self.filled, 0);
            self.filled -= start;
            return Ok(true);
        }
        if chunked && length.is_some() {
            return Err(Error::Protocol("Content-Length beside Transfer-Encoding"));
        }
        let mut answer = Place { status, retry_after, start, end: start, closing };
        self.stage = if status == 204 || status == 304 {
            Stage::Counted(answer)
        } else if chunked {
            Stage::Chunked { answer, raw: start, left: 0, phase: Phase::Size, trailers: 0 }
        } else {
            // A body that ends with the connection may have been cut short: there is no telling.
            let length = length.ok_or(Error::Protocol("no length"))?;
            answer.end = start.checked_add(length).filter(|end| *end <= buffer.len()).ok_or(Error::TooLarge)?;
            Stage::Counted(answer)
        };
        Ok(true)
    }

    /// Decodes chunks in place: what was decoded moves up to what was decoded before.
    #[inline(never)]
    fn chunks(&mut self, buffer: &mut [u8]) -> Result<Option<Place>, Error> {
        let Stage::Chunked { answer, raw, left, phase, trailers } = &mut self.stage else { return Ok(None) };
        loop {
            let waiting = &buffer[*raw..self.filled];
            match *phase {
                Phase::Data => {
                    let count = (*left).min(waiting.len());
                    buffer.copy_within(*raw..*raw + count, answer.end);
                    answer.end += count;
                    *raw += count;
                    *left -= count;
                    if *left > 0 {
                        break;
                    }
                    *phase = Phase::DataEnd;
                }
                Phase::DataEnd => {
                    let Some(end) = waiting.get(..2) else { break };
                    if end != b"\r\n" {
                        return Err(Error::Protocol("the end of a chunk"));
                    }
                    *raw += 2;
                    *phase = Phase::Size;
                }
                Phase::Size | Phase::Trailers => {
                    let Some(length) = line(waiting)? else { break };
                    let text = &waiting[..length];
                    *raw += length + 2;
                    if *phase == Phase::Size {
                        *left = chunk_size(text).ok_or(Error::Protocol("the size of a chunk"))?;
                        *phase = if *left == 0 { Phase::Trailers } else { Phase::Data };
                    } else if text.is_empty() {
                        return match self.filled - *raw {
                            0 => Ok(Some(*answer)),
                            _ => Err(Error::Protocol("bytes after the answer")),
                        };
                    } else {
                        *trailers += length;
                        if *trailers > TRAILERS {
                            return Err(Error::TooLarge);
                        }
                    }
                }
            }
        }
        buffer.copy_within(*raw..self.filled, answer.end);
        self.filled = answer.end + (self.filled - *raw);
        *raw = answer.end;
        Ok(None)
    }
}

/// The length of the line before its CR LF; none when it is not whole yet.
fn line(waiting: &[u8]) -> Result<Option<usize>, Error> {
    match waiting.iter().position(|byte| *byte == b'\n') {
        Some(end) if end > 0 && end <= CHUNK_LINE && waiting[end - 1] == b'\r' => Ok(Some(end - 1)),
        None if waiting.len() <= CHUNK_LINE => Ok(None),
        _ => Err(Error::Protocol("a line between chunks")),
    }
}

fn chunk_size(line: &[u8]) -> Option<usize> {
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii_end();
    // Seven digits are far more than any buffer here, and cannot overflow.
    if digits.is_empty() || digits.len() > 7 {
        return None;
    }
    digits.iter().try_fold(0_usize, |size, byte| {
        let digit = char::from(*byte).to_digit(16)?;
        Some(size * 16 + digit as usize)
    })
}

fn decimal(text: &[u8]) -> Option<usize> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    text.iter().try_fold(0_usize, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit <= 9).then_some(number * 10 + usize::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Feeds `bytes` in pieces of `step`; status and body.
    fn read(bytes: &[u8], step: usize, room: usize) -> Result<Option<(Place, Vec<u8>)>, Error> {
        let mut buffer = vec![0; room];
        let mut reader = AnswerReader::new();
        for piece in bytes.chunks(step) {
            let mut piece = piece;
            while !piece.is_empty() {
                let place = reader.room(&mut buffer)?;
                let count = place.len().min(piece.len());
                place[..count].copy_from_slice(&piece[..count]);
                piece = &piece[count..];
                if let Some(answer) = reader.advance(&mut buffer, count)? {
                    assert!(piece.is_empty());
                    return Ok(Some((answer, buffer[answer.start..answer.end].to_vec())));
                }
            }
        }
        Ok(None)
    }

    #[test]
    fn an_answer_is_read_whatever_pieces_it_arrives_in() {
        let plain: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nRetry-After: 7\r\n\r\nhello";
        let chunked: &[u8] =
            b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nA: b\r\n\r\n";
        let announced: &[u8] =
            b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        for step in 1..70 {
            for (bytes, status) in [(plain, 200), (chunked, 503), (announced, 200)] {
                let (answer, body) = read(bytes, step, 512).unwrap().unwrap();
                assert_eq!((answer.status, &body[..]), (status, &b"hello"[..]), "{step}");
            }
            assert_eq!(read(plain, step, 512).unwrap().unwrap().0.retry_after, Some(7));
        }
        assert!(read(&plain[..plain.len() - 1], 9, 512).unwrap().is_none());
        let (answer, body) = read(b"HTTP/1.1 204 No\r\nConnection: x, Close\r\n\r\n", 7, 512).unwrap().unwrap();
        assert!(answer.closing && body.is_empty());
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for wrong in [
            "HTTP/1.1 200 OK\r\n\r\nhello",
            "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
            "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n",
            "HTTP/1.1 101 Switch\r\n\r\n",
            "SSH-2.0-x\r\n\r\n",
        ] {
            for step in [1, 1000] {
                assert!(matches!(read(wrong.as_bytes(), step, 512), Err(Error::Protocol(_))), "{wrong}");
            }
        }
    }

    #[test]
    fn bytes_after_the_answer_are_not_taken_for_the_next_one() {
        for wrong in [
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxx",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx",
        ] {
            assert_eq!(read(wrong.as_bytes(), 1000, 512), Err(Error::Protocol("bytes after the answer")), "{wrong}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_and_not_cut() {
        let long = format!("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{}", "x".repeat(500));
        assert_eq!(read(long.as_bytes(), 10, 512), Err(Error::TooLarge));
        let endless = format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(1000));
        assert_eq!(read(endless.as_bytes(), 10, 512), Err(Error::TooLarge));
        let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned() + &"4\r\nxxxx\r\n".repeat(200);
        assert_eq!(read(chunks.as_bytes(), 10, 512), Err(Error::TooLarge));
        let announced = "HTTP/1.1 100 Continue\r\n\r\n".repeat(20);
        assert!(matches!(read(announced.as_bytes(), 10, 512), Err(Error::Protocol(_))));
        let trailers =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n".to_owned() + &"A: xxxxxxxx\r\n".repeat(200);
        assert_eq!(read(trailers.as_bytes(), 10, 512), Err(Error::TooLarge));
    }

    #[test]
    fn paths_cannot_carry_headers() {
        assert!(is_path("/v1/devices/self?x=%20"));
        for wrong in ["", "v1", "/a b", "/a\r\nX: y", "/a\n", "/a#b", "/ä", "/a\0"] {
            assert!(!is_path(wrong), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(
            head in prop_oneof![Just("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), Just("HTTP/1.1 ")],
            rest in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b'1'), Just(b':')], 0..200),
            step in 1_usize..40,
        ) {
            let mut buffer = [0; 128];
            let mut reader = AnswerReader::new();
            for piece in [head.as_bytes(), &rest].concat().chunks(step) {
                let Ok(place) = reader.room(&mut buffer) else { return Ok(()) };
                let count = place.len().min(piece.len());
                place[..count].copy_from_slice(&piece[..count]);
                match reader.advance(&mut buffer, count) {
                    Ok(None) => {}
                    Ok(Some(answer)) => { prop_assert!(answer.start <= answer.end && answer.end <= 128); return Ok(()) }
                    Err(_) => return Ok(()),
                }
            }
        }
    }
}

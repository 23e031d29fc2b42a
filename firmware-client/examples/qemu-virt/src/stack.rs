//! TCP over QEMU's user network, one connection at a time.

use crate::{board::uptime, net::Card};
use authkit_firmware_client::{ConnectError, Dial, Error, Random};
use core::{cell::RefCell, future::poll_fn, net::Ipv4Addr, task::Poll};
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use smoltcp::{
    iface::{Config, Interface, SocketHandle, SocketSet, SocketStorage},
    socket::tcp,
    time::Instant,
    wire::{EthernetAddress, IpAddress, IpCidr, Ipv4Address},
};

/// This machine's address in QEMU's user network, and the host's.
const ADDRESS: IpCidr = IpCidr::new(IpAddress::v4(10, 0, 2, 15), 24);
const HOST: Ipv4Address = Ipv4Address::new(10, 0, 2, 2);

/// Ports that connections come from (RFC 6335, section 6).
const PORTS: core::ops::Range<u16> = 49_152..65_000;

fn now() -> Instant {
    Instant::from_millis(uptime() as i64)
}

/// The network, which outlives each of its connections.
pub struct Network<'a>(RefCell<Stack<'a>>);

struct Stack<'a> {
    card: Card,
    interface: Interface,
    sockets: SocketSet<'a>,
    socket: SocketHandle,
    port: u16,
}

impl<'a> Network<'a> {
    pub fn new(
        mut card: Card,
        receive: &'a mut [u8],
        send: &'a mut [u8],
        sockets: &'a mut [SocketStorage<'a>],
        random: &mut impl Random,
    ) -> Result<Self, Error> {
        let mut seed = [0; 8];
        random.fill(&mut seed)?;
        let mut config = Config::new(EthernetAddress(card.mac()).into());
        config.random_seed = u64::from_le_bytes(seed);
        let mut interface = Interface::new(config, &mut card, now());
        interface.update_ip_addrs(|addresses| _ = addresses.push(ADDRESS));
        let mut sockets = SocketSet::new(sockets);
        let socket = sockets.add(tcp::Socket::new(tcp::SocketBuffer::new(receive), tcp::SocketBuffer::new(send)));
        // Another port after each start: the host remembers the connections from before.
        let port = PORTS.start + u16::from_le_bytes([seed[0], seed[1]]) % (PORTS.end - PORTS.start);
        Ok(Self(RefCell::new(Stack { card, interface, sockets, socket, port })))
    }
}

impl<'a> Stack<'a> {
    /// Moves frames, and shows the socket.
    fn poll(&mut self) -> &mut tcp::Socket<'a> {
        self.interface.poll(now(), &mut self.card, &mut self.sockets);
        self.sockets.get_mut(self.socket)
    }
}

impl<'n> Dial for Network<'n> {
    type Connection<'c>
        = Connection<'c, 'n>
    where
        Self: 'c;

    /// The host calls itself `localhost`, and its guests reach it at [`HOST`].
    async fn dial(&mut self, host: &str, port: u16) -> Result<Connection<'_, 'n>, ConnectError> {
        let address = match host.parse() {
            Ok(address) if Ipv4Addr::is_loopback(&address) => HOST,
            Ok(address) => address,
            Err(_) if host == "localhost" => HOST,
            Err(_) => return Err(ConnectError::Unreachable),
        };
        let stack = self.0.get_mut();
        let local = stack.port;
        stack.port = if local + 1 < PORTS.end { local + 1 } else { PORTS.start };
        let socket = stack.sockets.get_mut::<tcp::Socket<'_>>(stack.socket);
        socket.connect(stack.interface.context(), (address, port), local).map_err(|_| ConnectError::Unreachable)?;
        let connection = Connection(&self.0);
        let open = connection.when(|socket| match socket.state() {
            tcp::State::SynSent | tcp::State::SynReceived => None,
            tcp::State::Established => Some(true),
            _ => Some(false),
        });
        if open.await { Ok(connection) } else { Err(ConnectError::Unreachable) }
    }
}

/// An open connection; dropping it resets it.
pub struct Connection<'c, 'n>(&'c RefCell<Stack<'n>>);

impl Connection<'_, '_> {
    /// Waits until `look` sees what it waits for.
    async fn when<T>(&self, mut look: impl FnMut(&mut tcp::Socket<'_>) -> Option<T>) -> T {
        poll_fn(|_| look(self.0.borrow_mut().poll()).map_or(Poll::Pending, Poll::Ready)).await
    }
}

impl Drop for Connection<'_, '_> {
    fn drop(&mut self) {
        let mut stack = self.0.borrow_mut();
        stack.poll().abort();
        // The other end is told, and the socket is free for the next one.
        stack.poll();
    }
}

impl ErrorType for Connection<'_, '_> {
    type Error = ErrorKind;
}

impl Read for Connection<'_, '_> {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        self.when(|socket| match socket.recv_slice(into) {
            Ok(0) => None,
            Ok(count) => Some(Ok(count)),
            Err(tcp::RecvError::Finished) => Some(Ok(0)),
            Err(tcp::RecvError::InvalidState) => Some(Err(ErrorKind::ConnectionReset)),
        })
        .await
    }
}

impl Write for Connection<'_, '_> {
    async fn write(&mut self, from: &[u8]) -> Result<usize, ErrorKind> {
        self.when(|socket| match socket.send_slice(from) {
            Ok(0) => None,
            Ok(count) => Some(Ok(count)),
            Err(tcp::SendError::InvalidState) => Some(Err(ErrorKind::ConnectionReset)),
        })
        .await
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        self.0.borrow_mut().poll();
        Ok(())
    }
}

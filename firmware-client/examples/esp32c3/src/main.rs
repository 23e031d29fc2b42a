//! A device on an ESP32-C3: it joins a WiFi network, claims itself, beats, and waits out whatever goes away. README.md says
//! what is built into it.
#![no_std]
#![no_main]

mod board;
mod network;

use authkit_firmware_client::{
    Backoff, Client, Clock, Error, Health, Heartbeat, Invitation, MIN_BUFFER, Ports, READ_BUFFER, Settings, State, Tls,
    WRITE_BUFFER,
};
use board::{Entropy, Flash, Time};
use embassy_executor::Spawner;
use embassy_net::{Config, StackResources};
use esp_backtrace as _;
use esp_hal::{
    rng::{Trng, TrngSource},
    timer::timg::TimerGroup,
};
use esp_println::println;
use esp_radio::wifi::{Interface, WifiController};
use network::Tcp;
use static_cell::StaticCell;

esp_bootloader_esp_idf::esp_app_desc!();

/// What the maker builds in. A product reads the code from a camera or a serial port instead.
const URI: Option<&str> = option_env!("AUTHKIT_CLAIM_URI");
const AUTHORITY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/authority.der"));

macro_rules! forever {
    ($type:ty, $value:expr) => {{
        static CELL: StaticCell<$type> = StaticCell::new();
        CELL.init($value)
    }};
}

#[esp_rtos::main]
async fn main(spawner: Spawner) {
    let board = esp_hal::init(esp_hal::Config::default());
    // For the radio alone.
    esp_alloc::heap_allocator!(size: 72 * 1024);
    esp_rtos::start(TimerGroup::new(board.TIMG0).timer0, board.FROM_CPU_INTR0);

    // The generator's entropy source has to run before anything is drawn from it.
    let _source = TrngSource::new(board.RNG, board.ADC1);
    let random = || Entropy(Trng::try_new().expect("its source runs"));

    let controller = WifiController::new(board.WIFI, Default::default()).expect("the radio starts");
    let resources = forever!(StackResources<3>, StackResources::new());
    let config = Config::dhcpv4(Default::default());
    let (stack, runner) = embassy_net::new(Interface::station(), config, resources, board::seed(&random().0));
    spawner.spawn(network::join(controller).expect("spawned once"));
    spawner.spawn(network::run(runner).expect("spawned once"));

    let tcp = Tcp::new(stack, forever!([u8; 2048], [0; 2048]), forever!([u8; 2048], [0; 2048]));
    let read = forever!([u8; READ_BUFFER], [0; READ_BUFFER]);
    let write = forever!([u8; WRITE_BUFFER], [0; WRITE_BUFFER]);
    let connect = Tls::new(tcp, random(), AUTHORITY, read, write);
    let ports = Ports { connect, storage: Flash::new(board.FLASH), clock: Time, random: random() };
    let settings = Settings { version: Some(env!("CARGO_PKG_VERSION")), ..Settings::default() };
    let buffer = forever!([u8; MIN_BUFFER], [0; MIN_BUFFER]);
    let mut client = match Client::open(ports, settings, buffer).await {
        Ok(client) => client,
        Err(error) => return println!("the device cannot start: {error}"),
    };

    let mut backoff = Backoff::new(1_000, 300_000);
    loop {
        let done = match (client.state(), URI) {
            (State::Unclaimed | State::Claiming, Some(uri)) => match Invitation::parse(uri) {
                Ok(invitation) => client.claim(&invitation).await.map(|id| println!("claimed {id}")).map(|()| 0),
                Err(error) => Err(error),
            },
            (State::Unclaimed, None) => return println!("nobody's, and no code: build with AUTHKIT_CLAIM_URI"),
            (State::Claiming, None) => client.resume().await.map(|_| 0),
            _ => client.heartbeat(&Heartbeat { health: Some(Health::Ok), capabilities: None }).await,
        };
        let wait = match done {
            Ok(next) => {
                backoff.succeeded();
                next
            }
            Err(error) if error.retryable() => {
                println!("later: {error}");
                backoff.after(error, client.random())
            }
            Err(Error::Refused) => {
                // Revoked, or its owner or tenant is switched off, and may be on again. A product resets itself when a
                // person asks for it, with a button that is held for long.
                println!("refused");
                client.try_again();
                backoff.longest()
            }
            Err(error) => return println!("stopped: {error}"),
        };
        client.clock().sleep(wait).await;
    }
}

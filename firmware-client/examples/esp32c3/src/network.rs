//! WiFi and TCP.

use authkit_firmware_client::{ConnectError, Dial};
use embassy_net::{Runner, Stack, dns::DnsQueryType, tcp::TcpSocket};
use embassy_time::Timer;
use esp_println::println;
use esp_radio::wifi::{AuthenticationMethodConfig, Config, Interface, WifiController, sta::StationConfig};

const SSID: Option<&str> = option_env!("WIFI_SSID");
const PASSWORD: Option<&str> = option_env!("WIFI_PASSWORD");

/// Joins the network, and again whenever it is lost.
#[embassy_executor::task]
pub async fn join(mut controller: WifiController<'static>) {
    let station = SSID.and_then(|ssid| {
        let password = PASSWORD.map(TryInto::try_into).transpose().ok()?;
        let authentication =
            password.map_or(AuthenticationMethodConfig::Open, AuthenticationMethodConfig::Wpa2Personal);
        Some(StationConfig::default().with_ssid(ssid.try_into().ok()?).with_authentication(authentication))
    });
    let Some(station) = station else { return println!("no network: build with WIFI_SSID and WIFI_PASSWORD") };
    if let Err(error) = controller.set_config(&Config::Station(station)) {
        return println!("the radio does not take its settings: {error:?}");
    }
    loop {
        match controller.connect_async().await {
            Ok(_) => _ = controller.wait_for_disconnect_async().await,
            Err(error) => println!("no network: {error:?}"),
        }
        Timer::after_secs(5).await;
    }
}

/// Moves frames.
#[embassy_executor::task]
pub async fn run(mut runner: Runner<'static, Interface>) -> ! {
    runner.run().await
}

/// One TCP connection at a time.
pub struct Tcp {
    stack: Stack<'static>,
    receive: &'static mut [u8],
    send: &'static mut [u8],
}

impl Tcp {
    pub fn new(stack: Stack<'static>, receive: &'static mut [u8], send: &'static mut [u8]) -> Self {
        Self { stack, receive, send }
    }
}

impl Dial for Tcp {
    type Connection<'a> = TcpSocket<'a>;

    async fn dial(&mut self, host: &str, port: u16) -> Result<TcpSocket<'_>, ConnectError> {
        self.stack.wait_config_up().await;
        let found = self.stack.dns_query(host, DnsQueryType::A).await.map_err(|_| ConnectError::Unreachable)?;
        let address = *found.first().ok_or(ConnectError::Unreachable)?;
        let mut socket = TcpSocket::new(self.stack, self.receive, self.send);
        socket.connect((address, port)).await.map_err(|_| ConnectError::Unreachable)?;
        Ok(socket)
    }
}

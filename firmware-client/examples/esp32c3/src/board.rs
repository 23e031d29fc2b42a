//! The chip's flash, generator and clock.

use authkit_firmware_client::{Clock, Random, RandomError, Slot, Storage, StorageError};
use embassy_time::{Instant, Timer};
use esp_hal::{peripherals::FLASH, rng::Trng};
use esp_println::println;
use esp_storage::FlashStorage;

/// Two sectors of the partition `nvs` of the usual table, which this image uses for nothing else.
const fn sector(slot: Slot) -> u32 {
    match slot {
        Slot::A => 0x9000,
        Slot::B => 0xA000,
    }
}

/// The flash chip. Switch its encryption on in a product: who reads the chip reads the key.
pub struct Flash(FlashStorage<'static>);

impl Flash {
    pub fn new(flash: FLASH<'static>) -> Self {
        Self(FlashStorage::new(flash))
    }
}

impl Storage for Flash {
    async fn read(&mut self, slot: Slot, into: &mut [u8]) -> Result<(), StorageError> {
        self.0.read_nor(sector(slot), into).map_err(|_| StorageError)
    }

    async fn write(&mut self, slot: Slot, record: &[u8]) -> Result<(), StorageError> {
        let start = sector(slot);
        self.0.erase(start, start + FlashStorage::SECTOR_SIZE).map_err(|_| StorageError)?;
        self.0.write_nor(start, record).map_err(|_| StorageError)
    }
}

/// The chip's generator while its entropy source runs.
pub struct Entropy(pub Trng);

impl Random for Entropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        self.0.read(bytes);
        Ok(())
    }
}

/// For the ports and sequence numbers of TCP.
pub fn seed(random: &Trng) -> u64 {
    u64::from(random.random()) << 32 | u64::from(random.random())
}

/// The time since the chip was started; the date is only told.
pub struct Time;

impl Clock for Time {
    fn uptime(&self) -> u64 {
        Instant::now().as_millis()
    }

    fn set(&mut self, unix_seconds: u64) {
        println!("date {unix_seconds}");
    }

    async fn sleep(&self, milliseconds: u64) {
        Timer::after_millis(milliseconds).await;
    }
}

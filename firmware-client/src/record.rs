//! What a device keeps: one record of fixed length, with a checksum.

use crate::{
    keys::{DeviceKey, KeyKind, SEED},
    server::{MAX_ADDRESS, Server},
};
use authkit_wire::{
    DeviceId, TenantId,
    device::{ClaimCode, SERVER_KEY},
};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Bytes of a record in a [`Slot`](crate::Slot): a multiple of every word in which flash is written.
pub const RECORD: usize = 336;

const MAGIC: &[u8; 4] = b"AKD1";
const CHECKSUM: usize = RECORD - 16;
const CODE: usize = 12;

/// Where this device is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Nobody's.
    Unclaimed,
    /// A claim was begun, and its answer is not known: [`resume`](crate::Client::resume) asks again with the same key.
    Claiming,
    /// Somebody's.
    Claimed(DeviceId),
    /// The server refused this device's proof: it was revoked, or its owner or tenant is switched off.
    Refused(DeviceId),
}

/// What is kept.
#[expect(clippy::large_enum_variant, reason = "there is no heap to put it on")]
pub(crate) enum Record {
    Empty,
    Bound(Bound),
}

/// The tie between a device and a server.
pub(crate) struct Bound {
    pub(crate) server: Server,
    /// Where the tenant has no host of its own.
    pub(crate) tenant: Option<TenantId>,
    pub(crate) key: DeviceKey,
    /// From the QR code, or from the server that took the claim.
    pub(crate) server_key: Option<[u8; SERVER_KEY]>,
    pub(crate) stage: Stage,
}

/// How far the claim came.
#[derive(Clone, Copy)]
pub(crate) enum Stage {
    Claiming(ClaimCode),
    Claimed(DeviceId),
}

/// The bytes of a record, wiped when they go.
pub(crate) type Image = Zeroizing<[u8; RECORD]>;

impl Record {
    #[inline(never)]
    pub(crate) fn encode(&self, sequence: u32) -> Image {
        let mut image = Zeroizing::new([0_u8; RECORD]);
        let mut rest = &mut image[..CHECKSUM];
        let mut put = |bytes: &[u8], room: usize| {
            let (place, tail) = core::mem::take(&mut rest).split_at_mut(room);
            place[..bytes.len()].copy_from_slice(bytes);
            rest = tail;
        };
        put(MAGIC, 4);
        put(&sequence.to_le_bytes(), 4);
        if let Self::Bound(bound) = self {
            let (stage, code, device) = match bound.stage {
                Stage::Claiming(code) => (1, Some(code), None),
                Stage::Claimed(device) => (2, None, Some(device)),
            };
            let address = bound.server.address();
            let known = u8::from(bound.server_key.is_some()) | u8::from(bound.tenant.is_some()) << 1;
            put(&[stage, bound.key.kind.byte(), known, address.len() as u8], 4);
            put(bound.key.seed.as_ref(), SEED);
            put(&bound.server_key.unwrap_or_default(), SERVER_KEY);
            put(&bound.tenant.map_or([0; 16], |tenant| *tenant.uuid().as_bytes()), 16);
            put(&device.map_or([0; 16], |device| *device.uuid().as_bytes()), 16);
            put(code.as_ref().map_or(&[][..], |code| code.as_str().as_bytes()), CODE);
            put(address.as_bytes(), MAX_ADDRESS);
        }
        let sum = Sha256::digest(&image[..CHECKSUM]);
        image[CHECKSUM..].copy_from_slice(&sum[..RECORD - CHECKSUM]);
        image
    }

    /// The sequence of a whole record; none when these bytes are not one.
    pub(crate) fn sequence(image: &[u8; RECORD]) -> Option<u32> {
        let whole = Sha256::digest(&image[..CHECKSUM])[..RECORD - CHECKSUM] == image[CHECKSUM..];
        let rest = image.strip_prefix(MAGIC).filter(|_| whole)?;
        rest.first_chunk().copied().map(u32::from_le_bytes)
    }

    /// What a whole record says; none when this firmware does not know it.
    #[inline(never)]
    pub(crate) fn decode(image: &[u8; RECORD]) -> Option<Self> {
        let mut rest = &image[8..CHECKSUM];
        let mut take = |length: usize| {
            let (part, tail) = rest.split_at(length);
            rest = tail;
            part
        };
        let &[stage, kind, known, length] = take(4) else { return None };
        if stage == 0 {
            return Some(Self::Empty);
        }
        let seed = Zeroizing::new(take(SEED).try_into().ok()?);
        let key = DeviceKey { kind: KeyKind::from_byte(kind)?, seed };
        let server_key: [u8; SERVER_KEY] = take(SERVER_KEY).try_into().ok()?;
        let tenant = TenantId::new(Uuid::from_slice(take(16)).ok()?);
        let device = take(16);
        let code = take(CODE);
        let stage = match stage {
            1 => Stage::Claiming(core::str::from_utf8(code).ok()?.parse().ok()?),
            2 => Stage::Claimed(DeviceId::new(Uuid::from_slice(device).ok()?)),
            _ => return None,
        };
        let address = core::str::from_utf8(take(MAX_ADDRESS).get(..usize::from(length))?).ok()?;
        let server = Server::parse(address).ok()?;
        let bound = Bound {
            server,
            tenant: (known & 2 != 0).then_some(tenant),
            key,
            server_key: (known & 1 != 0).then_some(server_key),
            stage,
        };
        Some(Self::Bound(bound))
    }
}

//! The keyed MACs of records and heads. Their encoding is stored for good: it never changes, a new one gets a new
//! purpose.
//!
//! A record's MAC is `HMAC-SHA-256(purpose "audit-record", parts)`; each part is preceded by its length as 64-bit
//! big-endian ([`Keyring::mac`]). The parts, in order:
//!
//! | part | encoding |
//! |---|---|
//! | id, tenant | the UUID's 16 bytes each |
//! | time | microseconds since 1970, 64-bit big-endian, signed |
//! | action | UTF-8 |
//! | outcome | one byte: 1 success, 0 failure |
//! | actor, subject, personal, trace id | each empty when absent, else a byte 1 and the value |
//! | data | JSON without spaces, the keys of every object sorted by their bytes |
//!
//! A head's signature is `HMAC-SHA-256(purpose "audit-head", sequence ‖ link ‖ time)`, numbers as above.
//! A link is `SHA-256(previous link ‖ MAC)`; before the first one are 32 zero bytes.

use super::{AuditHead, AuditRecord};
use crate::crypto::{Keyring, sha256};
use authkit_wire::AuditOutcome;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

/// What the first record is linked to.
pub(super) const GENESIS: [u8; 32] = [0; 32];

/// Under the key version that the record names; `None` when that is not configured.
pub(super) fn compute(keyring: &Keyring, record: &AuditRecord) -> Option<[u8; 32]> {
    let optional = |value: Option<&[u8]>| value.map_or_else(Vec::new, |value| [&[1], value].concat());
    let mut data = String::new();
    canonical_object(&record.data, &mut data);
    keyring.mac(
        record.key_version,
        "audit-record",
        &[
            record.id.uuid().as_bytes(),
            record.tenant.uuid().as_bytes(),
            &record.at.as_microsecond().to_be_bytes(),
            record.action.as_bytes(),
            &[u8::from(record.outcome == AuditOutcome::Success)],
            &optional(record.actor.as_deref().map(str::as_bytes)),
            &optional(record.subject.as_deref().map(str::as_bytes)),
            &optional(record.personal.as_deref()),
            &optional(record.trace_id.as_deref().map(str::as_bytes)),
            data.as_bytes(),
        ],
    )
}

/// Whether the record is as it was written.
pub(super) fn holds(keyring: &Keyring, record: &AuditRecord) -> bool {
    compute(keyring, record).is_some_and(|mac| mac.ct_eq(&record.mac).into())
}

pub(super) fn link(previous: &[u8; 32], mac: &[u8; 32]) -> [u8; 32] {
    sha256(&[&previous[..], mac].concat())
}

pub(super) fn sign(keyring: &Keyring, head: &AuditHead) -> Option<[u8; 32]> {
    keyring.mac(
        head.key_version,
        "audit-head",
        &[&head.sequence.to_be_bytes(), &head.link, &head.at.as_microsecond().to_be_bytes()],
    )
}

/// Whether the head is as it was signed.
pub(super) fn signed(keyring: &Keyring, head: &AuditHead) -> bool {
    sign(keyring, head).is_some_and(|signature| signature.ct_eq(&head.signature).into())
}

fn canonical_object(map: &Map<String, Value>, out: &mut String) {
    let mut keys: Vec<&String> = map.keys().collect();
    keys.sort_unstable();
    out.push('{');
    for (place, key) in keys.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        out.push_str(&Value::from(key.as_str()).to_string());
        out.push(':');
        canonical(&map[key], out);
    }
    out.push('}');
}

fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => canonical_object(map, out),
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                canonical(item, out);
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{MasterKey, hex};
    use authkit_wire::{AuditId, TenantId};
    use jiff::Timestamp;
    use std::collections::BTreeMap;
    use uuid::Uuid;

    /// Computed apart from this code, from the encoding as documented. What is stored depends on it: it never changes.
    #[test]
    fn records_links_and_heads_have_the_documented_encoding() {
        let keyring = Keyring::new(&BTreeMap::from([(1, MasterKey::new([1; 32]))])).expect("a key");
        let data = serde_json::json!({"b": true, "a": {"y": [1, "é"], "x": null}});
        let record = AuditRecord {
            id: AuditId::new(Uuid::from_u128(1)),
            tenant: TenantId::new(Uuid::from_u128(2)),
            at: Timestamp::from_microsecond(1_700_000_000_123_456).expect("a time"),
            action: "role.assigned".into(),
            outcome: AuditOutcome::Success,
            actor: Some("operator".into()),
            subject: Some("usr_1".into()),
            personal: None,
            trace_id: Some(String::new()),
            data: data.as_object().expect("an object").clone(),
            key_version: 1,
            mac: [0; 32],
        };
        let mac = compute(&keyring, &record).expect("the key is there");
        assert_eq!(hex(&mac), "2e371a5bb1552c991171f643490e369f86cd872f2f1cc48e8d7ebef80fa7c94a");
        let link = link(&GENESIS, &mac);
        assert_eq!(hex(&link), "953b731f2ca6a5dd30a855503d1e619c31e7f7313178dd476cff81b27c3b6491");
        let at = Timestamp::from_microsecond(1_700_000_001_000_000).expect("a time");
        let head = AuditHead { sequence: 1, link, at, key_version: 1, signature: [0; 32] };
        let signature = sign(&keyring, &head).expect("the key is there");
        assert_eq!(hex(&signature), "d57794bea7ac0db711a9f95cb70f6717bd5c773811b9667a841d4b4308d03560");
        assert!(compute(&keyring, &AuditRecord { key_version: 2, ..record }).is_none());
    }

    #[test]
    fn canonical_json_does_not_depend_on_the_order_of_keys() {
        let write = |text: &str| {
            let mut out = String::new();
            canonical(&serde_json::from_str(text).expect("JSON"), &mut out);
            out
        };
        let expected = r#"{"a":[{"x":1,"y":2},null],"b":"\"é\n"}"#;
        assert_eq!(write(r#"{"b":"\"é\n","a":[{"y":2,"x":1},null]}"#), expected);
        assert_eq!(write(r#"{ "a" : [ {"x":1,"y":2}, null ], "b":"\u0022\u00e9\n" }"#), expected);
    }
}

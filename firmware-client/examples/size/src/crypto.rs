//! What the client asks of `ed25519-dalek` and `sha2`.

use core::hint::black_box;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

#[inline(never)]
pub fn sign_and_verify() {
    let seed: [u8; 32] = Sha256::digest(black_box(b"seed")).into();
    let signed = sign(&seed, black_box(b"message"));
    if !verify(&public(&seed), b"message", &signed) {
        semihosting::process::exit(103);
    }
}

#[inline(never)]
fn public(seed: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(seed).verifying_key().to_bytes()
}

#[inline(never)]
fn sign(seed: &[u8; 32], message: &[u8]) -> [u8; 64] {
    SigningKey::from_bytes(seed).sign(message).to_bytes()
}

#[inline(never)]
fn verify(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
}

//! Hands the linker its scripts, and writes what the server of the measurement answers, signed for the nonce that its
//! generator makes.

use authkit_wire::device::{MAX_MESSAGE, Statement};
use base64ct::{Base64UrlUnpadded as Base64, Encoding};
use ed25519_dalek::{Signer, SigningKey};
use std::{env, fs, path::Path};

fn main() {
    println!("cargo:rustc-link-search={}", env::var("CARGO_MANIFEST_DIR").unwrap());
    println!("cargo:rustc-link-arg-bins=-Tmemory.x");
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rerun-if-changed=memory.x");
    println!("cargo:rerun-if-changed=build.rs");

    let key = SigningKey::from_bytes(&[7; 32]);
    // As long as a server's.
    let challenge = format!("akd_{}", "c".repeat(150));
    let server_time = 1_795_000_000;
    let nonce: [u8; 16] = core::array::from_fn(|place| place as u8);
    let mut message = [0; MAX_MESSAGE];
    let length = Statement { server_time, nonce: &nonce, challenge: &challenge }.write(&mut message).unwrap();
    let signature = Base64::encode_string(&key.sign(&message[..length]).to_bytes());
    let server_key = Base64::encode_string(key.verifying_key().as_bytes());
    let device = "dev_0192f0c1a4b87c3d9e5f60718293a4b5";
    let token = "t".repeat(700);
    let bodies = [
        format!(
            r#"{{"challenge":"{challenge}","server_time":{server_time},"server_key":"{server_key}","signature":"{signature}"}}"#
        ),
        format!(r#"{{"device":{{"id":"{device}"}},"access_token":"{token}","token_type":"Bearer","expires_in":600}}"#),
        format!(r#"{{"server_time":{server_time},"next_in":60}}"#),
    ];
    let answers = bodies.map(|body| {
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    });
    let uri = format!("authkit:claim?server=https%3A%2F%2Fid.example.com&code=7KZ0-1ABC-DEFG&key={server_key}");
    let source = format!("pub const URI: &str = {uri:?};\npub const ANSWERS: [&str; 3] = {answers:?};\n");
    fs::write(Path::new(&env::var("OUT_DIR").unwrap()).join("answers.rs"), source).unwrap();
}

//! Hands on what the maker builds into the image: the network, the code of the claim, and the authority.

use std::{env, fs, path::Path};

fn main() {
    println!("cargo:rerun-if-env-changed=AUTHKIT_AUTHORITY");
    // Without one the image links and trusts nobody.
    let authority = env::var("AUTHKIT_AUTHORITY").map(|file| {
        println!("cargo:rerun-if-changed={file}");
        fs::read(&file).unwrap_or_else(|error| panic!("AUTHKIT_AUTHORITY={file}: {error}"))
    });
    let out = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("authority.der"), authority.unwrap_or_default()).expect("its directory is writable");
}

//! Backup codes: 60 random bits each in Crockford's base 32, which has no `i`, `l`, `o` and `u`.

use crate::{Context, accounts::User};
use authkit_wire::Secret;
use zeroize::Zeroizing;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 12;
const GROUP: usize = 4;

/// How many codes a user gets.
pub(super) const COUNT: usize = 10;

/// With so many or fewer left it is time to make new ones.
pub(crate) const LOW: i64 = 3;

/// New codes, in groups: `7kq2-m9xd-4hbt`.
pub(super) fn generate(cx: &Context) -> Vec<Secret> {
    let mut codes: Vec<Secret> = Vec::with_capacity(COUNT);
    while codes.len() < COUNT {
        let mut random = Zeroizing::new([0; LENGTH]);
        cx.random.fill(random.as_mut());
        let mut text = String::with_capacity(LENGTH + LENGTH / GROUP);
        for (place, byte) in random.iter().enumerate() {
            if place > 0 && place % GROUP == 0 {
                text.push('-');
            }
            text.push(char::from(ALPHABET[usize::from(byte % 32)]));
        }
        let code = Secret::new(text);
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

/// The code as it was made: in any case, with or without dashes and spaces, and with the letters that people read for
/// digits. `None` for what cannot be a code.
fn normalise(text: &str) -> Option<Zeroizing<String>> {
    let mut plain = Zeroizing::new(String::with_capacity(LENGTH));
    for c in text.chars() {
        let c = match c.to_ascii_lowercase() {
            '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' => continue,
            c if c.is_whitespace() => continue,
            'o' => '0',
            'i' | 'l' => '1',
            c => c,
        };
        if plain.len() == LENGTH || !c.is_ascii() || !ALPHABET.contains(&(c as u8)) {
            return None;
        }
        plain.push(c);
    }
    (plain.len() == LENGTH).then_some(plain)
}

/// What is stored of a code: a keyed hash bound to tenant and user, which stays the same when keys rotate.
pub(super) fn stored(cx: &Context, user: &User, code: &Secret) -> Option<[u8; 32]> {
    let plain = normalise(code.expose())?;
    let index =
        cx.keyring.index("backup-code", &[user.tenant.uuid().as_bytes(), user.id.uuid().as_bytes(), plain.as_bytes()]);
    index.last_chunk().copied()
}

/// The same of all `codes`.
pub(super) fn all_stored(cx: &Context, user: &User, codes: &[Secret]) -> Vec<[u8; 32]> {
    codes.iter().filter_map(|code| stored(cx, user, code)).collect()
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn a_code_is_the_same_however_people_type_it() {
        for typed in [
            "7kq2-m9xd-4hb0",
            "7KQ2-M9XD-4HB0",
            "7kq2m9xd4hb0",
            " 7kq2 m9xd 4hb0 ",
            "7kq2–m9xd–4hbO",
            "7-k-q-2 m9xd\t4hbo",
        ] {
            assert_eq!(normalise(typed).as_deref().map(String::as_str), Some("7kq2m9xd4hb0"), "{typed}");
        }
        assert_eq!(normalise("ILil-0oO0-1111").as_deref().map(String::as_str), Some("111100001111"));
    }

    #[test]
    fn what_cannot_be_a_code_is_refused() {
        for typed in ["", "7kq2-m9xd-4hb", "7kq2-m9xd-4hb00", "7kq2-m9xd-4hbu", "7kq2-m9xd-4hbé", "７kq2-m9xd-4hb0"] {
            assert!(normalise(typed).is_none(), "{typed}");
        }
    }
}

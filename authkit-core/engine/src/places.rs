//! Where addresses are, from a database in MaxMind's format.

use authkit_core::ports::Places;
use maxminddb::{Reader, geoip2};
use std::{fmt, net::IpAddr, path::Path};

/// A city database, held in memory.
pub struct MaxMindPlaces {
    reader: Reader<Vec<u8>>,
}

impl MaxMindPlaces {
    /// Opens the database at `path`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(path: &Path) -> Result<Self, String> {
        Reader::open_readfile(path)
            .map(|reader| Self { reader })
            .map_err(|error| format!("{} is not a city database in MaxMind's format: {error}", path.display()))
    }
}

impl Places for MaxMindPlaces {
    fn place(&self, ip: IpAddr) -> Option<String> {
        let city: geoip2::City<'_> = self.reader.lookup(ip).ok()?.decode().ok()??;
        let parts: Vec<&str> = [city.city.names.english, city.country.names.english].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

impl fmt::Debug for MaxMindPlaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaxMindPlaces")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// A value in MaxMind DB's data format (version 2.0 of the specification).
    enum Data {
        Text(&'static str),
        Number(u8, u64),
        Map(Vec<(&'static str, Data)>),
        List(Vec<Data>),
    }

    /// The control byte, and for the later types a second one.
    fn control(kind: u8, size: usize, to: &mut Vec<u8>) {
        let size = u8::try_from(size).expect("short");
        assert!(size < 29, "longer sizes are written another way");
        if kind <= 7 { to.push(kind << 5 | size) } else { to.extend([size, kind - 7]) }
    }

    fn write(data: &Data, to: &mut Vec<u8>) {
        match data {
            Data::Text(text) => {
                control(2, text.len(), to);
                to.extend(text.as_bytes());
            }
            Data::Number(kind, number) => {
                let bytes: Vec<u8> = number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
                control(*kind, bytes.len(), to);
                to.extend(bytes);
            }
            Data::Map(entries) => {
                control(7, entries.len(), to);
                for (key, value) in entries {
                    write(&Data::Text(key), to);
                    write(value, to);
                }
            }
            Data::List(items) => {
                control(11, items.len(), to);
                items.iter().for_each(|item| write(item, to));
            }
        }
    }

    /// A database that knows one place, for addresses below 128.0.0.0.
    fn database() -> tempfile::NamedTempFile {
        let named = |name| Data::Map(vec![("names", Data::Map(vec![("en", Data::Text(name))]))]);
        // One node of two 24-bit records: the first points to the data, the second says that nothing is known.
        let mut bytes = vec![0, 0, 17, 0, 0, 1];
        bytes.extend([0; 16]);
        write(&Data::Map(vec![("city", named("Berlin")), ("country", named("Germany"))]), &mut bytes);
        bytes.extend(b"\xab\xcd\xefMaxMind.com");
        let meta = Data::Map(vec![
            ("binary_format_major_version", Data::Number(5, 2)),
            ("binary_format_minor_version", Data::Number(5, 0)),
            ("build_epoch", Data::Number(9, 1)),
            ("database_type", Data::Text("City")),
            ("description", Data::Map(vec![])),
            ("ip_version", Data::Number(5, 4)),
            ("languages", Data::List(vec![Data::Text("en")])),
            ("node_count", Data::Number(6, 1)),
            ("record_size", Data::Number(5, 24)),
        ]);
        write(&meta, &mut bytes);
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(&bytes).expect("written");
        file
    }

    #[test]
    fn a_known_address_has_a_place_and_an_unknown_one_has_none() {
        let places = MaxMindPlaces::open(database().path()).expect("a database");
        let place = |ip: &str| places.place(ip.parse().expect("an address"));
        assert_eq!(place("10.1.2.3").as_deref(), Some("Berlin, Germany"));
        assert_eq!(place("192.0.2.1"), None);
        assert_eq!(place("2001:db8::1"), None);
    }

    #[test]
    fn a_file_of_something_else_is_refused() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(b"not a database").expect("written");
        assert!(MaxMindPlaces::open(file.path()).is_err_and(|error| error.contains("not a city database")));
    }
}

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
    use super::MaxMindPlaces;
    use std::io::Write;

    #[test]
    fn a_file_of_something_else_is_refused() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(b"not a database").expect("written");
        assert!(MaxMindPlaces::open(file.path()).is_err_and(|error| error.contains("not a city database")));
    }
}

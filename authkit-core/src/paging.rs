//! Cursors: sealed, and bound to tenant, list and filter.

use crate::{Context, Error, Result, ports::Position};
use authkit_wire::{ErrorCode, Page, TenantId};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

const DEFAULT_LIMIT: u32 = 25;
const MAX_LIMIT: u32 = 100;

/// One request for a page of a list.
pub(crate) struct Paging {
    bound: Vec<u8>,
    /// Where the page starts.
    pub(crate) after: Option<Position>,
    /// How many items it holds; ask the store for [`fetch`](Self::fetch).
    limit: u32,
}

impl Paging {
    /// Reads `cursor` and `limit` as they came. `list` names the list, `filter` is everything that selects its items.
    ///
    /// # Errors
    /// `request.invalid_limit`, `request.invalid_cursor`.
    pub(crate) fn new(
        cx: &Context,
        tenant: TenantId,
        list: &str,
        filter: &str,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Self> {
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Error::new(ErrorCode::InvalidLimit, format!("`limit` must be from 1 to {MAX_LIMIT}.")));
        }
        let bound = format!("{tenant}\n{list}\n{filter}").into_bytes();
        let after = cursor.map(|text| open(cx, &bound, text)).transpose()?;
        Ok(Self { bound, after, limit })
    }

    /// One more than the page holds: the extra item tells whether there is a next page.
    pub(crate) const fn fetch(&self) -> u32 {
        self.limit + 1
    }

    /// The page over what the store returned for [`fetch`](Self::fetch).
    pub(crate) fn page<T, V>(
        &self,
        cx: &Context,
        mut items: Vec<T>,
        position: impl Fn(&T) -> Position,
        view: impl FnMut(T) -> V,
    ) -> Page<V> {
        let limit = self.limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|last| {
            let plain = serde_json::to_vec(&position(last)).unwrap_or_default();
            URL_SAFE_NO_PAD.encode(cx.keyring.seal(&*cx.random, "cursor", &self.bound, &plain))
        });
        Page { data: items.into_iter().map(view).collect(), next_cursor }
    }
}

fn open(cx: &Context, bound: &[u8], text: &str) -> Result<Position> {
    URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|sealed| cx.keyring.open("cursor", bound, &sealed).ok())
        .and_then(|plain| serde_json::from_slice(&plain).ok())
        .ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidCursor,
                "Pass the `next_cursor` of this same list with the same filters, or none for the first page.",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Settings, memory};

    #[test]
    fn a_cursor_is_for_its_tenant_list_and_filter_only() {
        let cx =
            memory::bare(memory::SystemClock, memory::SeededRandom::new(1), Settings::default()).expect("a context");
        let tenant = |n| TenantId::new(uuid::Uuid::from_u128(n));
        let first = Paging::new(&cx, tenant(1), "users", "all", None, Some(1)).expect("a page");
        let position = |key: &&str| Position { key: (*key).to_owned(), id: uuid::Uuid::nil() };
        let cursor = first.page(&cx, vec!["a", "b"], position, |view| view).next_cursor.expect("there is more");
        let open = |n, list, filter| Paging::new(&cx, tenant(n), list, filter, Some(&cursor), None);
        assert_eq!(
            open(1, "users", "all").ok().and_then(|page| page.after).map(|after| after.key).as_deref(),
            Some("a")
        );
        for (n, list, filter) in [(2, "users", "all"), (1, "roles", "all"), (1, "users", "some")] {
            assert_eq!(open(n, list, filter).err().map(|error| error.code), Some(ErrorCode::InvalidCursor));
        }
    }
}

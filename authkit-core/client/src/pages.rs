use crate::{Client, Error, Result, typed::read};
use authkit_wire::Page;
use futures_util::{Stream, stream::try_unfold};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::{fmt, marker::PhantomData};

/// A list, page after page.
///
/// ```no_run
/// # async fn example(client: authkit_client::Client) -> authkit_client::Result<()> {
/// let mut pages = client.list_sessions_pages(&Default::default());
/// while let Some(page) = pages.next().await? {
///     println!("{} sessions", page.data.len());
/// }
/// # Ok(())
/// # }
/// ```
pub struct Pages<T> {
    client: Client,
    operation: &'static str,
    arguments: Result<Map<String, Value>>,
    ended: bool,
    item: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Pages<T> {
    pub(crate) fn new(client: &Client, operation: &'static str, arguments: Result<Map<String, Value>>) -> Self {
        Self { client: client.clone(), operation, arguments, ended: false, item: PhantomData }
    }

    /// The next page; `None` after the last one. Giving up the future loses nothing, and after an error the same page
    /// may be asked for again.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn next(&mut self) -> Result<Option<Page<T>>> {
        if self.ended {
            return Ok(None);
        }
        let arguments = self.arguments.as_mut().map_err(|error| error.clone())?;
        let page: Page<T> = read(self.client.call(self.operation, Value::Object(arguments.clone())).await?)?;
        match &page.next_cursor {
            None => self.ended = true,
            Some(cursor) if arguments.get("cursor").and_then(Value::as_str) == Some(cursor) => {
                return Err(Error::unexpected(200, "The list does not go on: the server names the same page again."));
            }
            Some(cursor) => drop(arguments.insert("cursor".to_owned(), cursor.as_str().into())),
        }
        Ok(Some(page))
    }

    /// Every item of the pages that are left. The stream ends with the first error.
    pub fn items(self) -> impl Stream<Item = Result<T>> {
        try_unfold((self, Vec::new().into_iter()), |(mut pages, mut items)| async move {
            loop {
                if let Some(item) = items.next() {
                    return Ok(Some((item, (pages, items))));
                }
                match pages.next().await? {
                    Some(page) => items = page.data.into_iter(),
                    None => return Ok(None),
                }
            }
        })
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("operation", &self.operation).field("ended", &self.ended).finish_non_exhaustive()
    }
}

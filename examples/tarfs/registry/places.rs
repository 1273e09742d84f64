//! Addresses, and where one leads to from another.

/// Scheme, host and port of an address.
pub(super) fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find(['/', '?', '#']).map_or(url.len(), |at| host + at);
    &url[..end]
}

/// Where a header `Location` leads from an address.
pub(super) fn absolute(from: &str, location: &str) -> String {
    match location {
        whole if whole.starts_with("http://") || whole.starts_with("https://") => whole.to_owned(),
        path if path.starts_with('/') => format!("{}{path}", origin(from)),
        beside => format!("{from}{beside}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_uploads_go() {
        let from = "https://r.example:5000/v2/a/";
        for (location, place) in [
            ("https://s.example/u?x=1", "https://s.example/u?x=1"),
            ("/v2/a/blobs/uploads/1", "https://r.example:5000/v2/a/blobs/uploads/1"),
            ("blobs/uploads/1", "https://r.example:5000/v2/a/blobs/uploads/1"),
        ] {
            assert_eq!(absolute(from, location), place);
        }
        assert_eq!(origin(from), "https://r.example:5000");
        assert_eq!(origin("http://a?x"), "http://a");
        assert_eq!(origin("http://a"), "http://a");
    }
}

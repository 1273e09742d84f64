//! What an image in a registry is called.
//!
//! Docker's rules of what may be left out: the host is Docker Hub's unless the first part of the name looks
//! like one, official images are in `library/`, and the tag is `latest`.

use std::fmt;
use std::net::IpAddr;

use crate::files::digest::is_named_digest;

/// The host whose images have no host in their names.
const HUB: &str = "docker.io";

/// The longest tag.
const TAG_CHARS: usize = 128;

/// An image of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// Host and port.
    pub(crate) host: String,
    pub(crate) repository: String,
    /// A tag, or `sha256:` and hex digits.
    pub(crate) version: String,
}

impl Name {
    /// What stands behind `docker://`. A digest says more than a tag: with both the digest counts.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (text, digest) = match text.split_once('@') {
            Some((text, digest)) => (text, Some(digest)),
            None => (text, None),
        };
        // A colon in the last part is that of a tag; one before it is that of a port.
        let last = text.rfind('/').map_or(0, |slash| slash + 1);
        let (path, tag) = match text[last..].split_once(':') {
            Some((name, tag)) => (&text[..last + name.len()], Some(tag)),
            None => (text, None),
        };
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(format!(
                "'{tag}' is no tag: letters, digits, _, . and -, {TAG_CHARS} at most"
            ));
        }
        if let Some(digest) = digest.filter(|digest| !is_named_digest(digest)) {
            return Err(format!("'{digest}' is no digest: sha256: and 64 hexadecimal digits"));
        }
        let (host, rest) = match path.split_once('/') {
            Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (host, rest),
            _ => (HUB, path),
        };
        let host = if host == "index.docker.io" { HUB } else { host };
        let official = host == HUB && !rest.contains('/');
        let repository = if official { format!("library/{rest}") } else { rest.to_owned() };
        if let Some(part) = repository.split('/').find(|part| !is_part(part)) {
            let why = "lower-case letters and digits, between them ., _ and -";
            return Err(format!("'{part}' is no part of a repository's name: {why}"));
        }
        let version = digest.or(tag).unwrap_or("latest").to_owned();
        Ok(Self { host: host.to_owned(), repository, version })
    }

    /// Where its registry is asked. A registry on this machine's loopback has no certificate, as a rule.
    pub(crate) fn url(&self, plain_http: bool) -> String {
        let host = if self.host == HUB { "registry-1.docker.io" } else { &self.host };
        let scheme = if plain_http || is_loopback(host) { "http" } else { "https" };
        format!("{scheme}://{host}/v2/{}", self.repository)
    }

    /// What the files of credentials call its registry.
    pub(crate) fn server(&self) -> &str {
        if self.host == HUB { "https://index.docker.io/v1/" } else { &self.host }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.version.contains(':') { '@' } else { ':' };
        write!(f, "docker://{}/{}{colon}{}", self.host, self.repository, self.version)
    }
}

/// Whether a host is this machine.
fn is_loopback(host: &str) -> bool {
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        _ => host,
    };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let first = text.bytes().next().is_some_and(word);
    first && text.len() <= TAG_CHARS && text.bytes().all(|byte| word(byte) || b".-".contains(&byte))
}

fn is_part(text: &str) -> bool {
    let word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends = bytes.first().is_some_and(word) && bytes.last().is_some_and(word);
    ends && bytes.iter().all(|byte| word(byte) || b"._-".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_docker_shortens_them() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for (text, url, whole) in [
            ("x", "https://registry-1.docker.io/v2/library/x", "docker.io/library/x:latest"),
            ("a/x:1", "https://registry-1.docker.io/v2/a/x", "docker.io/a/x:1"),
            (
                "index.docker.io/x",
                "https://registry-1.docker.io/v2/library/x",
                "docker.io/library/x:latest",
            ),
            ("r.example/a/b/x", "https://r.example/v2/a/b/x", "r.example/a/b/x:latest"),
            ("r.example:443/x:t", "https://r.example:443/v2/x", "r.example:443/x:t"),
            ("localhost/x", "http://localhost/v2/x", "localhost/x:latest"),
            ("127.0.0.1:5000/x", "http://127.0.0.1:5000/v2/x", "127.0.0.1:5000/x:latest"),
            ("[::1]:5000/x", "http://[::1]:5000/v2/x", "[::1]:5000/x:latest"),
            ("127.example/x", "https://127.example/v2/x", "127.example/x:latest"),
        ] {
            let name = Name::parse(text).unwrap();
            assert_eq!(
                (name.url(false).as_str(), name.to_string()),
                (url, format!("docker://{whole}"))
            );
        }
        for text in [format!("x@{digest}"), format!("x:1@{digest}")] {
            assert_eq!(Name::parse(&text).unwrap().version, digest, "{text}");
        }
        assert_eq!(Name::parse("x").unwrap().server(), "https://index.docker.io/v1/");
        assert_eq!(Name::parse("r.example/x").unwrap().server(), "r.example");
        assert_eq!(Name::parse("r.example/x").unwrap().url(true), "http://r.example/v2/x");
    }

    #[test]
    fn what_is_no_name() {
        for (text, why) in [
            ("", "'' is no part"),
            ("X", "'X' is no part"),
            ("r.example/", "'' is no part"),
            ("r.example/a//b", "'' is no part"),
            ("r.example/../b", "'..' is no part"),
            ("x:", "'' is no tag"),
            ("x:a b", "'a b' is no tag"),
            ("x:-a", "'-a' is no tag"),
            ("x@sha256:00", "'sha256:00' is no digest"),
            ("x@", "'' is no digest"),
        ] {
            let error = Name::parse(text).unwrap_err();
            assert!(error.starts_with(why), "{text}: {error}");
        }
    }
}

//! What a registry wants to know of who asks: the header `WWW-Authenticate` of an answer.
//!
//! # References
//! RFC 9110, section 11.6.1; the distribution project's "Token Authentication Specification".

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// Name and password with each request.
    Basic,
    /// A token, which `realm` gives for `service` and `scope`.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

impl Challenge {
    /// What a header says, if it is one of the two kinds.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let header = header.trim_start();
        let (scheme, mut rest) = header.split_once(' ').unwrap_or((header, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut realm, mut service, mut scope) = (None, None, None);
        while let Some((key, value, behind)) = parameter(rest) {
            rest = behind;
            match &key.to_ascii_lowercase()[..] {
                "realm" => realm = Some(value),
                "service" => service = Some(value),
                "scope" => scope = Some(value),
                _ => {}
            }
        }
        Some(Self::Bearer { realm: realm?, service, scope })
    }

    /// The same for somebody who is going to push: some registries answer a token that may only read with a
    /// refusal, and not with another challenge.
    pub(super) fn pushing(mut self) -> Self {
        if let Self::Bearer { scope: Some(scope), .. } = &mut self
            && scope.starts_with("repository:")
            && scope.ends_with(":pull")
        {
            scope.push_str(",push");
        }
        self
    }
}

/// The first of some parameters `key="value"`, and what stands behind it.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let text = text.trim_start_matches([' ', '\t', ',']);
    let (key, rest) = text.split_once('=')?;
    let Some(quoted) = rest.strip_prefix('"') else {
        let (value, rest) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
        return Some((key, value.trim_end().to_owned(), rest));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((key, value, &quoted[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_pushes_asks_for_that_too() {
        for (scope, asked) in [
            ("repository:a/b:pull", "repository:a/b:pull,push"),
            ("repository:a/b:pull,push", "repository:a/b:pull,push"),
            ("registry:catalog:*", "registry:catalog:*"),
        ] {
            let parse =
                |scope: &str| Challenge::parse(&format!("Bearer realm=r,scope=\"{scope}\""));
            assert_eq!(parse(scope).map(Challenge::pushing), parse(asked), "{scope}");
        }
        assert_eq!(Challenge::Basic.pushing(), Challenge::Basic);
    }

    #[test]
    fn challenges_of_registries() {
        let bearer = |realm: &str, service: Option<&str>, scope: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            let (service, scope) = (owned(service), owned(scope));
            Some(Challenge::Bearer { realm: realm.to_owned(), service, scope })
        };
        for (header, expected) in [
            ("Basic realm=\"r\"", Some(Challenge::Basic)),
            ("basic", Some(Challenge::Basic)),
            (
                "Bearer realm=\"https://a/t\",service=\"a\",scope=\"repository:x:pull,push\"",
                bearer("https://a/t", Some("a"), Some("repository:x:pull,push")),
            ),
            ("BEARER Realm=\"https://a\", error=\"no\"", bearer("https://a", None, None)),
            ("Bearer realm=https://a, service=b", bearer("https://a", Some("b"), None)),
            (r#"Bearer realm="a\"b""#, bearer("a\"b", None, None)),
            ("Bearer service=\"a\"", None),
            ("Bearer realm=\"a", None),
            ("Bearer", None),
            ("Negotiate", None),
            ("", None),
        ] {
            assert_eq!(Challenge::parse(header), expected, "{header}");
        }
    }
}

//! Which of several images is meant: by name, digest or number.

/// The user's words; all empty if nothing was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ImageName {
    pub(crate) name: Option<String>,
    /// `sha256:` and hex digits.
    pub(crate) digest: Option<String>,
    /// Place in the index, from 0 on.
    pub(crate) number: Option<usize>,
}

impl ImageName {
    /// What stands behind the colon: a name, or `@N`.
    pub(crate) fn parse(text: &str, digest: Option<String>) -> Self {
        match text.strip_prefix('@').map(str::parse) {
            Some(Ok(number)) => Self { number: Some(number), digest, ..Self::default() },
            _ => Self { name: Some(text.to_owned()), digest, number: None },
        }
    }

    /// Whether nothing was said.
    pub(crate) fn is_any(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether two names are the same when what Docker leaves out is put in: `docker.io/`, `library/`,
/// `:latest`.
pub(crate) fn same_name(one: &str, two: &str) -> bool {
    one == two || full_name(one) == full_name(two)
}

fn full_name(name: &str) -> String {
    let repository = match name.split_once('/') {
        Some(("index.docker.io", rest)) => format!("docker.io/{rest}"),
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => name.to_owned(),
        Some(_) => format!("docker.io/{name}"),
        None => format!("docker.io/library/{name}"),
    };
    let last = repository.rsplit('/').next().unwrap_or_default();
    if last.contains([':', '@']) { repository } else { format!("{repository}:latest") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_docker_shortens_them() {
        for (one, two, same) in [
            ("x", "docker.io/library/x:latest", true),
            ("x:1", "docker.io/library/x:1", true),
            ("a/x", "docker.io/a/x:latest", true),
            ("index.docker.io/library/x", "x", true),
            ("localhost/x:1", "localhost/x:1", true),
            ("localhost:5000/x", "localhost:5000/x:latest", true),
            ("localhost/x:1", "x:1", false),
            ("x:1", "x:2", false),
            ("x", "x:1", false),
            ("X", "x", false),
        ] {
            assert_eq!(same_name(one, two), same, "{one} {two}");
        }
    }

    #[test]
    fn numbers_and_names() {
        assert_eq!(ImageName::parse("@3", None).number, Some(3));
        assert_eq!(ImageName::parse("@x", None).name.as_deref(), Some("@x"));
        assert!(ImageName::default().is_any());
    }
}

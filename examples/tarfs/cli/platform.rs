//! Operating system, architecture and its variant.

use std::env::consts::ARCH;
use std::fmt;
use std::str::FromStr;

/// What an image runs on, in Go's words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Platform {
    os: String,
    architecture: String,
    /// Empty for the usual one.
    variant: String,
}

impl Platform {
    /// Of the words of an image or of a user, whose spellings differ.
    pub(crate) fn new(os: &str, architecture: &str, variant: &str) -> Self {
        let (os, architecture) = (os.to_lowercase(), architecture.to_lowercase());
        let mut variant = variant.to_lowercase();
        let architecture = match architecture.as_str() {
            "x86_64" | "x86-64" => "amd64",
            "aarch64" => "arm64",
            "i386" | "i486" | "i586" | "i686" | "x86" => "386",
            "armhf" => "arm",
            "armel" => {
                variant = "v6".to_owned();
                "arm"
            }
            "powerpc64le" => "ppc64le",
            "loongarch64" => "loong64",
            other => other,
        };
        if variant.starts_with(|c: char| c.is_ascii_digit()) {
            variant.insert(0, 'v');
        }
        if matches!((architecture, variant.as_str()), ("amd64", "v1") | ("arm64", "v8")) {
            variant.clear();
        }
        if (architecture, variant.as_str()) == ("arm", "") {
            variant = "v7".to_owned();
        }
        Self { os, architecture: architecture.to_owned(), variant }
    }

    /// The operating system, in Go's words.
    pub(crate) fn os(&self) -> &str {
        &self.os
    }

    /// The architecture, in Go's words.
    pub(crate) fn architecture(&self) -> &str {
        &self.architecture
    }

    /// This machine's. The filesystem is for Linux, whatever it is made on.
    pub(crate) fn here() -> Self {
        let little = cfg!(target_endian = "little");
        let architecture = match ARCH {
            "powerpc64" if little => "ppc64le",
            "powerpc64" => "ppc64",
            "mips64" if little => "mips64le",
            other => other,
        };
        Self::new("linux", architecture, "")
    }

    /// How well an image of this platform serves who wants `wanted`: the less, the better.
    pub(crate) fn distance(&self, wanted: &Self) -> Option<u32> {
        if (&self.os, &self.architecture) != (&wanted.os, &wanted.architecture) {
            return None;
        }
        let usual = if self.architecture == "arm64" { 8 } else { 1 };
        let number = |variant: &str| match variant {
            "" => Some(usual),
            other => other.strip_prefix('v')?.parse::<u32>().ok(),
        };
        match (number(&self.variant), number(&wanted.variant)) {
            // A later processor runs what an earlier one does, but not the reverse.
            (Some(has), Some(wants)) if has <= wants => Some(wants - has),
            (Some(_), Some(_)) => None,
            _ => (self.variant == wanted.variant).then_some(0),
        }
    }
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('/').collect();
        let plain = |part: &&str| {
            let known = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            !part.is_empty() && part.chars().all(known)
        };
        match &parts[..] {
            [os, architecture, rest @ ..] if rest.len() < 2 && parts.iter().all(plain) => {
                Ok(Self::new(os, architecture, rest.first().copied().unwrap_or_default()))
            }
            _ => Err("os/arch or os/arch/variant is wanted, as linux/arm64".to_owned()),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { os, architecture, variant } = self;
        write!(f, "{os}/{architecture}")?;
        if variant.is_empty() { Ok(()) } else { write!(f, "/{variant}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        text.parse().unwrap()
    }

    #[test]
    fn spellings() {
        for (text, shown) in [
            ("linux/amd64", "linux/amd64"),
            ("Linux/x86_64/v1", "linux/amd64"),
            ("linux/aarch64", "linux/arm64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/arm/6", "linux/arm/v6"),
            ("linux/armel", "linux/arm/v6"),
            ("windows/amd64", "windows/amd64"),
        ] {
            assert_eq!(platform(text).to_string(), shown);
        }
        for text in ["", "linux", "linux/", "/amd64", "a/b/c/d", "a/b c", "linux/amd64/"] {
            assert!(text.parse::<Platform>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_serves_whom() {
        for (has, wants, distance) in [
            ("linux/amd64", "linux/amd64", Some(0)),
            ("linux/amd64", "linux/amd64/v3", Some(2)),
            ("linux/amd64/v3", "linux/amd64", None),
            ("linux/arm/v6", "linux/arm", Some(1)),
            ("linux/arm/v7", "linux/arm/v6", None),
            ("linux/arm64", "linux/arm64/v8", Some(0)),
            ("linux/arm64/v9", "linux/arm64", None),
            ("linux/arm64", "linux/arm", None),
            ("windows/amd64", "linux/amd64", None),
            ("linux/mips/softfloat", "linux/mips/softfloat", Some(0)),
            ("linux/mips/softfloat", "linux/mips", None),
        ] {
            assert_eq!(platform(has).distance(&platform(wants)), distance, "{has} for {wants}");
        }
    }
}

//! Registries that stop, lie and are slow. What is got of them is the image, or an error that says why.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tempfile::TempDir;
use testkit::tarball::TarBuilder;

use super::server::{Answer, Image, Request, Seen, serve};
use crate::run::{Ran, ok, run};

/// An image of two layers, of which the second has 3 MB.
struct Case {
    dir: TempDir,
    image: Arc<Image>,
}

impl Case {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let small = TarBuilder::new().file("a", b"a").finish();
        let random: Vec<u8> =
            (0..3_000_000u32).map(|i| (i.wrapping_mul(2654435761) >> 13) as u8).collect();
        let large = TarBuilder::new().file("b", &random).finish();
        let image = Arc::new(Image::new(dir.path(), &[small, large]));
        Self { dir, image }
    }

    /// Serves it, but for what `other` answers.
    fn served(
        &self,
        other: impl Fn(&Image, &Request, &[Request]) -> Option<Answer> + Send + Sync + 'static,
    ) -> (String, Seen) {
        let image = Arc::clone(&self.image);
        serve(move |request, seen| {
            other(&image, request, seen).unwrap_or_else(|| image.answer(request))
        })
    }

    /// What is seen of it where it lies.
    fn here(&self) -> String {
        ok(["root", &format!("oci:{}", self.dir.path().display())])
    }
}

fn root(host: &str) -> Ran {
    let image = format!("docker://{host}/x:t");
    run(["root", "--registry-timeout", "1", &image])
}

#[test]
fn a_layer_that_is_cut_off_goes_on() {
    let case = Case::new();
    // Each connection brings 1.1 MB.
    let (host, seen) = case.served(|image, request, _| {
        let mut answer = image.answer(request);
        answer.sent = answer.sent.min(1_100_000);
        Some(answer)
    });
    let ran = root(&host);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout, case.here());
    let seen = seen.lock().unwrap();
    let starts: Vec<usize> = seen
        .iter()
        .filter(|request| case.image.is_layer(request, 1))
        .map(|request| request.from)
        .collect();
    assert_eq!(starts, [0, 1_100_000, 2_200_000], "asked for the rest each time");
}

#[test]
fn a_registry_without_ranges_begins_anew() {
    let case = Case::new();
    let (host, seen) = case.served(|image, request, seen| {
        let mut answer = image.answer(&Request { from: 0, ..request.clone() });
        let before = seen.iter().filter(|request| image.is_layer(request, 1)).count();
        if image.is_layer(request, 1) && before < 2 {
            answer.sent = 1_500_000 * (before + 1);
        }
        Some(answer)
    });
    let ran = root(&host);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout, case.here());
    assert_eq!(
        seen.lock().unwrap().iter().filter(|request| case.image.is_layer(request, 1)).count(),
        3
    );
}

#[test]
fn failures_that_pass() {
    let case = Case::new();
    let (host, _) = case.served(|_, request, seen| {
        let before = seen.iter().filter(|before| before.path == request.path).count();
        match before {
            0 => Some(Answer::of("503 Service Unavailable", "")),
            1 => Some(Answer::of("429 Too Many Requests", "")),
            _ => None,
        }
    });
    let ran = root(&host);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout, case.here());
}

#[test]
fn one_that_is_slow_but_not_silent() {
    let case = Case::new();
    let (host, _) = case.served(|image, request, _| {
        let mut answer = image.answer(request);
        answer.pause = Duration::from_millis(50);
        Some(answer)
    });
    let ran = root(&host);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout, case.here());
}

/// Layers come at the same time. One that is wrong is told of without waiting for another as long as for one that is
/// wanted.
#[test]
fn one_that_stops_is_not_asked_again_when_another_layer_is_wrong() {
    let case = Case::new();
    let (host, seen) = case.served(|image, request, _| {
        let mut answer = image.answer(request);
        if image.is_layer(request, 0) {
            answer.body[600] ^= 1;
        }
        if image.is_layer(request, 1) {
            answer.pause = Duration::from_secs(60);
        }
        Some(answer)
    });
    let ran = root(&host);
    assert!(ran.code == 1 && ran.stderr.contains("digest"), "{}", ran.stderr);
    let asked = seen.lock().unwrap();
    let asked = asked.iter().filter(|request| case.image.is_layer(request, 1)).count();
    assert!(asked <= 1, "asked {asked} times");
}

/// An index of manifests that each are within bounds, and have to be looked into, as it does not say what they are for.
#[test]
fn an_index_of_many_long_manifests() {
    let case = Case::new();
    let config =
        br#"{"architecture":"s390x","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
    let manifest = |number: usize| {
        let config = digest_of(config);
        let padding = "x".repeat(2 << 20);
        format!(
            r#"{{"schemaVersion":2,"config":{{"digest":"{config}","size":78}},"layers":[],"annotations":{{"{number}":"{padding}"}}}}"#
        )
    };
    let manifests: Vec<String> = (0..14).map(manifest).collect();
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let list = manifests.iter().map(|manifest| {
        let (digest, size) = (digest_of(manifest.as_bytes()), manifest.len());
        format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
    });
    let list: Vec<String> = list.collect();
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, list.join(","));
    let digests: Vec<String> = manifests.iter().map(|it| digest_of(it.as_bytes())).collect();
    let (host, seen) = case.served(move |_, request, _| {
        let name = request.path.rsplit('/').next().unwrap_or_default();
        let found = digests.iter().position(|digest| digest == name);
        Some(match (name, found) {
            ("t", _) => Answer::of("200 OK", &*index),
            (_, Some(number)) => Answer::of("200 OK", &*manifests[number]),
            _ => Answer::of("200 OK", &config[..]),
        })
    });
    let ran = root(&host);
    assert!(
        ran.code == 1 && ran.stderr.contains("bytes of manifests and indexes are over 16777216"),
        "{}",
        ran.stderr
    );
    let seen = seen.lock().unwrap();
    let asked = seen.iter().filter(|it| it.path.contains("/manifests/sha256:")).count();
    // 16 MiB of them, and the one that is over it.
    assert!(asked <= 8, "{asked} manifests came");
}

fn digest_of(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    format!("sha256:{}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

#[test]
fn what_cannot_be_right_is_refused() {
    let case = Case::new();
    let change = |change: fn(&mut Answer)| {
        move |image: &Image, request: &Request, _: &[Request]| {
            let mut answer = image.answer(request);
            if image.is_layer(request, 1) {
                change(&mut answer);
            }
            Some(answer)
        }
    };
    let layer = case.image.layers[1].clone();
    let layer = &layer[..];
    let refused = |what: &str, (host, _): (String, Seen), name: &str, why: &str| {
        let began = Instant::now();
        let ran = root(&host);
        assert_eq!(ran.code, 1, "{what}: {}", ran.stderr);
        assert!(ran.stderr.contains(name) && ran.stderr.contains(why), "{what}: {}", ran.stderr);
        assert!(ran.stdout.is_empty(), "{what}");
        // Five times a second of silence, and what is waited between.
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: {:?}", began.elapsed());
    };
    // The last byte, of the padding behind a tar: nothing but the digest tells.
    let flipped = case.served(change(|answer| *answer.body.last_mut().unwrap() ^= 1));
    refused("a flipped bit", flipped, layer, "does not have its digest, but sha256:");
    let shorter = case.served(change(|answer| {
        answer.body.pop();
        answer.sent = answer.body.len();
    }));
    refused("a byte less", shorter, layer, "bytes instead of");
    let longer = case.served(change(|answer| {
        answer.body.push(0);
        answer.sent = answer.body.len();
    }));
    refused("a byte more", longer, layer, "bytes instead of");
    let stops = case.served(change(|answer| {
        answer.sent = if answer.status.starts_with("200") { 100_000 } else { 0 };
    }));
    refused("one that stops", stops, layer, "the registry sends no more, after 100000 of ");
    let silent = case.served(change(|answer| answer.pause = Duration::from_secs(3)));
    refused("one that is silent", silent, layer, "timeout");
    let other = case.served(change(|answer| {
        answer.sent = answer.sent.min(1_000_000);
        answer.headers = vec!["Content-Range: bytes 2000000-2999999/3000000".to_owned()];
    }));
    refused(
        "other bytes",
        other,
        layer,
        "the registry gives other bytes than those from 1000000 on",
    );
    let no_layer = case.served(|image, request, _| {
        image.is_layer(request, 1).then(|| {
            Answer::of(
                "404 Not Found",
                r#"{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown"}]}"#,
            )
        })
    });
    refused(
        "no layer",
        no_layer,
        layer,
        "the registry answers 404 Not Found: blob unknown (BLOB_UNKNOWN)",
    );
    let manifest = case.image.manifest.clone();
    let wrong = case.served(|image, request, _| {
        let by_digest = request.path.ends_with(&image.manifest);
        by_digest.then(|| Answer::of("200 OK", r#"{"config":{}}"#))
    });
    let image = format!("docker://{}/x@{manifest}", wrong.0);
    let ran = run(["ls", &image]);
    assert!(ran.code == 1 && ran.stderr.contains("for sha256:"), "{}", ran.stderr);
    let endless = case.served(|_, request, _| {
        request.path.ends_with("manifests/t").then(|| Answer::of("200 OK", vec![b' '; 5 << 20]))
    });
    refused("a huge manifest", endless, "x:t", "limit");
    refused(
        "nobody there",
        ("127.0.0.1:1".to_owned(), Seen::default()),
        "docker://127.0.0.1:1/x:t",
        "refused",
    );
}

//! `push --attach` to registries of other kinds: with a list of referrers, with tokens, that lead elsewhere, and that
//! take nothing.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use testkit::tarball::{SparseForm, TarBuilder};

use super::server::{Answer, Image, Request, Seen, serve};
use crate::run::{Ran, tool};

/// An image in a registry that answers what is not read by `other`.
fn given(
    dir: &Path,
    other: impl Fn(&Request, &Image) -> Answer + Send + Sync + 'static,
) -> (String, Seen) {
    let tar = TarBuilder::new().file("a", b"a").finish();
    let image = Arc::new(Image::new(&dir.join("layout"), &[tar]));
    serve(move |request, _| match &request.method[..] {
        "GET" | "HEAD" => image.answer(request),
        _ => other(request, &image),
    })
}

fn with(mut answer: Answer, header: &str) -> Answer {
    answer.headers.push(header.to_owned());
    answer
}

fn push(host: &str, home: &Path) -> Ran {
    push_with(host, home, &[])
}

fn push_with(host: &str, home: &Path, options: &[&str]) -> Ran {
    let mut command = Command::new(tool());
    command.env_remove("DOCKER_CONFIG").env_remove("REGISTRY_AUTH_FILE").env("HOME", home);
    command.env("XDG_RUNTIME_DIR", home.join("run"));
    command.args(["push", "--attach"]).args(options).arg(format!("docker://{host}/x:t"));
    command.output().unwrap().into()
}

/// What an honest registry answers; its list of referrers is its own.
fn taken(request: &Request) -> Answer {
    match &request.method[..] {
        "POST" => with(Answer::of("202 Accepted", ""), "Location: /v2/x/blobs/uploads/1?state=a"),
        _ if request.path.contains("/manifests/") => {
            with(Answer::of("201 Created", ""), "OCI-Subject: sha256:0")
        }
        _ => Answer::of("201 Created", ""),
    }
}

#[test]
fn a_registry_that_lists_referrers_is_given_no_index() {
    let dir = tempfile::tempdir().unwrap();
    let (host, seen) = given(dir.path(), |request, _| taken(request));
    let ran = push(&host, dir.path());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("bytes sent)"), "{}", ran.stdout);
    let seen = seen.lock().unwrap();
    let puts: Vec<&Request> = seen.iter().filter(|request| request.method == "PUT").collect();
    // Metadata, hash tree, the empty configuration; and last what leads to them.
    assert_eq!(puts.len(), 4);
    for put in &puts[..3] {
        assert!(put.path.starts_with("/v2/x/blobs/uploads/1?state=a&digest=sha256:"), "{put:?}");
    }
    assert!(puts[3].path.starts_with("/v2/x/manifests/sha256:"), "{puts:?}");
    assert_eq!(puts[2].body, b"{}");
    let manifest: serde_json::Value = serde_json::from_slice(&puts[3].body).unwrap();
    assert_eq!(manifest["layers"][0]["size"], puts[0].body.len());
}

#[test]
fn a_token_that_may_push_is_asked_for_where_one_is_wanted() {
    let dir = tempfile::tempdir().unwrap();
    let (tokens, asked) = serve(|request, _| {
        let token = if request.path.contains("push") { "pushes" } else { "pulls" };
        Answer::of("200 OK", format!(r#"{{"token":"{token}"}}"#))
    });
    let tar = TarBuilder::new().file("a", b"a").finish();
    let image = Image::new(&dir.path().join("layout"), &[tar]);
    let (host, _) = serve(move |request, _| {
        let reads = matches!(&request.method[..], "GET" | "HEAD");
        let may = match request.authorization.as_deref() {
            Some("Bearer pushes") => true,
            // And the other is told that it may not, without another challenge.
            Some("Bearer pulls") if !reads => return Answer::of("403 Forbidden", ""),
            Some("Bearer pulls") => reads,
            _ => false,
        };
        let scope = if reads { "pull" } else { "pull,push" };
        match (may, reads) {
            (true, true) => image.answer(request),
            (true, false) => taken(request),
            _ => with(
                Answer::of("401 Unauthorized", ""),
                &format!(
                    "WWW-Authenticate: Bearer realm=\"http://{tokens}/t\",scope=\"repository:x:{scope}\""
                ),
            ),
        }
    });
    let ran = push(&host, dir.path());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let asked = asked.lock().unwrap();
    let pushing = asked.iter().filter(|request| request.path.contains("pull%2Cpush")).count();
    assert_eq!(pushing, 1, "{asked:?}");
}

#[test]
fn a_login_stays_with_its_registry() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join(".docker")).unwrap();
    let (elsewhere, theirs) = serve(|request, _| taken(request));
    let image = dir.path().join("layout");
    let tar = TarBuilder::new().file("a", b"a").finish();
    let image = Image::new(&image, &[tar]);
    let (host, _) = serve(move |request, _| match (&request.authorization, &request.method[..]) {
        (None, _) => {
            with(Answer::of("401 Unauthorized", ""), "WWW-Authenticate: Basic realm=\"r\"")
        }
        (_, "POST") => {
            let to = format!("Location: http://{elsewhere}/upload");
            with(Answer::of("202 Accepted", ""), &to)
        }
        (_, "GET" | "HEAD") => image.answer(request),
        _ => taken(request),
    });
    let auths = format!(r#"{{"auths":{{"{host}":{{"auth":"bWU6c2VjcmV0"}}}}}}"#);
    fs::write(dir.path().join(".docker/config.json"), auths).unwrap();
    let ran = push(&host, dir.path());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let theirs = theirs.lock().unwrap();
    assert_eq!(theirs.len(), 3, "{theirs:?}");
    assert!(theirs.iter().all(|request| request.authorization.is_none()), "{theirs:?}");
}

#[test]
fn what_a_registry_does_not_take() {
    let denied = r#"{"errors":[{"code":"DENIED","message":"not you"}]}"#;
    type Refusing = fn(&Request) -> Answer;
    let rows: [(&str, Refusing, &[&str]); 4] = [
        ("may not push", |_| Answer::of("403 Forbidden", ""), &["403 Forbidden", "docker login"]),
        (
            "leads nowhere",
            |_| Answer::of("202 Accepted", ""),
            &["does not say where an upload goes"],
        ),
        (
            "takes no manifest",
            |request| match request.path.contains("/manifests/") {
                true => Answer::of("400 Bad Request", ""),
                false => taken(request),
            },
            &["/manifests/sha256:", "400 Bad Request"],
        ),
        (
            "is no registry",
            |_| Answer::of("200 OK", ""),
            &["answers 200 OK where an upload begins"],
        ),
    ];
    for (name, answer, words) in rows {
        let dir = tempfile::tempdir().unwrap();
        let (host, seen) = given(dir.path(), move |request, _| answer(request));
        let ran = push(&host, dir.path());
        assert_eq!(ran.code, 1, "{name}: {}", ran.stderr);
        let repository = format!("docker://{host}/x/");
        for word in words.iter().copied().chain([&repository[..]]) {
            assert!(ran.stderr.contains(word), "{name}: {word}: {}", ran.stderr);
        }
        let seen = seen.lock().unwrap();
        let led =
            seen.iter().any(|request| request.method == "PUT" && request.path.contains("/tags"));
        assert!(!led, "{name}");
    }
    let dir = tempfile::tempdir().unwrap();
    let (host, _) = given(dir.path(), move |_, _| Answer::of("401 Unauthorized", denied));
    let ran = push(&host, dir.path());
    assert!(ran.stderr.contains("not you (DENIED)"), "{}", ran.stderr);
}

/// The index of referrers is JSON as other documents are: what others have put into it may be long.
#[test]
fn an_index_has_the_limit_that_is_set() {
    let dir = tempfile::tempdir().unwrap();
    let tar = TarBuilder::new().file("a", b"a").finish();
    let image = Image::new(&dir.path().join("layout"), &[tar]);
    let other = format!(r#"{{"annotations":{{"a":"{}"}},"manifests":[]}}"#, "x".repeat(5 << 20));
    let bytes = other.len();
    let (host, _) = serve(move |request, _| match &request.method[..] {
        "GET" if request.path.contains("/manifests/sha256-") => Answer::of("200 OK", &*other),
        "GET" | "HEAD" => image.answer(request),
        "POST" => taken(request),
        _ => Answer::of("201 Created", ""),
    });
    let ran = push(&host, dir.path());
    let says = "bytes of JSON are over the limit max_json_bytes of 4194304 (--limit max_json_bytes=N sets it)";
    assert!(ran.code == 1 && ran.stderr.contains(says), "{}", ran.stderr);
    let ran = push_with(&host, dir.path(), &["--limit", &format!("max_json_bytes={bytes}")]);
    assert!(!ran.stderr.contains("max_json_bytes"), "{}", ran.stderr);
}

#[test]
fn an_index_of_something_else_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let tar = TarBuilder::new().file("a", b"a").finish();
    let image = Image::new(&dir.path().join("layout"), &[tar]);
    let (host, seen) = serve(move |request, _| match &request.method[..] {
        "GET" if request.path.contains("/manifests/sha256-") => {
            Answer::of("200 OK", r#"{"config":{},"layers":[]}"#)
        }
        "GET" | "HEAD" => image.answer(request),
        "POST" => taken(request),
        _ => Answer::of("201 Created", ""),
    });
    let ran = push(&host, dir.path());
    assert!(
        ran.code == 1 && ran.stderr.contains("is something else than an index"),
        "{}",
        ran.stderr
    );
    let seen = seen.lock().unwrap();
    let overwritten =
        |request: &Request| request.method == "PUT" && request.path.contains("sha256-");
    assert!(!seen.iter().any(overwritten), "{seen:?}");
}

#[test]
fn an_image_whose_metadata_hold_data_is_left_to_nodes() {
    let pieces: [(u64, &[u8]); 2] = [(100, &[7; 77]), (5_000, &[8; 99])];
    left_to_nodes(TarBuilder::new().sparse(SparseForm::Pax10, "odd", 9_000, &pieces).finish());
}

/// Nodes refuse metadata that they would write otherwise: this one they would take for another format version's.
#[test]
fn an_image_with_a_tar_of_odd_length_is_left_to_nodes() {
    let mut tar = TarBuilder::new().file("a", [7; 1000]).finish();
    tar.truncate(512 + 1000);
    left_to_nodes(tar);
}

fn left_to_nodes(tar: Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let image = Image::new(&dir.path().join("layout"), &[tar]);
    let (host, seen) = serve(move |request, _| match &request.method[..] {
        "GET" | "HEAD" => image.answer(request),
        _ => taken(request),
    });
    let ran = push(&host, dir.path());
    assert!(
        ran.code == 1 && ran.stderr.contains("nodes have to index this image"),
        "{}",
        ran.stderr
    );
    let seen = seen.lock().unwrap();
    assert!(seen.iter().all(|request| request.method == "GET"), "{seen:?}");
}

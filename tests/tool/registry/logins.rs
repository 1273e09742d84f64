//! Registries that ask who is there.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use testkit::tarball::TarBuilder;

use super::server::{Answer, Image, serve};
use crate::run::{Ran, ok, tool};

/// `me:secret`, as files and headers have it.
const ME: &str = "bWU6c2VjcmV0";

/// Asks for the image as somebody whose files of credentials are in `home`.
fn root(host: &str, home: &Path) -> Ran {
    let mut command = Command::new(tool());
    command.env_remove("DOCKER_CONFIG").env_remove("REGISTRY_AUTH_FILE");
    command.env("XDG_RUNTIME_DIR", home.join("run"));
    let image = format!("docker://{host}/x:t");
    command.env("HOME", home).args(["root", &image]);
    command.output().unwrap().into()
}

#[test]
fn passwords_and_tokens() {
    let dir = tempfile::tempdir().unwrap();
    let tar = TarBuilder::new().file("a", b"a").finish();
    let image = Arc::new(Image::new(&dir.path().join("l"), &[tar]));
    let here = ok(["root", &format!("oci:{}/l", dir.path().display())]);
    let basic = format!("Basic {ME}");
    let unauthorized = |challenge: String| {
        let mut answer = Answer::of("401 Unauthorized", "");
        answer.headers.push(format!("WWW-Authenticate: {challenge}"));
        answer
    };

    let (by_password, wanted) = (Arc::clone(&image), basic.clone());
    let (password, _) = serve(move |request, _| match &request.authorization {
        Some(who) if *who == wanted => by_password.answer(request),
        // Two ways, of which the tool knows the second.
        _ => unauthorized("Negotiate\r\nWWW-Authenticate: Basic realm=\"r\"".to_owned()),
    });
    let (tokens, asked) = serve(move |request, _| match &request.authorization {
        Some(who) if *who == basic => Answer::of("200 OK", r#"{"token":"good"}"#),
        _ => Answer::of("403 Forbidden", ""),
    });
    let by_token = Arc::clone(&image);
    let (token, seen) = serve(move |request, _| match request.authorization.as_deref() {
        Some("Bearer good") => by_token.answer(request),
        _ => unauthorized(format!(
            "Bearer realm=\"http://{tokens}/token\",service=\"s\",scope=\"repository:x:pull\""
        )),
    });

    // Nobody is known.
    let none = dir.path().join("none");
    fs::create_dir(&none).unwrap();
    let ran = root(&password, &none);
    assert!(ran.code == 1 && ran.stderr.contains("wants a name and a password"), "{}", ran.stderr);
    let ran = root(&token, &none);
    assert!(ran.code == 1 && ran.stderr.contains("/token: 403 Forbidden"), "{}", ran.stderr);

    // As `docker login` and `podman login` write it.
    let auths =
        format!(r#"{{"auths":{{"{password}":{{"auth":"{ME}"}},"{token}":{{"auth":"{ME}"}}}}}}"#);
    for file in [".docker/config.json", "run/containers/auth.json"] {
        let home = dir.path().join(file.replace('/', "-"));
        let path = home.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &auths).unwrap();
        for host in [&password, &token] {
            let ran = root(host, &home);
            assert_eq!((ran.code, &ran.stdout), (0, &here), "{file}: {}", ran.stderr);
            assert!(!ran.stderr.contains("secret") && !ran.stderr.contains(ME));
        }
    }
    // One token serves all requests; the password is for the server of tokens alone.
    let asked = asked.lock().unwrap();
    assert_eq!(asked.last().unwrap().path, "/token?service=s&scope=repository%3Ax%3Apull");
    let who: Vec<bool> = asked.iter().map(|request| request.authorization.is_some()).collect();
    assert_eq!(who, [false, true, true], "{asked:?}");
    let seen = seen.lock().unwrap();
    assert!(
        seen.iter()
            .all(|request| !request.authorization.as_ref().is_some_and(|who| who.contains(ME)))
    );
}

/// Whoever a registry leads to may answer a redirection as the registry would: with the place where tokens are. What
/// he says there is not believed.
#[test]
fn a_login_is_not_asked_for_by_whom_a_registry_leads_to() {
    let dir = tempfile::tempdir().unwrap();
    for challenge in ["Bearer realm=\"http://HOST/token\",service=\"s\"", "Basic realm=\"r\""] {
        let (elsewhere, theirs) = serve(move |request, _| {
            if request.path.starts_with("/token") {
                return Answer::of("200 OK", r#"{"token":"good"}"#);
            }
            let mut answer = Answer::of("401 Unauthorized", "");
            let host = request.host.as_deref().unwrap_or_default();
            answer.headers.push(format!("WWW-Authenticate: {}", challenge.replace("HOST", host)));
            answer
        });
        let to = elsewhere.clone();
        let (host, ours) = serve(move |request, _| {
            let mut answer = Answer::of("307 Temporary Redirect", "");
            answer.headers.push(format!("Location: http://{to}{}", request.path));
            answer
        });
        fs::create_dir_all(dir.path().join(".docker")).unwrap();
        let auths = format!(r#"{{"auths":{{"{host}":{{"auth":"{ME}"}}}}}}"#);
        fs::write(dir.path().join(".docker/config.json"), auths).unwrap();
        let ran = root(&host, dir.path());
        let theirs = theirs.lock().unwrap();
        assert!(theirs.iter().all(|request| request.authorization.is_none()), "{theirs:?}");
        assert_eq!((theirs.len(), ours.lock().unwrap().len()), (1, 1), "{}", ran.stderr);
        let why =
            format!("the registry leads to http://{elsewhere}, which wants a login of its own");
        assert!(ran.code == 1 && ran.stderr.contains(&why), "{}", ran.stderr);
    }
}

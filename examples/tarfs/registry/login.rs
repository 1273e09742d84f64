//! Who asks: names and passwords of the files that `docker login` and `podman login` write, and tokens for
//! them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use docker_credential::{CredentialRetrievalError, DockerCredential};
use serde::Deserialize;
use ureq::Agent;

use super::challenge::Challenge;
use super::error::{Error, is_passing};

/// More bytes than any token has.
const TOKEN_BYTES: u64 = 1 << 20;

/// What a server of tokens answers; two names are in use for the same.
#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
}

/// The value of the header `Authorization` that a challenge wants. `server` is what files of credentials
/// call the registry; `secure` is whether it is asked by HTTPS.
pub(super) fn answer(
    challenge: &Challenge,
    agent: &Agent,
    server: &str,
    secure: bool,
) -> Result<String, Error> {
    let known = credential(server).map_err(Error::Refused)?;
    let Challenge::Bearer { realm, service, scope } = challenge else {
        let basic = known.as_ref().and_then(basic);
        let none = || {
            let why = "wants a name and a password, and there are none for";
            Error::Refused(format!("{why} {server} (docker login, podman login)"))
        };
        return basic.ok_or_else(none);
    };
    // A password is not to be had by whoever listens between us and another host.
    if secure && !realm.starts_with("https://") {
        let why = format!("wants a token of {realm}, which is not asked by HTTPS");
        return Err(Error::Refused(why));
    }
    let mut request = agent.get(realm);
    for (key, value) in [("service", service), ("scope", scope)] {
        if let Some(value) = value {
            request = request.query(key, value);
        }
    }
    let words = |why: &dyn fmt::Display| format!("its tokens are of {realm}: {why}");
    let refused = |why: &dyn fmt::Display| Error::Refused(words(why));
    let failed = |why: &dyn fmt::Display| Error::Failed(words(why));
    let mut answer = match known {
        // As Docker does: a token that was got for the password, and is renewed with it.
        Some(DockerCredential::IdentityToken(token)) => {
            let (service, scope) = (service.as_deref(), scope.as_deref());
            let form = [
                ("grant_type", "refresh_token"),
                ("refresh_token", &token),
                ("client_id", "tarfs"),
                ("service", service.unwrap_or_default()),
                ("scope", scope.unwrap_or_default()),
            ];
            agent.post(realm).send_form(form)
        }
        Some(known) => request.header("Authorization", basic(&known).unwrap_or_default()).call(),
        None => request.call(),
    }
    .map_err(|error| failed(&error))?;
    match answer.status() {
        status if status.is_success() => {}
        status if is_passing(status) => return Err(failed(&status)),
        status => return Err(refused(&status)),
    }
    let text = answer.body_mut().with_config().limit(TOKEN_BYTES).read_to_string();
    let text = text.map_err(|error| failed(&error))?;
    let answer: Answer = serde_json::from_str(&text).map_err(|error| refused(&error))?;
    let token = answer.token.or(answer.access_token).filter(|token| !token.is_empty());
    token.map(|token| format!("Bearer {token}")).ok_or_else(|| refused(&"the answer has no token"))
}

/// What the usual files, or the helper that they name, say of a registry.
fn credential(server: &str) -> Result<Option<DockerCredential>, String> {
    use CredentialRetrievalError as Why;
    for found in [
        docker_credential::get_podman_credential(server),
        docker_credential::get_credential(server),
    ] {
        match found {
            Ok(found) => return Ok(Some(found)),
            // There is no file, or nothing in it about this registry.
            Err(Why::ConfigNotFound | Why::ConfigReadError | Why::NoCredentialConfigured) => {}
            // What helpers say by the protocol that Docker gave them.
            Err(Why::HelperFailure { stdout, .. }) if stdout.contains("credentials not found") => {}
            Err(error) => return Err(format!("credentials for {server}: {error}")),
        }
    }
    Ok(None)
}

/// Name and password as the header says them.
fn basic(known: &DockerCredential) -> Option<String> {
    match known {
        DockerCredential::UsernamePassword(name, password) => {
            Some(format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))))
        }
        DockerCredential::IdentityToken(_) => None,
    }
}

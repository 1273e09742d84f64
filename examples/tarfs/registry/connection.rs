//! Requests to one repository of a registry.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use ureq::http::{Response, StatusCode};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body, RequestBuilder, ResponseExt};

use super::challenge::Challenge;
use super::error::{Error, is_passing};
use super::login;
use super::name::Name;
use super::places::origin;
use crate::cli::reading_options::Asking;

/// How often a request is made at most, where the registry fails or is not reached.
pub(super) const TRIES: u32 = 5;

/// Bytes of an answer that says why there is none.
const REASON_BYTES: u64 = 64 << 10;

/// What manifests and indexes are asked for as.
const DOCUMENTS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// One repository.
#[derive(Debug)]
pub(crate) struct Connection {
    agent: Agent,
    url: String,
    name: Name,
    /// The header `Authorization`, once the registry has asked for it.
    authorization: Mutex<Option<String>>,
    /// Whether something is to be pushed.
    pushes: bool,
    /// Whether nobody waits for an answer any more.
    given_up: AtomicBool,
}

/// A request, which is made once more when there is a login for it, or when the registry had failed.
pub(super) type Request<'r> = &'r dyn Fn(&Connection) -> Result<Response<Body>, Error>;

/// What of a repository is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum What<'a> {
    /// A manifest or an index, by tag or digest.
    Document(&'a str),
    /// A blob by its digest, from a byte on.
    Blob(&'a str, u64),
}

/// What registries answer instead of what was asked for.
#[derive(Deserialize)]
struct Reasons {
    errors: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Connection {
    /// To the repository of an image.
    pub(crate) fn new(name: Name, how: Asking) -> Self {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let silence = Some(how.silence);
        let url = name.url(how.plain_http);
        let agent = Agent::config_builder()
            .tls_config(tls)
            // A redirection too: else who listens where it leads to gives us his manifest for a tag.
            .https_only(url.starts_with("https:"))
            .http_status_as_error(false)
            .user_agent(concat!("tarfs/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(silence)
            .timeout_connect(silence)
            .timeout_recv_response(silence)
            .timeout_per_read(silence)
            .timeout_per_write(silence)
            .build();
        Self {
            agent: agent.new_agent(),
            url,
            name,
            authorization: Mutex::default(),
            pushes: false,
            given_up: AtomicBool::new(false),
        }
    }

    /// The same, to push something: a login that may do so is asked for from the first request on.
    pub(crate) fn pushing(name: Name, how: Asking) -> Self {
        Self { pushes: true, ..Self::new(name, how) }
    }

    /// Which image it was made for.
    pub(crate) fn name(&self) -> &Name {
        &self.name
    }

    /// Nothing is tried again from now on: what it was for has failed.
    pub(crate) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    /// Whether that was so the last time.
    pub(super) fn is_last(&self, tries: u32) -> bool {
        tries == TRIES || self.given_up.load(Ordering::Relaxed)
    }

    /// Asks, again if the registry fails for the moment. The answer is 200, or 206 from a byte on.
    pub(super) fn get(&self, what: What<'_>) -> Result<Response<Body>, Error> {
        self.ask(&|connection| connection.request(what))
    }

    /// Makes a request, again if the registry fails for the moment. The answer is one of success.
    pub(super) fn ask(&self, request: Request<'_>) -> Result<Response<Body>, Error> {
        let mut tries = 1;
        loop {
            let again = match self.ask_once(request) {
                Ok(answer) if answer.status().is_success() => return Ok(answer),
                Ok(answer) => refused(answer),
                Err(error) => error,
            };
            if !matches!(again, Error::Failed(_)) {
                return Err(again);
            }
            if self.is_last(tries) {
                return Err(again);
            }
            wait(tries);
            tries += 1;
        }
    }

    fn ask_once(&self, request: Request<'_>) -> Result<Response<Body>, Error> {
        let answer = request(self)?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        // Whoever the registry leads to says nothing of who gets its passwords.
        let from = answer.get_uri().to_string();
        if !origin(&from).eq_ignore_ascii_case(origin(&self.url)) {
            let from = origin(&from);
            let why = format!("the registry leads to {from}, which wants a login of its own");
            return Err(Error::Refused(why));
        }
        // A token may be too old: it is asked for anew, but not more often than that.
        // There may be several: the first that is known here counts.
        let headers = answer.headers().get_all("WWW-Authenticate");
        let mut texts = headers.iter().filter_map(|value| value.to_str().ok());
        let Some(challenge) = texts.find_map(Challenge::parse) else { return Ok(answer) };
        let challenge = if self.pushes { challenge.pushing() } else { challenge };
        let (server, secure) = (self.name.server(), self.url.starts_with("https:"));
        let authorization = login::answer(&challenge, &self.agent, server, secure);
        *self.authorization() = Some(authorization?);
        request(self)
    }

    fn authorization(&self) -> MutexGuard<'_, Option<String>> {
        self.authorization.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What requests are made by.
    pub(super) fn agent(&self) -> &Agent {
        &self.agent
    }

    /// The address of something in the repository, as `blobs/sha256:HEX`.
    pub(super) fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.url)
    }

    /// A request with the header `Authorization`, if the registry has asked for it.
    pub(super) fn authorized<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match &*self.authorization() {
            Some(authorization) => request.header("Authorization", authorization),
            None => request,
        }
    }

    fn request(&self, what: What<'_>) -> Result<Response<Body>, Error> {
        let (url, range) = match what {
            What::Document(version) => (format!("{}/manifests/{version}", self.url), None),
            What::Blob(digest, from) => (format!("{}/blobs/{digest}", self.url), Some(from)),
        };
        let mut request = self.agent.get(url);
        request = match range {
            None => request.header("Accept", DOCUMENTS),
            Some(0) => request,
            Some(from) => request.header("Range", format!("bytes={from}-")),
        };
        self.authorized(request).call().map_err(unanswered)
    }
}

/// Why a request got no answer.
pub(super) fn unanswered(error: ureq::Error) -> Error {
    match error {
        ureq::Error::RequireHttpsOnly(to) => {
            // Behind the question mark there may be a signature that opens it.
            let to = to.split('?').next().unwrap_or_default();
            Error::Refused(format!("the registry leads to {to}, which is not asked by HTTPS"))
        }
        error => Error::Failed(error.to_string()),
    }
}

/// Waits before something is tried again: a fifth of a second, and then twice as long each time.
pub(super) fn wait(tries: u32) {
    thread::sleep(Duration::from_millis(100 << tries.min(6)));
}

/// Why an answer is none.
fn refused(mut answer: Response<Body>) -> Error {
    let status = answer.status();
    let text = answer.body_mut().with_config().limit(REASON_BYTES).read_to_string();
    let reasons = text.ok().and_then(|text| serde_json::from_str::<Reasons>(&text).ok());
    let reasons = reasons.map_or(Vec::new(), |reasons| reasons.errors);
    let mut why = format!("the registry answers {status}");
    for Reason { code, message } in reasons.into_iter().take(4) {
        why.push_str(&format!(": {message} ({code})"));
    }
    match status {
        StatusCode::NOT_FOUND => Error::Absent(why),
        status if is_passing(status) => Error::Failed(why),
        _ => Error::Refused(why),
    }
}

//! A registry of one image, which does what a test wants.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};
use testkit::oci::write_layout;

/// A request: what is done to which path, the first byte that is wanted, who asks, and what is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) from: usize,
    pub(super) authorization: Option<String>,
    pub(super) host: Option<String>,
    pub(super) body: Vec<u8>,
}

/// What is answered: the first line's status, headers, and a body of which some bytes are sent.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: &'static str,
    pub(super) headers: Vec<String>,
    pub(super) body: Vec<u8>,
    /// Bytes of the body that are sent before the connection ends.
    pub(super) sent: usize,
    /// What is waited before each 64 KiB of it.
    pub(super) pause: Duration,
}

impl Answer {
    pub(super) fn of(status: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let (headers, pause) = (Vec::new(), Duration::ZERO);
        Self { status, headers, sent: body.len(), body, pause }
    }
}

/// The image, as it is in a layout, and its tag.
pub(super) struct Image {
    blobs: BTreeMap<String, Vec<u8>>,
    pub(super) manifest: String,
    /// The digests of the layers.
    pub(super) layers: Vec<String>,
}

impl Image {
    pub(super) fn new(dir: &Path, layers: &[Vec<u8>]) -> Self {
        write_layout(dir, layers).unwrap();
        let files = fs::read_dir(dir.join("blobs/sha256")).unwrap().map(|entry| entry.unwrap());
        let blobs = files.map(|file| {
            let name = file.file_name().into_string().unwrap();
            (format!("sha256:{name}"), fs::read(file.path()).unwrap())
        });
        let index: serde_json::Value =
            serde_json::from_slice(&fs::read(dir.join("index.json")).unwrap()).unwrap();
        let manifest = index["manifests"][0]["digest"].as_str().unwrap().to_owned();
        let layers = layers.iter().map(|layer| {
            let digest = Sha256::digest(layer);
            format!(
                "sha256:{}",
                digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
            )
        });
        Self { blobs: blobs.collect(), manifest, layers: layers.collect() }
    }

    /// What an honest registry answers.
    pub(super) fn answer(&self, request: &Request) -> Answer {
        let last = request.path.rsplit('/').next().unwrap_or_default();
        let digest = if last == "t" { &self.manifest } else { last };
        let Some(blob) = self.blobs.get(digest) else { return Answer::of("404 Not Found", "") };
        if request.from == 0 {
            return Answer::of("200 OK", &blob[..]);
        }
        let mut answer = Answer::of("206 Partial Content", &blob[request.from..]);
        let (from, all) = (request.from, blob.len());
        answer.headers.push(format!("Content-Range: bytes {from}-{}/{all}", all - 1));
        answer
    }

    /// Whether a request is for this layer.
    pub(super) fn is_layer(&self, request: &Request, number: usize) -> bool {
        request.path.ends_with(&self.layers[number])
    }
}

/// The requests that came, in their order.
pub(super) type Seen = Arc<Mutex<Vec<Request>>>;

/// Answers requests on loopback until the test ends; tells the host, and what was asked.
pub(super) fn serve(
    answer: impl Fn(&Request, &[Request]) -> Answer + Send + Sync + 'static,
) -> (String, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let seen = Seen::default();
    let requests = Arc::clone(&seen);
    thread::spawn(move || {
        let answer = Arc::new(answer);
        for stream in listener.incoming() {
            let (answer, requests) = (Arc::clone(&answer), Arc::clone(&requests));
            thread::spawn(move || {
                // Who asks may go away in the middle.
                let _ = exchange(&stream.unwrap(), &*answer, &requests);
            });
        }
    });
    (host, seen)
}

/// One request and its answer; the connection is closed behind it.
fn exchange(
    mut stream: &TcpStream,
    answer: &(impl Fn(&Request, &[Request]) -> Answer + ?Sized),
    seen: &Mutex<Vec<Request>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut lines = reader.by_ref().lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut request =
        Request { method, path, from: 0, authorization: None, host: None, body: Vec::new() };
    let mut sends = 0;
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(": ") else { break };
        match &name.to_ascii_lowercase()[..] {
            "range" => {
                let from = value.trim_start_matches("bytes=").trim_end_matches('-');
                request.from = from.parse().unwrap();
            }
            "authorization" => request.authorization = Some(value.to_owned()),
            "host" => request.host = Some(value.to_owned()),
            "content-length" => sends = value.parse().unwrap(),
            _ => {}
        }
    }
    reader.take(sends).read_to_end(&mut request.body)?;
    let is_head = request.method == "HEAD";
    let answer = {
        let mut seen = seen.lock().unwrap();
        let answer = answer(&request, &seen);
        seen.push(request);
        answer
    };
    let length = answer.body.len();
    let mut head =
        format!("HTTP/1.1 {}\r\nConnection: close\r\nContent-Length: {length}\r\n", answer.status);
    for header in &answer.headers {
        head.push_str(&format!("{header}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    let sent = if is_head { 0 } else { answer.sent };
    for piece in answer.body[..sent].chunks(64 << 10) {
        thread::sleep(answer.pause);
        stream.write_all(piece)?;
    }
    Ok(())
}

//! A registry that is asked by HTTPS, and leads to where nobody proves who he is. OpenSSL serves it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use testkit::oracle::{self, Verdict};

use super::server::{Answer, serve};
use crate::run::tool;

/// A server, which ends with this.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Serves the answers that are files below `dir`, with a certificate for an address that is this machine and does
/// not look so: a registry on loopback would be asked without TLS.
fn serve_tls(openssl: &Path, dir: &Path) -> (Server, String) {
    let mut make = Command::new(openssl);
    make.current_dir(dir).args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]);
    make.args(["-keyout", "key", "-out", "cert", "-subj", "/CN=registry"]);
    make.args(["-addext", "subjectAltName=IP:0.0.0.0"]);
    make.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    Verdict::of(&mut make).expect_ok("openssl req");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let host = format!("0.0.0.0:{port}");
    let mut serve = Command::new(openssl);
    serve.current_dir(dir).args(["s_server", "-accept", &host]);
    serve.args(["-cert", "cert", "-key", "key", "-HTTP"]);
    let server = serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let server = Server(server.unwrap());
    for _ in 0..100 {
        if TcpStream::connect(&host).is_ok() {
            break;
        }
        sleep(Duration::from_millis(50));
    }
    (server, host)
}

#[test]
fn nothing_is_asked_without_tls_where_the_registry_has_it() {
    let Some(openssl) = oracle::tool("openssl", "Debian: openssl") else { return };
    let dir = tempfile::tempdir().unwrap();
    let manifests = dir.path().join("v2/x/manifests");
    fs::create_dir_all(&manifests).unwrap();
    let (plain, asked) = serve(|_, _| Answer::of("200 OK", "{}"));
    let empty = "Content-Length: 0\r\nConnection: close\r\n\r\n";
    let (server, host) = serve_tls(&openssl, dir.path());
    for (answer, why) in [
        (
            format!("307 Temporary Redirect\r\nLocation: http://{plain}/x?signature=secret"),
            format!("the registry leads to http://{plain}/x, which is not asked by HTTPS"),
        ),
        (
            format!("401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"http://{plain}/token\""),
            format!("wants a token of http://{plain}/token, which is not asked by HTTPS"),
        ),
    ] {
        fs::write(manifests.join("t"), format!("HTTP/1.1 {answer}\r\n{empty}")).unwrap();
        let mut command = Command::new(tool());
        command.env("SSL_CERT_FILE", dir.path().join("cert"));
        command.args(["ls", &format!("docker://{host}/x:t")]);
        let ran = command.output().unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(1), "{said}");
        assert!(said.contains(&why) && !said.contains("secret"), "{said}");
    }
    assert!(asked.lock().unwrap().is_empty());
    drop(server);
}

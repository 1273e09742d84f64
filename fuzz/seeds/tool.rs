//! Inputs of the tool as seeds: streams, sidecars, disks, and images as `fuzz_targets/tool/image.rs` makes
//! them of marks.

use std::io::Write;

use erofs_tarfs::outputs::{Gpt, Partition};
use flate2::Compression;
use flate2::write::GzEncoder;

/// A descriptor of the blob with a number.
fn descriptor(of: &str, number: usize) -> String {
    format!(
        r#"{{"mediaType":"application/vnd.oci.image.{of}","digest":"sha256:@{number}","size":#{number}}}"#
    )
}

fn oci(layers: &[(&str, &str)]) -> Vec<u8> {
    let mut parts = vec![format!(
        r#"{{"schemaVersion":2,"manifests":[{}]}}"#,
        descriptor("manifest.v1+json", 1)
    )];
    let list: Vec<String> = (0..layers.len())
        .map(|at| descriptor(&format!("layer.v1.{}", layers[at].1), at + 3))
        .collect();
    let config = descriptor("config.v1+json", 2);
    parts.push(format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{}]}}"#, list.join(",")));
    let ids: Vec<String> = (0..layers.len()).map(|at| format!(r#""sha256:${}""#, at + 3)).collect();
    let ids = ids.join(",");
    parts.push(format!(
        r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":[{ids}]}}}}"#
    ));
    parts.extend(layers.iter().map(|(mark, _)| (*mark).to_owned()));
    join(4, &parts)
}

fn join(form: u8, parts: &[String]) -> Vec<u8> {
    let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
    [vec![form], parts.join(&0xff)].concat()
}

/// One of each form, and some.
pub fn inputs() -> Vec<Vec<u8>> {
    let text = b"hello, hello, hello";
    let mut gzip = GzEncoder::new(vec![0], Compression::fast());
    gzip.write_all(text).expect("memory");
    let gzip = gzip.finish().expect("memory");
    let zstd = [vec![1], zstd::encode_all(&text[..], 1).expect("memory")].concat();
    let sidecar =
        format!("\x02{{\"roothash\":\"{}\",\"hashoffset\":4096,\"salt\":\"00\"}}", "0a".repeat(32));
    let partition = Partition { identity: vec![1], bytes: 4096, ..Partition::default() };
    let gpt = Gpt::new(vec![partition], 4096).expect("a disk");
    let (head, tail) = (gpt.head(), gpt.tail());
    let gap = vec![0; gpt.bytes() as usize - head.len() - tail.len()];
    let disk = [vec![3], head, gap, tail].concat();
    let list = r#"[{"Config":"1","RepoTags":["a:b"],"Layers":["2","3"]}]"#.to_owned();
    let config = r#"{"rootfs":{"diff_ids":["sha256:$2","sha256:$3"]}}"#.to_owned();
    let docker = join(6, &[list, config, "t1".to_owned(), "g2".to_owned()]);
    let old =
        join(7, &[r#"{"a":{"b":"1"}}"#.to_owned(), r#"{"id":"1"}"#.to_owned(), "t3".to_owned()]);
    let oci = [
        oci(&[("g1", "tar+gzip"), ("z2", "tar+zstd"), ("t3", "tar")]),
        oci(&[]),
        oci(&[("t1", "tar")]),
    ];
    [vec![gzip, zstd, sidecar.into_bytes(), disk, docker, old], oci.to_vec()].concat()
}

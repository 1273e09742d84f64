//! What a tag may name, and what is made sure of the tars that are found by it.

use std::fs;
use std::path::Path;

use testkit::tarball::TarBuilder;

use crate::run::{Image, digest, mounted, ok, run};

/// A bootstrap over `0.tar` with a tag, in a directory of its own.
struct Bootstrap {
    image: Image,
    dir: String,
    erofs: String,
}

impl Bootstrap {
    fn new(tag: Option<&str>) -> Self {
        let image = Image::new();
        let dir = image.path("alone").to_str().unwrap().to_owned();
        fs::create_dir(&dir).unwrap();
        let erofs = format!("{dir}/boot");
        let tar = image.tars[0].to_str().unwrap();
        let tag = tag.map(|tag| ["--blob-id", tag]);
        ok([&["layer", "-o", &erofs][..], tag.as_ref().map_or(&[], |tag| &tag[..]), &[tar]]
            .concat());
        Self { image, dir, erofs }
    }

    fn tar(&self) -> &[u8] {
        &self.image.stack.layers[0].tar
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(format!("{}/{name}", self.dir), bytes).unwrap();
    }

    /// The commands that read file data: what each says.
    fn fails(&self, words: &[&str], why: &str) {
        let out = format!("{}/out", self.dir);
        let erofs = self.erofs.as_str();
        let commands = [
            &["cat", erofs, "etc/issue"][..],
            &["merge", "--disk", "-o", &out, erofs],
            &["export", "--mode", "image_block", "-o", &out, erofs],
            &["export", "--mode", "image_verity_only", "-o", &out, erofs],
            &["export", "--mode", "image_block_with_verity", "--form", "vmdk", "-o", &out, erofs],
            &["mount-args", erofs],
        ];
        for command in commands {
            let ran = run([command, words].concat());
            assert_eq!(ran.code, 1, "{command:?}: {}", ran.stdout);
            assert!(ran.stdout.is_empty(), "{command:?}: {}", ran.stdout);
            assert!(ran.stderr.contains(why), "{command:?}: {}", ran.stderr);
            assert!(!fs::exists(&out).unwrap());
        }
    }
}

#[test]
fn a_tag_that_is_no_digest_names_no_file_beside_the_bootstrap() {
    for tag in [".hidden.key", "secret", "..", "a b", "\u{1b}[2J", "x.tar", &"A".repeat(64)] {
        let bootstrap = Bootstrap::new(Some(tag));
        let tar = bootstrap.tar().to_vec();
        for name in [tag.to_owned(), format!("{tag}.tar"), format!("sha256-{tag}"), "-".to_owned()]
        {
            if name != ".." {
                bootstrap.put(&name, &tar);
            }
        }
        bootstrap.fails(&[], "is not in");
        bootstrap.fails(&[], "--tars DIR");
    }
}

#[test]
fn in_a_directory_that_the_user_gave_it_names_one() {
    for (tag, name, found) in [
        ("layer-1", "layer-1", true),
        ("layer-1", "layer-1.tar", true),
        (".hidden.key", ".hidden.key", false),
        (".hidden.key", "tar.hidden.key", true),
        ("a/b", "a-b", true),
        ("..", "..tar", false),
    ] {
        let bootstrap = Bootstrap::new(Some(tag));
        bootstrap.put(name, bootstrap.tar());
        let args = ["cat", "--tars", &bootstrap.dir, &bootstrap.erofs, "etc/issue"];
        let ran = run(args);
        assert_eq!(ran.code == 0, found, "{tag} {name}: {}", ran.stderr);
        assert_eq!(ran.stdout, if found { "Welcome\n" } else { "" });
    }
}

/// Nydus names tars by the digests of compressed layers.
#[test]
fn a_digest_that_is_a_name_is_no_digest() {
    let tag = digest(b"the compressed layer");
    let bootstrap = Bootstrap::new(Some(&tag));
    bootstrap.put(&tag, bootstrap.tar());
    let (out, erofs) = (format!("{}/out", bootstrap.dir), bootstrap.erofs.as_str());
    let ran = run(["merge", "--disk", "--tars", &bootstrap.dir, "-o", &out, erofs]);
    assert!(ran.code == 1 && ran.stderr.contains("--tags-are-names"), "{}", ran.stderr);
    let words = ["--tags-are-names", "--tars", &bootstrap.dir];
    let read = |command: &[&str]| ok([command, &words].concat());
    assert_eq!(read(&["cat", erofs, "etc/issue"]), "Welcome\n");
    read(&["export", "--mode", "image_block", "-o", &out, erofs]);
    bootstrap.image.expect_layer(0, &mounted(Path::new(&out)));
    assert!(ok(["mount-args", "--tars", &bootstrap.dir, erofs]).contains(&tag));
    assert!(read(&["check", erofs]).contains("no SHA-256 of it"));

    // One of another length is another tar.
    bootstrap.put(&tag, &[bootstrap.tar(), &[0; 4096][..]].concat());
    let ran = run([&["export", "--mode", "image_block", "-o", &out, erofs][..], &words].concat());
    assert!(ran.code == 1 && ran.stderr.contains("bytes, but"), "{}", ran.stderr);
}

#[test]
fn the_name_of_the_image_still_names_the_tar_of_its_only_device() {
    let image = Image::new();
    let tar = image.tars[0].to_str().unwrap();
    ok(["layer", "--blob-id", "any", tar]);
    assert_eq!(ok(["cat", &format!("{tar}.erofs"), "etc/issue"]), "Welcome\n");

    // Of two devices it would be either.
    let both = image.path("0.erofs");
    let mut args = vec!["merge", "-o", both.to_str().unwrap(), tar];
    let other = image.path("other.tar");
    fs::write(&other, TarBuilder::new().file("x", b"x").finish()).unwrap();
    ok(["layer", "--blob-id", "other", other.to_str().unwrap()]);
    let (first, second) = (format!("{tar}.erofs"), format!("{}.erofs", other.display()));
    args.truncate(3);
    ok([&args[..], &[&first, &second]].concat());
    let ran = run(["cat", both.to_str().unwrap(), "etc/issue"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);

    // A digest that is not the tar's: the name alone proves nothing.
    let id = "0".repeat(64);
    ok(["layer", "--blob-id", &id, tar]);
    let erofs = format!("{tar}.erofs");
    for command in [
        &["cat", &erofs, "etc/issue"][..],
        &["merge", "--disk", "-o", image.path("out").to_str().unwrap(), &erofs],
        &["mount-args", &erofs],
        &["check", &erofs],
    ] {
        let ran = run(command);
        assert_eq!(ran.code, 1, "{command:?}: {}", ran.stdout);
        assert!(ran.stderr.contains("0.tar"), "{}", ran.stderr);
        assert!(ran.stderr.contains(&digest(&image.stack.layers[0].tar)), "{}", ran.stderr);
    }
}

#[test]
fn a_tar_with_the_name_of_a_digest_must_have_it() {
    let bootstrap = Bootstrap::new(None);
    let id = digest(bootstrap.tar());
    let mut bytes = bootstrap.tar().to_vec();
    let at = bytes.windows(7).position(|part| part == b"Welcome").unwrap();
    bytes[at] ^= 1;
    for name in [id.clone(), format!("{id}.tar"), format!("sha256-{id}")] {
        bootstrap.put(&name, &bytes);
        let out = format!("{}/out", bootstrap.dir);
        let erofs = bootstrap.erofs.as_str();
        for command in [
            &["merge", "--disk", "-o", &out, erofs][..],
            &["export", "--mode", "image_block", "-o", &out, erofs],
            &["export", "--mode", "layer_block", "-o", &out, erofs],
            &["export", "--mode", "image_verity_only", "-o", &out, erofs],
            &["export", "--mode", "image_block_with_verity", "-o", &out, erofs],
            &["export", "--mode", "image_block", "--form", "vmdk", "-o", &out, erofs],
            &["check", erofs],
        ] {
            let ran = run(command);
            assert_eq!(ran.code, 1, "{command:?}: {}", ran.stdout);
            assert!(ran.stderr.contains(&id), "{command:?}: {}", ran.stderr);
            assert!(!fs::exists(&out).unwrap());
        }
        // What these say in their help: they do not read the tar.
        ok(["mount-args", erofs]);
        assert_eq!(ok(["cat", erofs, "etc/issue"]), "Velcome\n");
        fs::remove_file(format!("{}/{name}", bootstrap.dir)).unwrap();
    }
    // Under any name the right one is found.
    bootstrap.put("whatever", bootstrap.tar());
    ok(["check", &bootstrap.erofs]);
    ok([
        "export",
        "--mode",
        "image_block",
        "-o",
        &format!("{}/out", bootstrap.dir),
        &bootstrap.erofs,
    ]);
}

/// Of a tag that is no digest the length is all that tells its file from another.
#[test]
fn a_longer_file_is_not_the_one_that_a_text_names() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let bodies = [("a", 3000), ("b", 600)];
    for (name, bytes) in bodies {
        let tar = TarBuilder::new().file(name, vec![name.as_bytes()[0]; bytes]).finish();
        fs::write(path(&format!("{name}.tar")), tar).unwrap();
        let (out, tar) = (path(&format!("{name}.erofs")), path(&format!("{name}.tar")));
        ok(["layer", "--blob-id", "layer", "-o", &out, &tar]);
    }
    fs::copy(path("a.tar"), path("layer")).unwrap();
    let (a, b, both) = (path("a.erofs"), path("b.erofs"), path("m.erofs"));
    ok(["merge", "-o", &both, &a, &b]);
    let (tars, out) = (dir.path().to_str().unwrap(), path("m.disk"));
    for words in [
        &["merge", "--disk", "--tars", tars, "-o", &out, &both][..],
        &["merge", "--disk", "--tars", tars, "-o", &out, &a, &b],
        &["cat", "--tars", tars, &b, "b"],
        &["mount-args", "--tars", tars, &b],
        &["check", "--tars", tars, &b],
    ] {
        let ran = run(words);
        assert_eq!(ran.code, 1, "{words:?}: {}{}", ran.stdout, ran.stderr);
        assert!(format!("{}{}", ran.stdout, ran.stderr).contains("layer"), "{words:?}");
        assert!(!Path::new(&out).exists());
    }
    assert_eq!(ok(["cat", "--tars", tars, &a, "a"]).len(), 3000);
}

//! What is said of sealed data to others: commands, table lines, labels, sidecars, annotations, options.

use erofs_tarfs::verity::{
    Digest, Geometry, HashPlacement, Params, Sealed, SuperblockMode, TreeDigest,
};

/// What others open by fewer words than a tree has parameters.
#[test]
fn marks() {
    let sealed = |params: &Params, place| {
        Sealed::new(Geometry::new(params, 1 << 20, place).unwrap(), Digest([0xab; 32]))
    };
    let behind = HashPlacement::BehindData;
    let keys =
        ["hash_offset", "root_digest", "block_size"].map(|k| format!("org.erofs.dmverity.{k}"));
    for (params, block) in [(Params::containerd(), "512"), (Params::containerd_4k(), "4096")] {
        let said = sealed(&params, behind).erofs_annotations().unwrap();
        assert_eq!(said.clone().map(|(key, _)| key), keys.each_ref().map(String::as_str));
        let root = format!("sha256:{}", "ab".repeat(32));
        assert_eq!(said.map(|(_, value)| value), ["1048576", &root, block].map(str::to_owned));
    }
    let options = sealed(&Params::containerd_4k(), behind).kata_options().unwrap();
    assert_eq!(options.last().unwrap(), &format!("X-kata.dmverity.salt={}", "00".repeat(32)));
    let bare = Params::new(4096, 4096, b"salt", SuperblockMode::None).unwrap();
    let options = sealed(&bare, behind).kata_options().unwrap();
    assert_eq!(
        options[3..],
        ["X-kata.dmverity.no-superblock=true", "X-kata.dmverity.salt=73616c74"]
    );
    for (params, place, annotated, kata) in [
        (Params::nydus(), behind, Err("another size"), Err("4096/4096")),
        (Params::containerd(), behind, Ok(()), Err("4096/4096")),
        (bare, behind, Err("superblock"), Ok(())),
        (Params::veritysetup(&[]).unwrap(), behind, Ok(()), Err("without salt")),
        (Params::containerd_4k(), HashPlacement::OwnFile, Err("directly"), Err("of its own")),
        (Params::containerd_4k(), HashPlacement::At(2 << 20), Err("directly"), Ok(())),
    ] {
        let sealed = sealed(&params, place);
        for (said, want) in [
            (sealed.erofs_annotations().map(drop), annotated),
            (sealed.kata_options().map(drop), kata),
        ] {
            match (said, want) {
                (Ok(()), Ok(())) => {}
                (Err(error), Err(word)) => assert!(error.to_string().contains(word), "{error}"),
                (said, want) => panic!("{params:?} {place:?}: {said:?}, {want:?}"),
            }
        }
    }
}

#[test]
fn texts() {
    let root = "ab".repeat(32);
    let geometry =
        Geometry::new(&Params::containerd(), 1 << 20, HashPlacement::BehindData).unwrap();
    let sealed = Sealed::new(geometry, root.parse::<TreeDigest>().unwrap());
    let zeros = "00".repeat(32);
    assert_eq!(
        sealed.containerd_sidecar(),
        format!("{{\n  \"roothash\": \"{root}\",\n  \"hashoffset\": 1048576\n}}")
    );
    assert_eq!(
        sealed.table_line("/dev/loop 0", "7:1"),
        format!("0 2048 verity 1 /dev/loop\\ 0 7:1 512 512 2048 2049 sha256 {root} {zeros}")
    );
    assert_eq!(
        sealed.open_command("it's", "name", "/h").to_string(),
        format!("veritysetup open 'it'\\''s' name /h {root} --hash-offset=1048576")
    );
    assert!(sealed.dm_mod_create("a,b", "/dev/vda", "/dev/vda").is_err());
    assert!(sealed.dm_mod_create("", "/dev/vda", "/dev/vda").is_err());

    let geometry = Geometry::new(&Params::nydus(), 1024, HashPlacement::BehindData).unwrap();
    let sealed = Sealed::new(geometry, root.parse::<TreeDigest>().unwrap());
    assert_eq!(sealed.nydus_label(), format!("2,4096,sha256:{root}"));
    assert_eq!(
        sealed.kata_json(),
        format!(
            "{{\"hashtype\":\"sha256\",\"hash\":\"{root}\",\"blocknum\":2,\"blocksize\":512,\
             \"hashsize\":4096,\"offset\":4096}}"
        )
    );
    assert_eq!(
        sealed.dm_mod_create("root", "/dev/vda", "/dev/vda").unwrap(),
        format!(
            "dm-mod.create=\"root,,,ro,0 2 verity 1 /dev/vda /dev/vda 512 4096 2 1 sha256 {root} -\""
        )
    );
    assert_eq!(
        sealed.verify_command("d", "h").to_string(),
        format!(
            "veritysetup verify d h {root} --no-superblock --format=1 --hash=sha256 \
             --data-block-size=512 --hash-block-size=4096 --data-blocks=2 --salt=- \
             --hash-offset=4096"
        )
    );
}

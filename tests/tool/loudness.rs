//! `-q` and `-v`: less, and more, than what is said otherwise.

use testkit::tarball::TarBuilder;

use crate::run::{Place, json, ok, run};

#[test]
fn quiet_and_verbose() {
    let place = Place::new();
    // Something to be warned of.
    let tar = TarBuilder::new().file("f", "x").xattr("com.apple.x", "y").finish();
    let (tar, out) = (place.put("tar", &tar), place.text("out"));
    let layer = ["layer", "-o", &out, &tar];
    let said = |options: &[&str]| {
        let ran = run([options, &layer].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        (ran.stdout, ran.stderr)
    };
    let (report, warning) = said(&[]);
    assert!(report.contains("bytes") && warning.contains("dropped"), "{report} {warning}");
    assert_eq!(said(&["-q"]), (String::new(), String::new()));
    assert_eq!(said(&["--quiet"]), (String::new(), String::new()));
    let (_, details) = said(&["-v"]);
    for what in [format!("tarfs: reads {tar}\n"), format!("tarfs: makes {out}\n"), warning] {
        assert!(details.contains(&what), "{what}: {details}");
    }
    // What was asked for is said all the same, behind the command too; and so are errors.
    assert_eq!(ok(["ls", "-q", &tar]), "f\n");
    assert_eq!(json(&ok(["-q", "layer", "--json", "-o", &out, &tar])).len(), 1);
    assert!(ok(["inspect", "-q", &out]).contains("blocks:"));
    assert!(!run(["-q", "ls", "missing"]).stderr.is_empty());
    assert_eq!(run(["-q", "-v", "ls", &tar]).code, 2);
}

/// What was printed for people is there for programs too.
#[test]
fn reports_as_json() {
    let place = Place::new();
    let tar = place.put("tar", &TarBuilder::new().file("f", "x").finish());
    let (disk, boot) = (place.text("disk"), place.text("boot"));
    let made = json(&ok(["layer", "--disk", "--verity", "--json", "-o", &disk, &tar])).remove(0);
    let root = made["verity"]["root_hash"].as_str().unwrap();
    let verdict = json(&ok(["verity", "verify", "--json", &disk, root])).remove(0);
    assert_eq!((&verdict["verified"], &verdict["root_hash"]), (&true.into(), &root.into()));
    let geometry = &made["verity"];
    let bytes =
        geometry["data_blocks"].as_u64().unwrap() * geometry["data_block_size"].as_u64().unwrap();
    assert_eq!(verdict["bytes"], bytes);
    // What does not match is an error, and no verdict.
    let wrong = "0".repeat(64);
    let ran = run(["verity", "verify", "--json", &disk, &wrong]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    ok(["layer", "-o", &boot, &tar]);
    for args in [&[&*boot][..], &["--root", root, &disk]] {
        let lines = ok([&["mount-args"], args].concat());
        let commands = json(&ok([&["mount-args", "--json"], args].concat())).remove(0);
        let commands = commands["commands"].as_array().unwrap().iter();
        let joined: String = commands.map(|line| format!("{}\n", line.as_str().unwrap())).collect();
        assert_eq!(joined, lines);
    }
}

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
    assert!(ok(["inspect", "-q", &out]).contains("devices"));
    assert!(!run(["-q", "ls", "missing"]).stderr.is_empty());
    assert_eq!(run(["-q", "-v", "ls", &tar]).code, 2);
}

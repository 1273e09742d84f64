//! What the help says where somebody chooses.

use crate::run::ok;

/// Forms that only kernels read right, and the lines that offer them.
const FOR_KERNELS: [&str; 2] = ["--plain-bodies", "--compact"];

/// The line of an option in `-h`, or in `--help` the one below it.
fn line_of(help: &str, option: &str) -> String {
    let mut lines = help.lines().skip_while(|line| !line.trim_start().starts_with(option));
    let mut line = lines.next().unwrap_or_else(|| panic!("no {option}:\n{help}")).to_owned();
    if line.trim() == option {
        line.push_str(lines.next().unwrap());
    }
    line
}

#[test]
fn forms_for_kernels_are_called_so_where_they_are_offered() {
    for command in ["layer", "merge", "export"] {
        for help in ["-h", "--help"] {
            let text = ok([command, help]);
            for option in FOR_KERNELS {
                let line = line_of(&text, option);
                assert!(
                    line.contains("only kernels") && line.contains("read it right"),
                    "{command} {help}: {line}"
                );
            }
        }
    }
    let readme = include_str!("../../README.md");
    for option in FOR_KERNELS {
        // Commands and lists offer; tables and sentences tell of them.
        let offers = |line: &&str| {
            line.contains(option) && ["tarfs ", "- "].iter().any(|start| line.starts_with(start))
        };
        let offered: Vec<&str> = readme.lines().filter(offers).collect();
        assert!(!offered.is_empty(), "{option}");
        for line in offered {
            assert!(line.contains("only kernels"), "{line}");
        }
    }
}

//! Others' extraction of layers, as an oracle.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use testkit::dump::{Tree, dump};
use testkit::oracle::{self, Verdict};
use testkit::stacks::Stack;

/// The program of examples/go/layerapply.
pub(super) struct Oracle {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Oracle {
    /// Builds and starts it.
    pub(super) fn new(whose: &str) -> Option<Self> {
        let go = oracle::tool("go", "https://go.dev/dl")?;
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("layerapply");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/go/layerapply");
        let mut build = Command::new(go);
        build.args(["build", "-o"]).arg(&program).arg(".").current_dir(source);
        Verdict::of(&mut build).expect_ok("go build");
        let mut command = Command::new(program);
        command.arg(whose).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Some(Self { child, input, output: BufReader::new(output) })
    }

    /// Extracts a stack into a new directory, and what is there then.
    pub(super) fn extracted(&mut self, stack: &Stack, scratch: &Path) -> Result<Tree, String> {
        let tars: Vec<&[u8]> = stack.layers.iter().map(|layer| &layer.tar[..]).collect();
        self.extracted_tars(&tars, scratch)
    }

    pub(super) fn extracted_tars(
        &mut self,
        tars: &[&[u8]],
        scratch: &Path,
    ) -> Result<Tree, String> {
        let dir = tempfile::tempdir_in(scratch).unwrap();
        let root = dir.path().join("root");
        fs::create_dir(&root).unwrap();
        let tar = |(number, tar): (usize, &&[u8])| {
            let path = dir.path().join(number.to_string());
            fs::write(&path, tar).unwrap();
            path
        };
        let tars: Vec<PathBuf> = tars.iter().enumerate().map(tar).collect();
        self.apply(&root, &tars)?;
        Ok(dump(&root).unwrap())
    }

    /// Extracts tars into a directory; the error, if there is one.
    fn apply(&mut self, root: &Path, tars: &[PathBuf]) -> Result<(), String> {
        let words: Vec<_> = tars.iter().map(|tar| format!("\t{}", tar.display())).collect();
        writeln!(self.input, "{}{}", root.display(), words.concat()).unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        if line == "ok\n" { Ok(()) } else { Err(line) }
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

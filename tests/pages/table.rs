//! The pages, and what becomes of each block.
//!
//! Lines of bash stand beside them: what makes the files that a block is about, and what must hold behind it.
//! `desk NAME` goes to a new directory with tars and an image, `tars` puts them into this one (`given.sh`).

use crate::row::{Page, Row, by, not, program, run};

const IN_GUESTS: &str = "tests/kernels/page.rs";

const NO_CONTAINERD: &str = "CI has no containerd: ./check clients starts it, and runs these calls";

const QUICKSTART: &[Row] = &[
    run("export IMAGE=", "", ""),
    run("cargo install --locked", "", ""),
    run("skopeo copy docker://$IMAGE", "", ""),
    by("tarfs mount --root $ROOT app.disk", IN_GUESTS),
    run("tarfs verity verify app.disk $ROOT && tarfs mount --no-verity", "", ""),
    run("tarfs cat app.disk", "", "grep -qx NAME=small rootfs/etc/os-release"),
];

/// What a reader sees first. All ways in make the same disk: the root hash of the shell's is that of Rust and Go.
const README: &[Row] = &[
    run("./demo ", "tars", ""),
    run("cargo install --locked", "", "ROOT=$(tarfs root base.tar app.tar fix.tar)"),
    program(
        "use erofs_tarfs::{export::Mode, io::Export};\nfn main",
        "desk first-rust; cargo init --quiet --name first-rust; cp \"$CHECKOUT/Cargo.lock\" .
cargo add --quiet --offline --path \"$CHECKOUT/erofs-tarfs\" erofs-tarfs",
        ["src/main.rs", "", ""],
        "[ \"$(cargo run --quiet --offline)\" = \"$ROOT\" ]
cd \"$CHECKOUT\"",
    ),
    run("make -C erofs-tarfs-ffi && make", "", ""),
    program(
        "tarfs_export_options how",
        "desk first-c",
        [
            "way.c",
            "#include <stdio.h>\n#include <tarfs.h>\nint main(void) {",
            "return error != NULL; }",
        ],
        "cc -Wall -Werror way.c $(pkg-config --cflags --libs tarfs)
./a.out
tarfs export --quiet --mode image_block -o tool.disk base.tar app.tar
cmp image.disk tool.disk",
    ),
    program(
        "made, err := tarfs.Export",
        "go_module first-go",
        [
            "main.go",
            "package main\nimport (\"context\"; \"fmt\"; \"log\"; \
             \"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs\")\n\
             func main() {\nctx := context.Background()",
            "}",
        ],
        "go mod tidy 2>/dev/null
[ \"$(go run .)\" = \"$ROOT\" ]
cd \"$CHECKOUT\"",
    ),
    run("make -C examples/tarfs &&", "", "[ -s /usr/local/share/man/man1/tarfs-mount.1 ]"),
    not("make -C examples/tarfs deb rpm", "examples/tarfs/packages runs this, and installs them in a clean root"),
    not("rustup target add x86_64", "examples/tarfs/alone runs this, as a rule with the dev profile"),
    run(
        "tarfs layer  -o base.erofs",
        "desk making
for one in a:base b:app; do
  tarfs export --quiet --mode layer_block_with_verity -o ${one%:*}.disk ${one#*:}.tar
done
A=$(tarfs root --each-layer base.tar) B=$(tarfs root --each-layer app.tar)",
        "",
    ),
    run(
        "ROOT=$(tarfs root base.tar",
        "cp image.disk old.disk && cp image.disk new.disk && mkdir rootfs",
        "[ ! -e rootfs/etc/secret ] && cmp rootfs/srv/index.html <(echo hello)",
    ),
    run("tarfs mount image.erofs /mnt", "", "! mountpoint /mnt"),
    by("tarfs mount --root $ROOT image.disk", IN_GUESTS),
    run("tarfs manual /usr/local", "mkdir -p /etc/bash_completion.d", ""),
    run("cargo build --release --example mkfs-erofs", "cd \"$CHECKOUT\"", ""),
    not("ctr plugin ls", NO_CONTAINERD),
    run("cargo build --release --example nydus-image", "", ""),
    run("tarfs cache /var/lib/layers", "desk cache", "ls /var/lib/layers/sha256/*/*.erofs"),
    run(
        "cd /var/lib/containerd/",
        "snapshots=/var/lib/containerd/io.containerd.snapshotter.v1.erofs/snapshots
mkdir -p $snapshots/{1,2,3}
for one in 1:base 2:app 3:fix; do
  /opt/erofs-tarfs/bin/mkfs.erofs --tar=f --quiet -b512 $snapshots/${one%:*}/layer.erofs <${one#*:}.tar
done",
        "[ -s 3/fsmeta.erofs ]",
    ),
    run(
        "tarfs verity format --preset containerd",
        "desk sidecar; tarfs layer --quiet --disk -o layer.erofs base.tar",
        "",
    ),
    run("tarfs layer --disk --verity --preset containerd", "cp base.tar layer.tar", ""),
    run(
        "cargo add --path ../erofs-tarfs",
        "ln -sfn \"$CHECKOUT\" \"$GIVEN/$page/erofs-tarfs\"
desk added; cargo init --quiet --name added; cp \"$CHECKOUT/Cargo.lock\" .",
        "cargo check --quiet --offline",
    ),
    run(
        "make -C erofs-tarfs-ffi  ",
        "cd \"$CHECKOUT\"; cp examples/c/seal_image.c program.c",
        "./a.out && [ -s target/tarfs.cdx.json ]",
    ),
    run(
        "go mod edit -replace",
        "desk second-go; go mod init example.com/second 2>/dev/null
cat >main.go <<<'package main; import \"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs\"
func main() { println(tarfs.Version()) }'",
        "go build -tags tarfs_static && ./second",
    ),
];

const C: &[Row] = &[
    run("make -C erofs-tarfs-ffi  ", "", "./version"),
    run("cc version.c $(pkg-config --cflags tarfs) -L", "", "./version"),
];

const GO: &[Row] = &[
    run("make -C erofs-tarfs-ffi &&", "", ""),
    not(
        "make -C examples/go lib",
        "examples/go/check runs this with the dev profile, and builds a program over it",
    ),
];

const SNAPSHOTTER: &[Row] = &[
    run(
        "make -C erofs-tarfs-ffi &&",
        "mkdir -p /etc/systemd/system",
        "tarfs-snapshotter --version",
    ),
    not("systemctl daemon-reload", "no systemd runs where tests do"),
    not(
        "docker build -t registry.example",
        "no Docker and no cluster where tests run; ./check cluster runs the manifest",
    ),
    not("kubectl -n kube-system create secret", "no cluster where tests run"),
    not("ctr image pull --snapshotter erofs", NO_CONTAINERD),
    not("ctr image pull --snapshotter tarfs", NO_CONTAINERD),
];

const MIGRATING: &[Row] = &[
    run("cargo build --release --example nydus-image", "", ""),
    not(
        "veritysetup open",
        "no device mapper where tests run; tests/migrating.rs verifies this tree, by veritysetup and the same numbers",
    ),
];

pub(crate) const PAGES: &[Page] = &[
    Page { path: "QUICKSTART.md", rows: QUICKSTART },
    Page { path: "README.md", rows: README },
    Page { path: "MIGRATING.md", rows: MIGRATING },
    Page { path: "examples/c/README.md", rows: C },
    Page { path: "examples/go/README.md", rows: GO },
    Page { path: "examples/go/cmd/tarfs-snapshotter/README.md", rows: SNAPSHOTTER },
];

//! A guest: a disk of files with the rows' scripts, QEMU that boots a kernel over it, and an end to
//! that in any case.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use testkit::oracle::{self, Verdict};

/// How long a guest may say nothing, and how long it may take. Without virtualization each
/// instruction is emulated: minutes on two free cores, a quarter of an hour beside four other jobs.
const SILENCE: Duration = Duration::from_secs(120);
const PATIENCE: Duration = Duration::from_secs(3600);

/// A disk of its own for the guest, which finds it as `/disks/SERIAL`.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    /// Its serial number.
    pub(crate) serial: String,
    /// What QEMU opens.
    pub(crate) file: PathBuf,
    /// `raw` or `vmdk`.
    pub(crate) format: &'static str,
    /// Bytes of a sector.
    pub(crate) sector: u32,
}

/// The programs that are needed for a guest.
#[derive(Debug)]
pub(crate) struct Tools {
    qemu: PathBuf,
    mke2fs: PathBuf,
}

impl Tools {
    /// As [`oracle::tool`] has it.
    pub(crate) fn find() -> Option<Self> {
        Some(Self {
            qemu: oracle::tool("qemu-system-x86_64", "apt-get install qemu-system-x86")?,
            mke2fs: oracle::tool("mke2fs", "apt-get install e2fsprogs")?,
        })
    }
}

/// Makes one disk of all that is in a folder, for guests to mount where the folder is here.
pub(crate) fn carrier(tools: &Tools, folder: &Path, disk: &Path) {
    let mut du = Command::new("du");
    let used =
        Verdict::of(du.args(["--summarize", "--block-size=1M", "--apparent-size"]).arg(folder));
    used.expect_ok("du");
    let used: u64 = used.output.split_whitespace().next().unwrap().parse().unwrap();
    let mut command = Command::new(&tools.mke2fs);
    command.args(["-q", "-t", "ext4", "-O", "^has_journal", "-d"]).arg(folder).arg(disk);
    Verdict::of(command.arg(format!("{}M", used * 5 / 4 + 32))).expect_ok("mke2fs");
}

/// Boots a kernel, which runs all scripts in `rows` of the folder; what it said, or why it did not
/// come to its end.
pub(crate) fn boot(
    tools: &Tools,
    kernel: &Path,
    folder: &Path,
    carrier: &Path,
    disks: &[Disk],
) -> Result<String, String> {
    let out = tempfile::tempdir().unwrap();
    let (said, console) = (out.path().join("said"), out.path().join("console"));
    let mut command = Command::new(&tools.qemu);
    command.args(["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"]);
    command.args(["-machine", "q35,hpet=off", "-m", "512"]).args(acceleration());
    command.arg("-kernel").arg(kernel.join("vmlinuz"));
    command.arg("-initrd").arg(kernel.join("initramfs"));
    let place = folder.to_str().unwrap();
    let append = format!(
        "console=ttyS0 quiet panic=-1 mitigations=off nokaslr no_timer_check tsc=reliable \
         random.trust_cpu=on rdinit=/init PLACE={place}"
    );
    command.args(["-append", &append]);
    command.arg("-serial").arg(format!("file:{}", console.display()));
    command.args(["-device", "virtio-serial-pci", "-chardev"]);
    command.arg(format!("file,id=said,path={}", said.display()));
    command.args(["-device", "virtserialport,chardev=said,name=said"]);
    let tests =
        Disk { serial: "tests".to_owned(), file: carrier.to_owned(), format: "raw", sector: 512 };
    for (number, disk) in [&tests].into_iter().chain(disks).enumerate() {
        let Disk { serial, file, format, sector } = disk;
        let file = file.display();
        // A vmdk has files below it, whose locks are asked for by their own names.
        command.arg("-drive").arg(format!(
            "file={file},format={format},if=none,id=d{number},readonly=on,file.locking=off"
        ));
        command.arg("-device").arg(format!(
            "virtio-blk-pci,drive=d{number},serial={serial},logical_block_size={sector},\
             physical_block_size={sector}"
        ));
    }
    let messages = out.path().join("qemu");
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(fs::File::create(&messages).unwrap());
    let guest = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let ended = Running(guest).wait(&said);
    let text = |path: &Path| {
        let bytes = fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let said = text(&said);
    if said.ends_with("done\n") {
        return Ok(said);
    }
    let row = said.lines().rfind(|line| line.starts_with("row ")).unwrap_or("before any row");
    Err(format!(
        "the guest {ended}, at: {row}\nits last words:\n{}\nits console:\n{}\n{}",
        last(&said),
        last(&text(&console)),
        text(&messages)
    ))
}

/// The CPU's own virtualization, if there is any that runs a kernel as it is.
fn acceleration() -> [&'static str; 4] {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let flags = cpu.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    let has = flags.split_whitespace().any(|flag| flag == "svm" || flag == "vmx");
    let opens = fs::OpenOptions::new().read(true).write(true).open("/dev/kvm").is_ok();
    match has && opens {
        true => ["-accel", "kvm", "-cpu", "host"],
        false => ["-accel", "tcg,thread=multi", "-cpu", "qemu64"],
    }
}

/// A process that does not outlive this.
struct Running(Child);

impl Running {
    /// Waits for its end while `said` grows.
    fn wait(mut self, said: &Path) -> String {
        let start = Instant::now();
        let (mut len, mut since) = (0, start);
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return format!("ended ({status})");
            }
            let now = fs::metadata(said).map_or(0, |metadata| metadata.len());
            if now != len {
                (len, since) = (now, Instant::now());
            }
            if since.elapsed() > SILENCE || start.elapsed() > PATIENCE {
                let (silent, all) = (since.elapsed().as_secs(), start.elapsed().as_secs());
                return format!("was ended after {all} s, {silent} of them silent");
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn last(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(|line| line.trim_end_matches('\r')).collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

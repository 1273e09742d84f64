//! Disks over files as they lie: what QEMU, `sfdisk`, `sgdisk`, the kernel's loop devices and mounts
//! make of tables and descriptors is the disk that would be written.

mod disks;
mod dm;
mod gpt;
mod mapped;
mod vmdk;

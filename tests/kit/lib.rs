//! What the integration tests share.
//!
//! But for [`ours`] and [`artifact`] the kit knows nothing of the library under test: it deals in tar bytes, directories, mounts and
//! dumps, so that what it says about an image is said by others, the kernel above all.
//!
//! | module | duty |
//! |---|---|
//! | [`tarball`] | writes tars, right ones and wrong ones |
//! | [`counting`] | an allocator that counts, for tests of memory |
//! | [`dump`] | walks a directory into a [`Tree`](dump::Tree) that compares |
//! | [`mount`] | mounts that end with their guard |
//! | [`oracle`] | other people's tools, never silently missing |
//! | [`layer`] | what a layer says: a list of operations |
//! | [`model`] | extracts operations into a directory, as an overlayfs lower |
//! | [`naive`] | the same meaning in memory, without a kernel |
//! | [`containerd`] | what containerd makes of it, event by event, and why that differs |
//! | [`stacks`] | random stacks of layers, their tars, and what overlayfs makes of them |
//! | [`fixtures`] | a real image, built by the tools that people build them with |
//! | [`ours`] | our own trees in the shape of a dump |
//! | [`artifact`] | our artifacts as files, for the kernel to mount |
//! | [`erofs_rs`] | what another reader makes of an image |
//! | [`program`] | our example programs as processes |
//! | [`oci`] | a small OCI image layout, written by hand |
//! | [`registry`] | Debian's registry on loopback |
//! | [`page`] | what stands in the fences of our pages |

pub mod artifact;
pub mod changed;
pub mod containerd;
pub mod counting;
pub mod dump;
pub mod erofs_rs;
pub mod fixtures;
pub mod layer;
pub mod limits;
pub mod model;
pub mod mount;
pub mod naive;
pub mod oci;
pub mod oracle;
pub mod ours;
pub mod page;
pub mod program;
pub mod registry;
pub mod rng;
pub mod stacks;
pub mod tarball;

//! Calls of layers and trees.

use core::ptr;

use tarfs::trees::contents::{
    TARFS_EXTENT_CARRIED, TarfsExtent, tarfs_tree_get_extent, tarfs_tree_read,
};
use tarfs::trees::device::TarfsDevice;
use tarfs::trees::layer::{
    tarfs_layer_finish, tarfs_layer_new, tarfs_layer_push, tarfs_layer_push_source,
};
use tarfs::trees::layer_info::TarfsLayerInfo;
use tarfs::trees::layer_options::TarfsLayerOptions;
use tarfs::trees::limits::TarfsLimits;
use tarfs::trees::merge::{TarfsMergeOptions, tarfs_tree_merge};
use tarfs::trees::stat::{
    TarfsStat, tarfs_tree_get_child, tarfs_tree_get_stat, tarfs_tree_get_xattr, tarfs_tree_lookup,
};
use tarfs::trees::tree::{TarfsTreeInfo, Tree, tarfs_tree_get_device, tarfs_tree_get_info};

use crate::changes;
use crate::machine::Machine;
use crate::sized::sized;
use crate::verity;

/// Makes layers and trees, and frees objects of any kind.
pub(crate) fn make(machine: &mut Machine<'_>) {
    match machine.tape.below(9) {
        0 => new_layer(machine),
        1 | 2 => whole_layer(machine),
        3 => push(machine),
        4 => finish(machine),
        5 | 6 => merge(machine),
        7 => changes::change(machine),
        _ => {
            let kind = machine.tape.below(11);
            machine.free(kind);
        }
    }
}

fn new_layer(machine: &mut Machine<'_>) {
    let mut options = sized::<TarfsLayerOptions>();
    let tape = &mut machine.tape;
    let tag = tape.below(70);
    let tag = tape.bytes(tag);
    (options.tag, options.tag_len) = (tag.as_ptr(), tag.len());
    // Threads are for long tars; here they would but cost.
    options.flags = u32::from(tape.byte()) | if tape.chance(32) { 256 } else { 0 };
    options.flags |= if tape.chance(8) { 512 } else { 0 };
    if tape.chance(4) {
        options.max_path_bytes = tape.byte().into();
        options.max_extension_bytes = tape.number();
        options.max_xattr_bytes = tape.number();
        options.max_sparse_segments = tape.number();
        options.max_carried = tape.number();
        options.max_implied = tape.number();
        options.max_entries = tape.number();
    }
    let mut limits = sized::<TarfsLimits>();
    if tape.chance(4) {
        limits.max_inodes = tape.byte().into();
        limits.max_depth = tape.byte().into();
        limits.max_name_bytes = tape.byte().into();
        limits.max_entries = tape.number();
        options.limits = &raw const limits;
    }
    let params = verity::params(machine);
    options.leaves = if machine.tape.chance(3) { &raw const params.raw } else { ptr::null() };
    let tee = machine.tape.chance(4).then(|| machine.empty().sink(0));
    options.tee = tee.as_ref().map_or(ptr::null(), ptr::from_ref);
    let options = if machine.tape.chance(4) { ptr::null() } else { &raw const options };
    let mut layer = ptr::null_mut();
    // SAFETY: options are as the header has them, and outlive the call.
    if machine.call(|error| unsafe { tarfs_layer_new(options, &raw mut layer, error) }) {
        machine.layers.put(layer);
    }
}

/// A tar in one go, so that there are trees to work on.
fn whole_layer(machine: &mut Machine<'_>) {
    new_layer(machine);
    push(machine);
    finish(machine);
}

fn push(machine: &mut Machine<'_>) {
    let Some(layer) = machine.layers.one(&mut machine.tape) else { return };
    let number = machine.tape.below(256) % machine.contents.len();
    let tar = machine.contents[number].clone();
    if machine.tape.chance(3) {
        let source = machine.full().source(0);
        let (progress, ctx) = machine.progress();
        let bytes = if machine.tape.chance(3) {
            machine.tape.number() % (1 << 16)
        } else {
            tar.len() as u64
        };
        // SAFETY: the layer is not freed, its stream lives.
        machine.call(|error| unsafe {
            tarfs_layer_push_source(layer, &raw const source, 0, bytes, progress, ctx, error)
        });
        return;
    }
    let piece =
        if machine.tape.chance(2) { 1 + machine.tape.below(255) * 37 } else { tar.len().max(1) };
    for piece in tar.chunks(piece) {
        // SAFETY: the layer is not freed.
        if !machine
            .call(|error| unsafe { tarfs_layer_push(layer, piece.as_ptr(), piece.len(), error) })
        {
            return;
        }
    }
}

fn finish(machine: &mut Machine<'_>) {
    let Some(layer) = machine.layers.one(&mut machine.tape) else { return };
    let (mut info, mut tree, mut leaves) =
        (sized::<TarfsLayerInfo>(), ptr::null_mut(), ptr::null_mut());
    let wants = machine.tape.byte();
    let info = if wants & 1 == 0 { ptr::null_mut() } else { &raw mut info };
    let to = if wants & 2 == 0 { ptr::null_mut() } else { &raw mut leaves };
    // SAFETY: the layer is not freed.
    if machine.call(|error| unsafe { tarfs_layer_finish(layer, info, &raw mut tree, to, error) }) {
        machine.trees.put(tree);
        if !leaves.is_null() {
            machine.leaves.put(leaves);
        }
    }
}

fn merge(machine: &mut Machine<'_>) {
    let count = machine.tape.below(6);
    let layers: Vec<_> = (0..count).filter_map(|_| machine.trees.one(&mut machine.tape)).collect();
    let layers: Vec<*const Tree> = layers.into_iter().map(<*mut Tree>::cast_const).collect();
    let mut options = sized::<TarfsMergeOptions>();
    options.keep_devices = u32::from(machine.tape.chance(4));
    options.flags = machine.tape.below(9) as u32;
    let options = if machine.tape.chance(3) { ptr::null() } else { &raw const options };
    let mut merged = ptr::null_mut();
    // SAFETY: none of the trees is freed.
    if machine.call(|error| unsafe {
        tarfs_tree_merge(layers.as_ptr(), layers.len(), options, &raw mut merged, error)
    }) {
        machine.trees.put(merged);
    }
}

/// Asks trees for what is in them.
pub(crate) fn ask(machine: &mut Machine<'_>) {
    let Some(tree) = machine.trees.one(&mut machine.tape) else { return };
    let mut info = sized::<TarfsTreeInfo>();
    // SAFETY: here and below: the tree is not freed, and outputs are locals.
    assert!(machine.call(|error| unsafe { tarfs_tree_get_info(tree, &raw mut info, error) }));
    let inode = match machine.tape.chance(8) {
        true => machine.tape.word(),
        false => u32::from(machine.tape.byte()) % info.inodes as u32,
    };
    let far = machine.tape.chance(4);
    let index = machine.tape.below(if far { 256 } else { 4 });
    let (mut at, mut len, mut value, mut value_len, mut number) =
        (ptr::null(), 0, ptr::null(), 0, 0);
    match machine.tape.below(7) {
        0 => {
            let mut stat = sized::<TarfsStat>();
            let is_there = machine
                .call(|error| unsafe { tarfs_tree_get_stat(tree, inode, &raw mut stat, error) });
            assert_eq!(is_there, u64::from(inode) < info.inodes);
            machine.lend(tree, stat.link, stat.link_len);
        }
        1 => {
            let call = |error| unsafe {
                tarfs_tree_get_child(
                    tree,
                    inode,
                    index,
                    &raw mut at,
                    &raw mut len,
                    &raw mut number,
                    error,
                )
            };
            if machine.call(call) {
                assert!(u64::from(number) < info.inodes && len > 0);
                machine.lend(tree, at, len);
            }
        }
        2 => {
            let call = |error| unsafe {
                tarfs_tree_get_xattr(
                    tree,
                    inode,
                    index,
                    &raw mut at,
                    &raw mut len,
                    &raw mut value,
                    &raw mut value_len,
                    error,
                )
            };
            if machine.call(call) {
                machine.lend(tree, at, len);
                machine.lend(tree, value, value_len);
            }
        }
        3 => {
            let mut extent = sized::<TarfsExtent>();
            let call = |error| unsafe {
                tarfs_tree_get_extent(tree, inode, index, &raw mut extent, error)
            };
            if machine.call(call) && extent.kind == TARFS_EXTENT_CARRIED {
                machine.lend(tree, extent.data, extent.bytes as usize);
            }
        }
        4 => {
            let mut device = sized::<TarfsDevice>();
            let call =
                |error| unsafe { tarfs_tree_get_device(tree, index, &raw mut device, error) };
            assert_eq!(machine.call(call), (index as u64) < info.devices);
            machine.lend(tree, device.tag, device.tag_len);
        }
        5 => {
            let path = machine.tape.one(&[&b""[..], b"a", b"a/b", b"/", b"..", b"a//b", b"\0"]);
            machine.call(|error| unsafe {
                tarfs_tree_lookup(tree, path.as_ptr(), path.len(), &raw mut number, error)
            });
        }
        _ => read(machine, tree, inode, info.devices as usize),
    }
}

fn read(machine: &mut Machine<'_>, tree: *mut Tree, inode: u32, devices: usize) {
    let count = if machine.tape.chance(8) { machine.tape.below(4) } else { devices };
    let sources: Vec<_> = (0..count).map(|_| machine.full().source(0)).collect();
    let mut buf = vec![0xa5; machine.tape.below(256) * 9];
    let (offset, mut done) = (machine.tape.number(), 0);
    let (at, len) = (buf.as_mut_ptr(), buf.len());
    // SAFETY: the tree is not freed, streams and buffer live.
    let is_read = machine.call(|error| unsafe {
        tarfs_tree_read(tree, inode, sources.as_ptr(), count, offset, at, len, &raw mut done, error)
    });
    assert!(!is_read || done <= len, "more than there is room for");
}

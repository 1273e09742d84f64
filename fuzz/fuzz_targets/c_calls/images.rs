//! Calls of layouts and images.

use core::ptr;

use tarfs::images::disk::{
    tarfs_layout_hash_disk, tarfs_layout_write_disk, tarfs_layout_write_metadata,
};
use tarfs::images::image::{
    TarfsImageInfo, TarfsImageOptions, tarfs_image_get_device, tarfs_image_get_info,
    tarfs_image_get_tree, tarfs_image_open,
};
use tarfs::images::layout::{
    Layout, TarfsLayoutInfo, tarfs_layout_get_device, tarfs_layout_get_info, tarfs_layout_new,
};
use tarfs::images::layout_options::{TarfsLayoutOptions, tarfs_uuid_of_blob};
use tarfs::images::segment::{TarfsSegment, tarfs_layout_get_segment};
use tarfs::trees::device::TarfsDevice;
use tarfs::verity::leaves::Leaves;

use crate::machine::Machine;
use crate::sized::sized;
use crate::streams::Stream;
use crate::verity;

pub(crate) fn call(machine: &mut Machine<'_>) {
    match machine.tape.below(10) {
        0 | 1 => plan(machine),
        2 => ask_layout(machine),
        3 | 4 => write(machine),
        5 => hash(machine),
        6 | 7 => open(machine),
        8 => ask_image(machine),
        _ => {
            let digest = machine.tape.one(&[c"", c"sha256:", c"sha256:0a", c"x:y"]);
            let mut uuid = [0; 16];
            // SAFETY: a text and 16 bytes.
            machine.call(|error| unsafe {
                tarfs_uuid_of_blob(digest.as_ptr(), uuid.as_mut_ptr(), error)
            });
        }
    }
}

fn plan(machine: &mut Machine<'_>) {
    let Some(tree) = machine.trees.one(&mut machine.tape) else { return };
    let mut options = sized::<TarfsLayoutOptions>();
    let tape = &mut machine.tape;
    options.artifact = tape.below(4) as u32;
    options.block_size = if tape.chance(2) { 512 << tape.below(9) } else { 0 };
    options.align = if tape.chance(4) { tape.number() } else { 0 };
    options.flags = if tape.chance(2) { tape.byte().into() } else { 0 };
    options.uuid[3] = tape.byte();
    let name = tape.below(18);
    let name = tape.bytes(name);
    (options.volume_name, options.volume_name_len) = (name.as_ptr(), name.len());
    let options = if tape.chance(4) { ptr::null() } else { &raw const options };
    let mut layout = ptr::null_mut();
    // SAFETY: the tree is not freed, the options outlive the call.
    if machine.call(|error| unsafe { tarfs_layout_new(tree, options, &raw mut layout, error) }) {
        machine.layouts.put(layout);
    }
}

/// What a layout says of itself.
pub(crate) fn info(machine: &mut Machine<'_>, layout: *mut Layout) -> TarfsLayoutInfo {
    let mut info = sized::<TarfsLayoutInfo>();
    // SAFETY: the layout is not freed.
    assert!(machine.call(|error| unsafe { tarfs_layout_get_info(layout, &raw mut info, error) }));
    info
}

fn ask_layout(machine: &mut Machine<'_>) {
    let Some(layout) = machine.layouts.one(&mut machine.tape) else { return };
    let info = info(machine, layout);
    let index = machine.tape.below(12);
    let (mut device, mut segment) = (sized::<TarfsDevice>(), sized::<TarfsSegment>());
    // SAFETY: the layout is not freed.
    let call = |error| unsafe { tarfs_layout_get_device(layout, index, &raw mut device, error) };
    assert_eq!(machine.call(call), index < info.devices as usize);
    machine.lend(layout, device.tag, device.tag_len);
    // SAFETY: the same.
    let call = |error| unsafe { tarfs_layout_get_segment(layout, index, &raw mut segment, error) };
    assert_eq!(machine.call(call), (index as u64) < info.segments);
    assert!(segment.offset + segment.bytes <= info.disk_bytes);
}

fn write(machine: &mut Machine<'_>) {
    let Some(layout) = machine.layouts.one(&mut machine.tape) else { return };
    let info = info(machine, layout);
    let whole = machine.tape.chance(2);
    let bytes = if whole { info.disk_bytes } else { info.metadata_bytes };
    if bytes > 2 << 20 {
        return;
    }
    let count = if machine.tape.chance(8) { machine.tape.below(4) } else { info.devices as usize };
    let sources: Vec<_> = (0..count).map(|_| machine.full().source(0)).collect();
    let (progress, ctx) = machine.progress();
    let stream = machine.empty();
    let (sink, stream) = (stream.sink(0), ptr::from_ref::<Stream>(stream));
    // SAFETY: the layout is not freed, streams live.
    let done = machine.call(|error| unsafe {
        match whole {
            true => tarfs_layout_write_disk(
                layout,
                sources.as_ptr(),
                count,
                &raw const sink,
                progress,
                ctx,
                error,
            ),
            false => tarfs_layout_write_metadata(layout, &raw const sink, error),
        }
    });
    if done {
        machine.keep(stream);
    }
}

fn hash(machine: &mut Machine<'_>) {
    let Some(layout) = machine.layouts.one(&mut machine.tape) else { return };
    let info = info(machine, layout);
    if info.disk_bytes > 1 << 20 {
        return;
    }
    let count = info.devices as usize;
    let sources: Vec<_> = (0..count).map(|_| machine.full().source(0)).collect();
    let leaves: Vec<*const Leaves> = (0..count)
        .map(|_| {
            machine.leaves.one(&mut machine.tape).map_or(ptr::null(), <*mut Leaves>::cast_const)
        })
        .collect();
    let leaves = if machine.tape.chance(2) { leaves.as_ptr() } else { ptr::null() };
    let params = verity::params(machine);
    let params = if machine.tape.chance(4) { ptr::null() } else { &raw const params.raw };
    let sink = machine.tape.chance(2).then(|| machine.empty().sink(0));
    let sink = sink.as_ref().map_or(ptr::null(), ptr::from_ref);
    let (progress, ctx) = machine.progress();
    let mut sealed = ptr::null_mut();
    // SAFETY: the layout and the leaves are not freed, streams live.
    if machine.call(|error| unsafe {
        tarfs_layout_hash_disk(
            layout,
            sources.as_ptr(),
            count,
            leaves,
            params,
            sink,
            progress,
            ctx,
            &raw mut sealed,
            error,
        )
    }) {
        machine.sealed.put(sealed);
    }
}

/// Opens what was written last, or anything.
fn open(machine: &mut Machine<'_>) {
    let number = machine.contents.len() - 1;
    let number = if machine.tape.chance(4) { machine.tape.below(number + 1) } else { number };
    let mut bytes = machine.contents[number].clone();
    if machine.tape.chance(2) && bytes.len() > 1200 {
        for _ in 0..machine.tape.below(4) {
            let at = 1024 + machine.tape.word() as usize % (bytes.len() - 1024);
            bytes[at] = machine.tape.byte();
        }
    }
    let len =
        if machine.tape.chance(8) { machine.tape.number() % (1 << 20) } else { bytes.len() as u64 };
    machine.contents.push(bytes);
    let number = machine.contents.len() - 1;
    let source = machine.of(number).source(0);
    machine.contents.pop();
    let mut image = ptr::null_mut();
    // SAFETY: streams live.
    if machine
        .call(|error| unsafe { tarfs_image_open(&raw const source, len, &raw mut image, error) })
    {
        machine.images.put(image);
    }
}

fn ask_image(machine: &mut Machine<'_>) {
    let Some(image) = machine.images.one(&mut machine.tape) else { return };
    let (mut info, mut device) = (sized::<TarfsImageInfo>(), sized::<TarfsDevice>());
    // SAFETY: here and below: the image is not freed.
    assert!(machine.call(|error| unsafe { tarfs_image_get_info(image, &raw mut info, error) }));
    let index = machine.tape.below(4);
    let call = |error| unsafe { tarfs_image_get_device(image, index, &raw mut device, error) };
    assert_eq!(machine.call(call), index < info.devices as usize);
    machine.lend(image, device.tag, device.tag_len);
    let mut options = sized::<TarfsImageOptions>();
    options.flags = machine.tape.below(5) as u32;
    let tag = machine.tape.below(66);
    let tag = machine.tape.bytes(tag);
    (options.tag, options.tag_len) = (tag.as_ptr(), tag.len());
    let options = if machine.tape.chance(2) { ptr::null() } else { &raw const options };
    let mut tree = ptr::null_mut();
    if machine.call(|error| unsafe { tarfs_image_get_tree(image, options, &raw mut tree, error) }) {
        machine.trees.put(tree);
    }
}

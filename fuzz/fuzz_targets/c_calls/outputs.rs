//! Calls of disks over files as they lie, and of partition tables.

use core::ptr;

use tarfs::outputs::gpt::{
    TarfsGptInfo, TarfsPartition, TarfsPlaced, tarfs_gpt_get_info, tarfs_gpt_get_partition,
    tarfs_gpt_get_ranges, tarfs_gpt_get_table, tarfs_gpt_new,
};
use tarfs::outputs::ranges::{
    Ranges, TarfsRange, TarfsRangesInfo, tarfs_ranges_get, tarfs_ranges_get_info,
    tarfs_ranges_get_text, tarfs_ranges_new, tarfs_ranges_of_disk,
};

use crate::images;
use crate::machine::Machine;
use crate::sized::sized;

/// Names of files.
const NAMES: [&core::ffi::CStr; 6] = [c"a", c"/dev/loop0", c"7:1", c"a b\"c", c"", c"\xff\n"];

pub(crate) fn call(machine: &mut Machine<'_>) {
    match machine.tape.below(8) {
        0 => new_ranges(machine),
        1 | 2 => of_disk(machine),
        3 | 4 => ask_ranges(machine),
        5 => new_gpt(machine),
        6 => ask_gpt(machine),
        _ => gpt_ranges(machine),
    }
}

fn new_ranges(machine: &mut Machine<'_>) {
    let tape = &mut machine.tape;
    let list: Vec<TarfsRange> = (0..tape.below(5))
        .map(|_| {
            let (mut range, name) = (sized::<TarfsRange>(), tape.one(&NAMES).to_bytes());
            (range.file, range.file_len) = (name.as_ptr(), name.len());
            if tape.chance(3) {
                range.file = ptr::null();
            }
            (range.bytes, range.file_offset) = (tape.number(), tape.number());
            range
        })
        .collect();
    let mut ranges = ptr::null_mut();
    // SAFETY: the list outlives the call.
    if machine.call(|error| unsafe {
        tarfs_ranges_new(list.as_ptr(), list.len(), &raw mut ranges, error)
    }) {
        machine.ranges.put(ranges);
    }
}

fn of_disk(machine: &mut Machine<'_>) {
    let Some(layout) = machine.layouts.one(&mut machine.tape) else { return };
    let devices = images::info(machine, layout).devices as usize;
    let count = if machine.tape.chance(8) { machine.tape.below(4) } else { devices };
    let names: Vec<_> = (0..count).map(|_| machine.tape.one(&NAMES).as_ptr()).collect();
    let sealed = machine.sealed.one(&mut machine.tape).unwrap_or(ptr::null_mut());
    let sealed = if machine.tape.chance(2) { sealed } else { ptr::null_mut() };
    let hashes = if sealed.is_null() { ptr::null() } else { machine.tape.one(&NAMES).as_ptr() };
    let (metadata, offset) = (machine.tape.one(&NAMES), machine.tape.number());
    let mut ranges = ptr::null_mut();
    // SAFETY: layout and seal are not freed.
    if machine.call(|error| unsafe {
        tarfs_ranges_of_disk(
            layout,
            metadata.as_ptr(),
            names.as_ptr(),
            count,
            sealed,
            hashes,
            offset,
            &raw mut ranges,
            error,
        )
    }) {
        machine.ranges.put(ranges);
    }
}

fn ask_ranges(machine: &mut Machine<'_>) {
    let Some(ranges) = machine.ranges.one(&mut machine.tape) else { return };
    let (mut info, mut range) = (sized::<TarfsRangesInfo>(), sized::<TarfsRange>());
    // SAFETY: here and below: the ranges are not freed.
    assert!(machine.call(|error| unsafe { tarfs_ranges_get_info(ranges, &raw mut info, error) }));
    let index = machine.tape.below(6);
    let call = |error| unsafe { tarfs_ranges_get(ranges, index, &raw mut range, error) };
    assert_eq!(machine.call(call), (index as u64) < info.count);
    if !range.file.is_null() {
        machine.lend(ranges, range.file, range.file_len);
    }
    let (kind, zeros) = (machine.tape.below(3) as u32, machine.tape.one(&NAMES));
    let zeros = if machine.tape.chance(2) { ptr::null() } else { zeros.as_ptr() };
    let (offset, bytes) = (machine.tape.number(), machine.tape.number());
    let mut text = ptr::null_mut();
    if machine.call(|error| unsafe {
        tarfs_ranges_get_text(ranges, kind, zeros, offset, bytes, &raw mut text, error)
    }) {
        machine.text(text);
    }
}

fn new_gpt(machine: &mut Machine<'_>) {
    let tape = &mut machine.tape;
    let identities: Vec<Vec<u8>> = (0..tape.below(5))
        .map(|_| {
            let len = tape.one(&[32, 0, 1, 33]);
            tape.bytes(len)
        })
        .collect();
    let partitions: Vec<TarfsPartition> = identities
        .iter()
        .map(|identity| {
            let (mut partition, name) = (sized::<TarfsPartition>(), tape.one(&NAMES).to_bytes());
            (partition.name, partition.name_len) = (name.as_ptr(), name.len());
            (partition.identity, partition.identity_len) = (identity.as_ptr(), identity.len());
            partition.bytes = tape.number();
            partition.role = tape.below(6) as u32;
            let architecture = tape.one(&[c"x86-64", c"amd64", c"", c"\xff"]).as_ptr();
            partition.architecture = if partition.role == 0 { ptr::null() } else { architecture };
            partition
        })
        .collect();
    let align = if tape.chance(2) { 0 } else { tape.number() };
    let mut gpt = ptr::null_mut();
    let (at, len) = (partitions.as_ptr(), partitions.len());
    // SAFETY: the partitions outlive the call.
    if machine.call(|error| unsafe { tarfs_gpt_new(at, len, align, &raw mut gpt, error) }) {
        machine.gpts.put(gpt);
    }
}

fn ask_gpt(machine: &mut Machine<'_>) {
    let Some(gpt) = machine.gpts.one(&mut machine.tape) else { return };
    let (mut info, mut placed) = (sized::<TarfsGptInfo>(), sized::<TarfsPlaced>());
    // SAFETY: here and below: the table is not freed.
    assert!(machine.call(|error| unsafe { tarfs_gpt_get_info(gpt, &raw mut info, error) }));
    let index = machine.tape.below(6);
    let call = |error| unsafe { tarfs_gpt_get_partition(gpt, index, &raw mut placed, error) };
    assert_eq!(machine.call(call), (index as u64) < info.partitions);
    let right = (info.head_bytes + info.tail_bytes) as usize;
    let len = if machine.tape.chance(4) { machine.tape.below(256) } else { right };
    let mut table = vec![0; len];
    let at = table.as_mut_ptr();
    assert_eq!(
        machine.call(|error| unsafe { tarfs_gpt_get_table(gpt, at, len, error) }),
        len == right
    );
}

fn gpt_ranges(machine: &mut Machine<'_>) {
    let Some(gpt) = machine.gpts.one(&mut machine.tape) else { return };
    let mut info = sized::<TarfsGptInfo>();
    // SAFETY: here and below: table and ranges are not freed.
    assert!(machine.call(|error| unsafe { tarfs_gpt_get_info(gpt, &raw mut info, error) }));
    let count = if machine.tape.chance(8) { 0 } else { info.partitions as usize };
    let disks: Option<Vec<*const Ranges>> = (0..count)
        .map(|_| machine.ranges.one(&mut machine.tape).map(<*mut Ranges>::cast_const))
        .collect();
    let Some(disks) = disks else { return };
    let (table, offset) = (machine.tape.one(&NAMES), machine.tape.number());
    let mut ranges = ptr::null_mut();
    if machine.call(|error| unsafe {
        let table = table.as_ptr();
        tarfs_gpt_get_ranges(gpt, disks.as_ptr(), count, table, offset, &raw mut ranges, error)
    }) {
        machine.ranges.put(ranges);
    }
}

//! Calls of dm-verity.

use core::ptr;

use tarfs::verity::hasher::{
    tarfs_hasher_finish, tarfs_hasher_new, tarfs_hasher_push, tarfs_hasher_push_leaves,
    tarfs_hasher_push_zeros,
};
use tarfs::verity::leaves::{tarfs_leaves_digests, tarfs_leaves_new, tarfs_leaves_read};
use tarfs::verity::params::{VerityParams, tarfs_verity_padding, tarfs_verity_preset};
use tarfs::verity::seal::{tarfs_verity_seal, tarfs_verity_verify};
use tarfs::verity::sealed::{
    TarfsSealedInfo, tarfs_sealed_from_superblock, tarfs_sealed_get_info, tarfs_sealed_get_text,
    tarfs_sealed_new,
};

use crate::machine::Machine;
use crate::sized::sized;
use crate::streams::Stream;

/// Parameters, and the salt that they point to.
pub(crate) struct Params {
    pub(crate) raw: VerityParams,
    _salt: Vec<u8>,
}

/// Parameters, most of them such as there can be.
pub(crate) fn params(machine: &mut Machine<'_>) -> Params {
    let mut raw = sized::<VerityParams>();
    let tape = &mut machine.tape;
    let block = |choice: u8| [0, 512, 1024, 4096, 8192, 3, 1 << 19, 0][usize::from(choice & 7)];
    (raw.data_block, raw.hash_block) = (block(tape.byte()), block(tape.byte()));
    let salt = if tape.chance(4) { tape.byte().into() } else { 0 };
    let salt = vec![tape.byte(); salt];
    (raw.salt, raw.salt_len) = (salt.as_ptr(), salt.len());
    raw.superblock = tape.below(4) as u32;
    raw.placement = tape.below(4) as u32;
    raw.hash_offset = if raw.placement == 2 { tape.number() } else { 0 };
    raw.uuid[0] = tape.byte();
    raw.flags = tape.below(3) as u32;
    Params { raw, _salt: salt }
}

pub(crate) fn call(machine: &mut Machine<'_>) {
    match machine.tape.below(12) {
        0 => new_hasher(machine),
        1..4 => hash(machine),
        4 => new_leaves(machine),
        5 | 6 => seal(machine),
        7 => verify(machine),
        8 => known(machine),
        9 | 10 => ask(machine),
        _ => preset(machine),
    }
}

fn new_hasher(machine: &mut Machine<'_>) {
    let params = params(machine);
    let params = if machine.tape.chance(2) { ptr::null() } else { &raw const params.raw };
    let bytes = machine.tape.number();
    let sink = machine.tape.chance(2).then(|| machine.empty().sink(0));
    let sink = sink.as_ref().map_or(ptr::null(), ptr::from_ref);
    let mut hasher = ptr::null_mut();
    // SAFETY: parameters outlive the call, streams live.
    if machine
        .call(|error| unsafe { tarfs_hasher_new(params, bytes, sink, &raw mut hasher, error) })
    {
        machine.hashers.put(hasher);
    }
}

fn hash(machine: &mut Machine<'_>) {
    let Some(hasher) = machine.hashers.one(&mut machine.tape) else { return new_hasher(machine) };
    // SAFETY: here and below: the hasher and the leaves are not freed.
    match machine.tape.below(4) {
        0 => {
            let data = vec![machine.tape.byte(); 64 * machine.tape.below(256)];
            machine.call(|error| unsafe {
                tarfs_hasher_push(hasher, data.as_ptr(), data.len(), error)
            });
        }
        1 => {
            // Zeros are not free: their blocks are hash blocks too.
            let bytes = machine.tape.number() % (1 << 22);
            machine.call(|error| unsafe { tarfs_hasher_push_zeros(hasher, bytes, error) });
        }
        2 => {
            let Some(leaves) = machine.leaves.one(&mut machine.tape) else { return };
            machine.call(|error| unsafe { tarfs_hasher_push_leaves(hasher, leaves, error) });
        }
        _ => {
            let mut sealed = ptr::null_mut();
            if machine.call(|error| unsafe { tarfs_hasher_finish(hasher, &raw mut sealed, error) })
            {
                machine.sealed.put(sealed);
            }
        }
    }
}

fn new_leaves(machine: &mut Machine<'_>) {
    if machine.tape.chance(2)
        && let Some(sealed) = machine.sealed.one(&mut machine.tape)
    {
        let source = machine.full().source(0);
        let (offset, bytes) = (machine.tape.number(), machine.tape.number());
        let mut leaves = ptr::null_mut();
        // SAFETY: the seal is not freed, streams live.
        if machine.call(|error| unsafe {
            tarfs_leaves_read(&raw const source, sealed, offset, bytes, 1, &raw mut leaves, error)
        }) {
            machine.leaves.put(leaves);
        }
        return;
    }
    let params = params(machine);
    let digests = vec![machine.tape.byte(); 8 * machine.tape.below(64)];
    let mut leaves = ptr::null_mut();
    // SAFETY: parameters and digests outlive the call.
    if machine.call(|error| unsafe {
        tarfs_leaves_new(
            &raw const params.raw,
            digests.as_ptr(),
            digests.len(),
            &raw mut leaves,
            error,
        )
    }) {
        machine.leaves.put(leaves);
    }
}

fn seal(machine: &mut Machine<'_>) {
    let params = params(machine);
    let params = if machine.tape.chance(2) { ptr::null() } else { &raw const params.raw };
    let source = machine.full().source(0);
    let (progress, ctx) = machine.progress();
    let bytes = machine.tape.number() % (1 << 20);
    let stream = machine.empty();
    let (sink, stream) = (stream.sink(0), ptr::from_ref::<Stream>(stream));
    let sink = if machine.tape.chance(3) { ptr::null() } else { &raw const sink };
    let mut sealed = ptr::null_mut();
    // SAFETY: parameters outlive the call, streams live.
    if machine.call(|error| unsafe {
        tarfs_verity_seal(
            &raw const source,
            bytes,
            params,
            sink,
            1,
            progress,
            ctx,
            &raw mut sealed,
            error,
        )
    }) {
        machine.sealed.put(sealed);
        machine.keep(stream);
    }
}

fn verify(machine: &mut Machine<'_>) {
    let Some(sealed) = machine.sealed.one(&mut machine.tape) else { return };
    let mut info = sized::<TarfsSealedInfo>();
    // SAFETY: here and below: the seal is not freed, streams live.
    assert!(machine.call(|error| unsafe { tarfs_sealed_get_info(sealed, &raw mut info, error) }));
    if info.data_bytes > 1 << 20 {
        return;
    }
    let (source, hashes) = (machine.full().source(0), machine.full().source(0));
    let (progress, ctx) = machine.progress();
    machine.call(|error| unsafe {
        tarfs_verity_verify(&raw const source, &raw const hashes, sealed, 1, progress, ctx, error)
    });
}

/// What is known of data that was sealed elsewhere.
fn known(machine: &mut Machine<'_>) {
    let root = machine.tape.byte();
    let root = [root; 32];
    let mut sealed = ptr::null_mut();
    let done = if machine.tape.chance(2) {
        let number = machine.tape.below(256) % machine.contents.len();
        let bytes = machine.contents[number].clone();
        let (placement, offset) = (machine.tape.below(4) as u32, machine.tape.number());
        let (at, len) = (bytes.as_ptr(), bytes.len());
        // SAFETY: bytes and root outlive the call.
        machine.call(|error| unsafe {
            let root = root.as_ptr();
            tarfs_sealed_from_superblock(at, len, placement, offset, root, &raw mut sealed, error)
        })
    } else {
        let params = params(machine);
        let bytes = machine.tape.number();
        // SAFETY: parameters and root outlive the call.
        machine.call(|error| unsafe {
            tarfs_sealed_new(&raw const params.raw, bytes, root.as_ptr(), &raw mut sealed, error)
        })
    };
    if done {
        machine.sealed.put(sealed);
    }
}

fn ask(machine: &mut Machine<'_>) {
    // SAFETY: here and below: what is asked is not freed.
    if machine.tape.chance(3)
        && let Some(leaves) = machine.leaves.one(&mut machine.tape)
    {
        let (mut at, mut len) = (ptr::null(), 0);
        assert!(machine.call(|error| unsafe {
            tarfs_leaves_digests(leaves, &raw mut at, &raw mut len, error)
        }));
        return machine.lend(leaves, at, len);
    }
    let Some(sealed) = machine.sealed.one(&mut machine.tape) else { return };
    let kind = machine.tape.below(11) as u32;
    let name = machine.tape.one(&[c"/dev/a", c"", c"a b'c\n", c"\xc3\xa4", c"\xff"]);
    let mut text = ptr::null_mut();
    if machine.call(|error| unsafe {
        let name = name.as_ptr();
        tarfs_sealed_get_text(sealed, kind, name, name, name, &raw mut text, error)
    }) {
        machine.text(text);
    }
}

fn preset(machine: &mut Machine<'_>) {
    let name = machine.tape.one(&[
        c"nydus",
        c"containerd",
        c"containerd-4k",
        c"veritysetup",
        c"",
        c"\xff",
    ]);
    let mut params = sized::<VerityParams>();
    // SAFETY: here and below: a text, and parameters that outlive the call.
    let is_one =
        machine.call(|error| unsafe { tarfs_verity_preset(name.as_ptr(), &raw mut params, error) });
    let (bytes, mut padding) = (machine.tape.number(), 0);
    if machine.call(|error| unsafe {
        tarfs_verity_padding(&raw const params, bytes, &raw mut padding, error)
    }) {
        assert!(padding < 1 << 19 && (!is_one || (bytes.wrapping_add(padding)) % 512 == 0));
    }
}

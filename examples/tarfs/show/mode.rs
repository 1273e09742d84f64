//! Modes as `ls -l` shows them.

use erofs_tarfs::tree::NodeKind;

/// Type and permissions as `ls -l` has them; `W` for a whiteout, `L` for a pending hard link.
pub(crate) fn mode(kind: NodeKind, mode: u16) -> String {
    let mut text = String::from(match kind {
        NodeKind::Regular => '-',
        NodeKind::Directory => 'd',
        NodeKind::Symlink => 'l',
        NodeKind::CharDevice => 'c',
        NodeKind::BlockDevice => 'b',
        NodeKind::Fifo => 'p',
        NodeKind::Socket => 's',
        NodeKind::Whiteout => 'W',
        NodeKind::PendingLink => 'L',
    });
    for (shift, special, set, unset) in
        [(6, 0o4000, 's', 'S'), (3, 0o2000, 's', 'S'), (0, 0o1000, 't', 'T')]
    {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => set,
            (true, false) => unset,
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

//! What partitions are for.

use super::{Architecture, Volume};
use crate::verity::Uuid;

/// 0FC63DAF-8483-4772-8E79-3D69D8477DE4, "Linux filesystem data".
const LINUX_DATA: Uuid = Uuid(0x0FC6_3DAF_8483_4772_8E79_3D69_D847_7DE4_u128.to_be_bytes());

/// Attribute bit 60: whoever mounts it does so read-only.
const READ_ONLY: u64 = 1 << 60;

/// What a partition is for, which its type and attributes tell.
///
/// ```
/// use erofs_tarfs::outputs::{Architecture, Role, Volume};
///
/// let arm = Architecture::named("arm64").expect("the specification has it");
/// let root = Role::Volume(Volume::Root, arm);
/// let partition_type = "b921b045-1df0-41c3-af44-4c6f280d3fae";
/// assert_eq!(root.partition_type().to_string(), partition_type);
/// assert_eq!(Role::of_type(partition_type.parse()?), Some(root));
/// # Ok::<(), erofs_tarfs::verity::Error>(())
/// ```
///
/// # References
/// [Discoverable Partitions Specification][dps]
///
/// [dps]: https://uapi-group.org/specifications/specs/discoverable_partitions_specification/
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// "Linux filesystem data": nobody takes it for anything by itself.
    #[default]
    Data,
    /// A volume that systemd finds by its type: read-only, as EROFS is.
    Volume(Volume, Architecture),
    /// The hash tree of such a volume, from its superblock on. The partition's identity is the root
    /// hash, and the volume's is too.
    Tree(Volume, Architecture),
}

impl Role {
    /// The type of its partition.
    pub fn partition_type(self) -> Uuid {
        match self {
            Self::Data => LINUX_DATA,
            Self::Volume(volume, architecture) => architecture.partition_type(volume, false),
            Self::Tree(volume, architecture) => architecture.partition_type(volume, true),
        }
    }

    /// The role that has this type.
    pub fn of_type(partition_type: Uuid) -> Option<Self> {
        let of = |architecture| {
            [Volume::Root, Volume::Usr].into_iter().flat_map(move |volume| {
                [Self::Volume(volume, architecture), Self::Tree(volume, architecture)]
            })
        };
        let all = core::iter::once(Self::Data).chain(Architecture::all().flat_map(of));
        all.into_iter().find(|role| role.partition_type() == partition_type)
    }

    /// The attributes of its partition: read-only, and nothing else, if systemd finds it.
    pub(super) fn attributes(self) -> u64 {
        match self {
            Self::Data => 0,
            Self::Volume(..) | Self::Tree(..) => READ_ONLY,
        }
    }
}

//! The ways in which containerd leaves the rules.

use crate::layer::is_below;

/// Why containerd's result is not the rules'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A marker removes what its own layer has put there before it.
    OwnRemoved,
    /// A directory that a marker made stays, though another marker before it hides it.
    MarkerDir,
    /// A lower link was followed that the layer hides or replaces later.
    LinkGone,
    /// A relative link below a lower link is resolved where it is, and not where its layer has it.
    LinkMoved,
    /// A hard link found its target by a lower link in its own layer.
    LinkTime,
    /// A hard link's own mode, owner and time are set; `chown` drops `security.capability`.
    HardLink,
    /// A directory that is listed again keeps its old attributes beside the new ones.
    DirKeeps,
    /// A directory that is listed by two ways has the later attributes.
    TwoWays,
    /// Owner -1 leaves the owner that is there.
    Unowned,
    /// What is made in a directory with the set-group bit has its group, unless an entry says one.
    SetGid,
    /// A directory whose content changes gets the time of that, also one that is not listed.
    Clock,
    /// A directory's time is set last, on whatever has its name by then.
    DirTime,
    /// Times before 1970 and after 2262 become 1970.
    TimeBound,
    /// `trusted.` attributes are not set.
    Trusted,
    /// The root is not touched.
    Root,
}

impl Why {
    /// Whether names or contents differ for it, also below the path where it happened.
    #[must_use]
    pub fn is_placed(self) -> bool {
        use Why::{LinkGone, LinkMoved, LinkTime, MarkerDir, OwnRemoved};
        matches!(self, OwnRemoved | MarkerDir | LinkGone | LinkMoved | LinkTime)
    }
}

/// Why containerd ends with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failed {
    /// Something lies below a file, a marker or of a lower layer though it be.
    BelowFile,
    /// More than 255 links.
    Loop,
    /// A hard link's target is not there at that moment.
    NoTarget {
        /// Because the layer's own events before it have changed the place.
        own: bool,
    },
    /// A hard link to a directory.
    Directory {
        /// The same.
        own: bool,
    },
    /// A directory that the layer listed is gone when its time is to be set.
    DirGone,
}

/// Whether a reason holds for all that lies below its path too.
pub(super) fn reaches(why: Why, noted: &[u8], path: &[u8]) -> bool {
    noted == path || why.is_placed() && is_below(path, noted)
}

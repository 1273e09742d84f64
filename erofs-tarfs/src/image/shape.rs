//! How an item lies in the image.

use crate::layout::{Layout, Shape};

/// The shape of an item, which the plan has seen to be right.
#[expect(
    clippy::expect_used,
    reason = "a layout is made by `plan` alone, which fails where this does"
)]
pub(super) fn shape(layout: &Layout<'_>, item: u32) -> Shape {
    layout.scene.shape(item).expect("the plan measured this item")
}

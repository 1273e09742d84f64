//! `seeds TARGET DIR`: writes the inputs that a fuzz target begins with into a directory, numbered.
//! All are made by code, so the repository has none.

mod images;
mod tars;
mod tool;

use std::path::Path;
use std::{env, fs};

use testkit::rng::Rng;

fn main() {
    let [target, dir] = [1, 2].map(|at| env::args().nth(at).expect("seeds TARGET DIR"));
    for (number, seed) in seeds(&target).iter().enumerate() {
        fs::write(Path::new(&dir).join(number.to_string()), seed).expect("a directory to write to");
    }
}

/// The inputs of a target; one without a row here begins with none.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "image" => images::each_with_its_options(),
        "layers" => tars::pairs(),
        "tar" => tars::each_cut_somehow(),
        "archive_tar" => tars::choices_and_tars(),
        "c_calls" => (0..64).map(|seed| Rng::new(seed).bytes(300)).collect(),
        "erofs_rs" | "stacks" => (0..64).map(|seed| Rng::new(seed).bytes(400)).collect(),
        "tar_crate" => tars::small(),
        "tool" => tool::inputs(),
        "verity" => {
            (0..16).map(|sizes| [&[sizes * 17, 3, 200][..], &[sizes; 3000]].concat()).collect()
        }
        _ => Vec::new(),
    }
}

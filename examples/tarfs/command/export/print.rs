//! What `tarfs export` says of its outputs.

use std::collections::BTreeSet;
use std::path::Path;

use erofs_tarfs::export::Product;
use erofs_tarfs::io::Exported;

use super::Export;
use super::marks::{self, Digests};
use crate::cli::fail::Done;
use crate::files::target::Target;
use crate::hash_tree::sidecar;
use crate::layers::noted::Noted;
use crate::show::hash_tree_report::HashTreeReport;
use crate::show::partitioned::Partitioned;
use crate::show::report::{HowMade, Report};

/// Reports on all outputs, in the order of the layers. `noted` is of the layers too, or of all merged.
pub(super) fn all(
    args: &Export,
    product: Product,
    target: &Target,
    (made, digests): (Vec<Exported>, &Digests),
    noted: Vec<Noted>,
) -> Done {
    let (mut noted, mut seen) = (noted.into_iter(), BTreeSet::new());
    for mut made in made {
        made.path = target.name(&made.path).to_owned();
        // A layer that is there twice has one output, and a form over files is told of once.
        if !seen.insert(made.path.clone()) && args.forms.form().is_over_files() {
            noted.next();
            continue;
        }
        print(args, product, (&made, digests), &mut noted)?;
    }
    Ok(())
}

/// Reports on an output.
fn print(
    args: &Export,
    product: Product,
    (made, digests): (&Exported, &Digests),
    noted: &mut impl Iterator<Item = Noted>,
) -> Done {
    let plain = args.forms.are_plain();
    let form = HowMade {
        form: if plain { "" } else { args.forms.form().name() },
        files: made.files.clone(),
        copied: made.copied.map(Into::into),
    };
    let mut report = |disk| {
        let noted = noted.next().unwrap_or_default();
        Report { noted, ..Report::of(&made.path, disk) }
    };
    let Some(gpt) = &made.gpt else {
        let Some(disk) = made.disks.first() else { return Ok(()) };
        let mut report = report(disk);
        let placeholder = Path::new("DISK");
        let data = if plain && product != Product::HashTree { &made.path } else { placeholder };
        let hash = if plain { &made.path } else { placeholder };
        report.verity = disk.sealed.as_ref().map(|sealed| HashTreeReport {
            sidecar: sidecar::name(&args.sealing, &made.path),
            ..HashTreeReport::new(sealed, data, hash)
        });
        report.made = form;
        report.marked = marks::of(args, &made.path, made, digests)?;
        return report.print(args.json);
    };
    let mut partitioned = Partitioned::new(&made.path, gpt);
    let device = |index: usize| {
        let guid = gpt.partitions().get(index).map(|placed| placed.guid.to_string());
        Path::new("/dev/disk/by-partuuid").join(guid.unwrap_or_default())
    };
    for (index, placed) in gpt.partitions().iter().enumerate() {
        let report = made.disks.get(index).map(|disk| {
            // The hash tree of a volume is in the next partition.
            let tree = if args.forms.volume().is_some() { index + 1 } else { index };
            let verity = disk.sealed.as_ref();
            let verity =
                verity.map(|sealed| HashTreeReport::new(sealed, &device(index), &device(tree)));
            Report { verity, ..report(disk) }
        });
        partitioned.push(placed, report);
    }
    partitioned.made = form;
    partitioned.print(args.json)
}

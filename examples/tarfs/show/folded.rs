//! Bars with so many parts that nobody could tell them apart: small neighbours become one.

use crate::show::picture::{Bar, Part};

/// Of a bar with more parts than this the smaller ones are folded.
const MOST: usize = 80;
/// How many of them stay as they are; as many and one more may be of those between.
const KEPT: usize = 40;

/// The same bars, none of more than 81 parts. Offsets and sums of bytes are what they were.
pub(crate) fn folded(bars: Vec<Bar>) -> Vec<Bar> {
    bars.into_iter().map(|bar| Bar { parts: parts(bar.parts), ..bar }).collect()
}

fn parts(parts: Vec<Part>) -> Vec<Part> {
    if parts.len() <= MOST {
        return parts;
    }
    let mut largest: Vec<usize> = (0..parts.len()).collect();
    largest.sort_by_key(|index| (std::cmp::Reverse(parts[*index].bytes), *index));
    let mut kept = vec![false; parts.len()];
    largest.iter().take(KEPT).for_each(|index| kept[*index] = true);
    let (mut all, mut run): (Vec<Part>, Vec<Part>) = (Vec::new(), Vec::new());
    for (part, kept) in parts.into_iter().zip(kept) {
        match kept {
            true => {
                all.extend(one(std::mem::take(&mut run)));
                all.push(part);
            }
            false => run.push(part),
        }
    }
    all.extend(one(run));
    all
}

/// Neighbours as one part, of the kind that most of its bytes are of.
fn one(mut run: Vec<Part>) -> Option<Part> {
    if run.len() < 2 {
        return run.pop();
    }
    let largest = run.iter().max_by_key(|part| part.bytes)?;
    let (kind, offset) = (largest.kind, run.first()?.offset);
    let bytes = run.iter().map(|part| part.bytes).sum();
    Some(Part { kind, offset, bytes, what: format!("{} small parts", run.len()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::segments::Kind;

    fn bar(sizes: &[u64]) -> Bar {
        let mut offset = 0;
        let parts = sizes.iter().map(|bytes| {
            offset += bytes;
            let (offset, what) = (offset - bytes, bytes.to_string());
            Part { kind: Kind::Tar, offset, bytes: *bytes, what }
        });
        let parts = parts.collect();
        Bar { title: String::new(), subtitle: String::new(), parts, apart: false }
    }

    #[test]
    fn few_parts_stay() {
        let bars = folded(vec![bar(&[1; 80])]);
        assert_eq!(bars[0].parts.len(), 80);
    }

    #[test]
    fn many_are_folded_and_none_is_lost() {
        let sizes: Vec<u64> =
            (0..1400).map(|n| if n % 50 == 7 { 1000 + n } else { n % 3 }).collect();
        let folded = folded(vec![bar(&sizes)]);
        let parts = &folded[0].parts;
        assert!(parts.len() <= 81, "{}", parts.len());
        let mut at = 0;
        for part in parts {
            assert_eq!(part.offset, at);
            at += part.bytes;
        }
        assert_eq!(at, sizes.iter().sum::<u64>());
        for large in sizes.iter().filter(|bytes| **bytes >= 1000) {
            assert!(parts.iter().any(|part| part.what == large.to_string()));
        }
    }
}

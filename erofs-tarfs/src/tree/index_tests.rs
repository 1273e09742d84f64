//! The index against a sorted map: every name that was linked is found, and no other.

extern crate std;

use super::*;
use alloc::string::String;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits ^ bits >> 31) % end
    }
}

/// A hash of a name's first bytes: names collide as the test wants it.
#[derive(Clone)]
struct Weak;

impl Hash for Weak {
    fn hash(_: u32, name: &[u8]) -> u32 {
        name.first_chunk().map_or(0, |home| u32::from_le_bytes(*home))
    }
}

/// Names, their index, and the map that it must agree with.
struct Model<H> {
    index: Index<H>,
    names: Vec<(u32, Vec<u8>)>,
    known: BTreeMap<(u32, Vec<u8>), u32>,
}

impl<H: Hash> Model<H> {
    fn new() -> Self {
        Self { index: Index::default(), names: Vec::new(), known: BTreeMap::new() }
    }

    fn find(&self, parent: u32, name: &[u8]) -> Result<u32, Vacancy> {
        self.index.find(parent, name, |link| {
            let (other, known) = &self.names[link as usize];
            (*other, &known[..]) == (parent, name)
        })
    }

    /// Links a name as a tree does, and says whether it was new.
    fn link(&mut self, parent: u32, name: &[u8]) -> bool {
        let expected = self.known.get(&(parent, name.to_vec())).copied();
        match self.find(parent, name) {
            Ok(link) => {
                assert_eq!(Some(link), expected, "{name:x?}");
                false
            }
            Err(vacancy) => {
                assert_eq!(None, expected, "{name:x?} is not found");
                let link = self.names.len() as u32;
                self.names.push((parent, name.to_vec()));
                self.known.insert((parent, name.to_vec()), link);
                let names = &self.names;
                self.index.insert(vacancy, link, |link| {
                    let (parent, name) = &names[link as usize];
                    (*parent, &name[..])
                });
                true
            }
        }
    }

    fn check(&self) {
        for ((parent, name), link) in &self.known {
            assert_eq!(self.find(*parent, name).ok(), Some(*link), "{name:x?}");
        }
        // What makes a search right.
        for (parent, name) in self
            .index
            .overflow
            .iter()
            .flat_map(|(parent, names)| names.keys().map(move |name| (*parent, name)))
        {
            let mut window = self.index.window(H::hash(parent, name));
            assert!(window.all(|at| self.index.slots[at].entry != 0), "{name:x?}");
        }
        let overflow: usize = self.index.overflow.values().map(BTreeMap::len).sum();
        assert_eq!(self.index.used + overflow, self.names.len());
    }
}

/// A name with this home, and a number that tells it from others.
fn at_home(home: u32, number: u32) -> Vec<u8> {
    [home.to_le_bytes(), number.to_le_bytes()].concat()
}

#[test]
fn names_of_a_crowded_window_are_found_at_every_size() {
    // So many names share a home, then others make the table grow past each power of two, and all
    // must be found after each. Homes near the end of the table wrap around.
    for crowd in [63, 64, 65, 66, 130, 1000] {
        for home in [7, 0, 63, 250, 511, u32::MAX - 3] {
            let mut model = Model::<Weak>::new();
            for number in 0..crowd {
                assert!(model.link(1, &at_home(home, number)));
            }
            model.check();
            for number in 0..2000 {
                let size = model.index.slots.len();
                assert!(model.link(2, &at_home(100 + number * 5 % 1999, number)));
                if model.index.slots.len() != size {
                    model.check();
                }
                // The one that was lost: linked last of the crowd, looked up again.
                assert!(!model.link(1, &at_home(home, crowd - 1)));
            }
            model.check();
        }
    }
}

#[test]
fn names_taken_in_at_once_are_found() {
    for (first, more) in [(0, 1), (0, 64), (0, 65), (3, 200), (70, 1), (70, 5000), (500, 500)] {
        let names: Vec<Vec<u8>> = (0..first + more).map(|n| at_home(n % 3, n)).collect();
        let mut index = Index::<Weak>::default();
        let name_of = |link: u32| (9, &names[link as usize][..]);
        index.extend(0..first, name_of);
        index.extend(first..first + more, name_of);
        for (at, name) in names.iter().enumerate() {
            let found = index.find(9, name, |link| names[link as usize] == *name);
            assert_eq!(found.ok(), Some(at as u32));
        }
        assert!(index.find(9, b"none", |_| false).is_err());
        assert!(index.find(8, &names[0], |_| false).is_err());
    }
}

#[test]
fn random_names_of_many_hashes_agree_with_a_map() {
    let mut random = Random(7);
    // Few homes: nearly all in the map. Many: nearly none.
    for homes in [1, 2, 64, 300, 5000, 1 << 20] {
        let mut model = Model::<Weak>::new();
        for _ in 0..6000 {
            let home = random.below(homes) as u32;
            model.link(random.below(3) as u32, &at_home(home, random.below(40) as u32));
        }
        model.check();
    }
}

/// The acceptance of the table: 10^7 names, 20 seeds. `TARFS_NAMES=10000000 TARFS_SEEDS=20`.
#[test]
fn random_names_agree_with_a_map() {
    let setting = |name: &str, small: u64| -> u64 {
        std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(small)
    };
    let (names, seeds) = (setting("TARFS_NAMES", 100_000), setting("TARFS_SEEDS", 2));
    for seed in 0..seeds {
        let mut random = Random(seed);
        let mut text = String::new();
        let mut index = Index::<Mixed>::default();
        let mut buffer: Vec<u8> = Vec::new();
        let mut places: Vec<(u32, u32)> = Vec::new();
        let mut known: BTreeMap<u64, u32> = BTreeMap::new();
        for _ in 0..names {
            // The same name comes twice now and then.
            let number = random.below(names * 2);
            text.clear();
            core::fmt::Write::write_fmt(&mut text, format_args!("{number:x}")).unwrap();
            let name_of = |link: u32| {
                let (start, len) = places[link as usize];
                (0, &buffer[start as usize..][..len as usize])
            };
            let found = index.find(0, text.as_bytes(), |link| name_of(link).1 == text.as_bytes());
            assert_eq!(found.as_ref().ok(), known.get(&number), "seed {seed}: {text}");
            if let Err(vacancy) = found {
                let link = places.len() as u32;
                places.push((buffer.len() as u32, text.len() as u32));
                buffer.extend_from_slice(text.as_bytes());
                known.insert(number, link);
                index.insert(vacancy, link, |link| {
                    let (start, len) = places[link as usize];
                    (0, &buffer[start as usize..][..len as usize])
                });
            }
        }
        for (number, link) in &known {
            text.clear();
            core::fmt::Write::write_fmt(&mut text, format_args!("{number:x}")).unwrap();
            let found = index.find(0, text.as_bytes(), |link| {
                let (start, len) = places[link as usize];
                &buffer[start as usize..][..len as usize] == text.as_bytes()
            });
            assert_eq!(found.ok(), Some(*link), "seed {seed}: {text}");
        }
    }
}

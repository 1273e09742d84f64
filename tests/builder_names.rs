//! Names of a tree that grows, in any order, against sorted maps.

use std::collections::BTreeMap;

use erofs_tarfs::tree::{Attributes, Builder, InodeId, Node, Tree, What, XattrSet};
use testkit::rng::Rng;

/// The builder, and what must be in it: for each directory that was made, its names.
struct Model {
    builder: Builder,
    dirs: BTreeMap<u32, BTreeMap<Vec<u8>, InodeId>>,
    ids: Vec<InodeId>,
}

impl Model {
    fn new() -> Self {
        let dirs = BTreeMap::from([(InodeId::ROOT.index() as u32, BTreeMap::new())]);
        Self { builder: Builder::new(), dirs, ids: vec![InodeId::ROOT] }
    }

    fn add(&mut self, dir: bool) -> InodeId {
        let what = if dir { What::Directory } else { What::Fifo };
        let node = Node { attributes: Attributes::default(), xattrs: XattrSet::NONE, what };
        let id = self.builder.add(node).unwrap();
        if dir {
            self.dirs.insert(id.index() as u32, BTreeMap::new());
            self.ids.push(id);
        }
        id
    }

    fn names(&mut self, dir: InodeId) -> &mut BTreeMap<Vec<u8>, InodeId> {
        self.dirs.get_mut(&(dir.index() as u32)).unwrap()
    }

    fn link(&mut self, dir: InodeId, name: &[u8], id: InodeId) {
        self.builder.link(dir, name, id).unwrap();
        self.names(dir).insert(name.to_vec(), id);
    }

    fn unlink(&mut self, dir: InodeId, name: &[u8]) {
        self.builder.unlink(dir, name);
        self.names(dir).remove(name);
    }

    fn look(&mut self, dir: InodeId, name: &[u8]) {
        let expected = self.names(dir).get(name).copied();
        assert_eq!(self.builder.lookup(dir, name), expected, "{dir:?} {name:?}");
    }

    /// The finished tree has what was put in, of what can be reached.
    fn check(self) {
        let tree = self.builder.finish().unwrap();
        let mut queue = vec![(InodeId::ROOT, InodeId::ROOT)];
        let (mut inodes, mut names) = (1, 0);
        let mut seen = BTreeMap::new();
        while let Some((model, found)) = queue.pop() {
            let children: Vec<_> = tree.children(found).collect();
            let expected = &self.dirs[&(model.index() as u32)];
            assert!(children.iter().map(|(name, _)| name).eq(expected.keys()));
            names += children.len();
            for ((_, found), model) in children.into_iter().zip(expected.values()) {
                // One inode here is one there.
                let first = *seen.entry(model.index()).or_insert_with(|| {
                    inodes += 1;
                    found
                });
                assert_eq!(first, found);
                if self.dirs.contains_key(&(model.index() as u32)) {
                    queue.push((*model, found));
                }
            }
        }
        assert_eq!((tree.inode_count(), tree.name_count()), (inodes, names));
    }
}

/// Directories are filled one after the other or in turn, names come in order or not, are asked for, given anew and
/// taken away.
#[test]
fn names_in_any_order() {
    for seed in 0..400 {
        let mut rng = Rng::new(seed);
        let mut model = Model::new();
        let (turn, mixed) = (rng.below(8) + 1, rng.below(3));
        let mut at = InodeId::ROOT;
        let mut next = 0;
        for _ in 0..rng.below(600) {
            if rng.below(turn) == 0 {
                at = model.ids[rng.below(model.ids.len() as u64) as usize];
            }
            let ascending = rng.below(4) >= mixed;
            next = if ascending { next + rng.below(3) } else { rng.below(next + 3) };
            let name = format!("n{next:04}").into_bytes();
            match rng.below(12) {
                0 => model.look(at, &name),
                1 => model.unlink(at, &name),
                2 => {
                    let any = format!("n{:04}", rng.below(next + 2)).into_bytes();
                    model.look(at, &any);
                }
                3 if model.names(at).get(&name).is_none() => {
                    let dir = model.add(true);
                    model.link(at, &name, dir);
                }
                // What has a name already keeps it: a directory would be lost, with all that is in it.
                _ if model.names(at).get(&name).is_none() => {
                    let file = model.add(false);
                    model.link(at, &name, file);
                    if rng.below(8) == 0 {
                        // Another name, in another directory.
                        let dir = model.ids[rng.below(model.ids.len() as u64) as usize];
                        let other = format!("m{}", rng.below(40)).into_bytes();
                        if model.names(dir).get(&other).is_none() {
                            model.link(dir, &other, file);
                        }
                    }
                }
                _ => model.look(at, &name),
            }
        }
        for dir in model.ids.clone() {
            for (name, _) in model.names(dir).clone() {
                model.look(dir, &name);
            }
        }
        model.check();
    }
}

/// Trees are the same whatever order their names came in.
#[test]
fn the_order_of_names_changes_nothing() {
    let made = |orders: [fn(u32) -> u32; 2]| -> Tree {
        let mut builder = Builder::new();
        let node = |what| Node { attributes: Attributes::default(), xattrs: XattrSet::NONE, what };
        let dirs = [0, 1].map(|n| {
            let id = builder.add(node(What::Directory)).unwrap();
            builder.link(InodeId::ROOT, format!("d{n}").as_bytes(), id).unwrap();
            id
        });
        for n in 0..500 {
            for (dir, order) in dirs.into_iter().zip(orders) {
                let file = builder.add(node(What::Fifo)).unwrap();
                builder.link(dir, format!("{:03}", order(n)).as_bytes(), file).unwrap();
            }
        }
        builder.finish().unwrap()
    };
    let names = |tree: &Tree| -> Vec<(Vec<u8>, usize)> {
        let dirs = tree.children(InodeId::ROOT).map(|(_, id)| id);
        let all = dirs.flat_map(|dir| tree.children(dir));
        all.map(|(name, id)| (name.to_vec(), id.index())).collect()
    };
    let first = names(&made([|n| n, |n| n]));
    assert_eq!(first.len(), 1000);
    for orders in [[|n| n, |n| 499 - n], [|n| n * 7 % 500, |n| n], [|n| n ^ 3, |n| n * 77 % 500]] {
        let orders: [fn(u32) -> u32; 2] = orders;
        assert_eq!(names(&made(orders)), first);
    }
}

//! The modules of a crate: which file each is in, which names it has by `use`, and to which file a
//! path leads.
//!
//! A name that a `mod.rs` only passes on is in the file that it comes from.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{group_end, tokens, without_tests};

/// The path of a module, or of what is in one, from the crate's root on: `["tar", "entry"]`.
pub type Module<'a> = Vec<&'a str>;

/// A file of a crate, and the module that it is.
#[derive(Debug, Clone)]
pub struct Part<'a> {
    pub path: &'a str,
    pub text: &'a str,
    pub module: Module<'a>,
}

/// A path that the source has written out, and the module that it is written in.
#[derive(Debug)]
pub struct Written<'a> {
    pub module: Module<'a>,
    pub path: Module<'a>,
    /// In a `use`, the name that it gives; `*` for all that is there.
    pub gives: Option<&'a str>,
    /// In a `use`, whether it passes the name on to other modules.
    pub is_public: bool,
}

/// A source file: its modules, and the paths in it.
#[derive(Debug)]
pub struct Source<'a> {
    pub path: &'a str,
    pub module: Module<'a>,
    pub written: Vec<Written<'a>>,
    /// All words of its code that are no part of a path or of a `use`, with the token behind each.
    pub words: BTreeSet<(&'a str, &'a str)>,
}

impl Source<'_> {
    /// Whether the code itself uses a name that it has by `use`. A word in small letters is that name
    /// only if it is called: else it may be a variable.
    pub fn uses(&self, name: &str) -> bool {
        let is_type = name.starts_with(char::is_uppercase);
        self.words.iter().any(|(word, next)| *word == name && (is_type || *next == "("))
    }
}

/// All modules of a crate.
#[derive(Debug, Default)]
pub struct Crate<'a> {
    pub sources: Vec<Source<'a>>,
    /// For each module, inline ones too, the index of its file.
    files: BTreeMap<Module<'a>, usize>,
    /// What names lead to that a module has by `use`.
    uses: BTreeMap<(Module<'a>, &'a str), Module<'a>>,
    /// The modules of which a module has all names.
    globs: BTreeMap<Module<'a>, Vec<Module<'a>>>,
    /// Names of functions, types and so on, by module.
    items: BTreeSet<(Module<'a>, &'a str)>,
}

/// How often one name may lead to another before it counts as going in a circle.
const STEPS: usize = 32;

const ITEMS: [&str; 8] = ["fn", "struct", "enum", "trait", "const", "static", "type", "union"];

impl<'a> Crate<'a> {
    /// The crate that has these files.
    pub fn new(parts: impl IntoIterator<Item = Part<'a>>) -> Self {
        let mut this = Self::default();
        for Part { path, text, module } in parts {
            this.add(path, module, &without_tests(&tokens(text)).0);
        }
        this
    }

    fn add(&mut self, path: &'a str, module: Module<'a>, tokens: &[&'a str]) {
        let index = self.sources.len();
        self.files.insert(module.clone(), index);
        let mut source =
            Source { path, module: module.clone(), written: Vec::new(), words: BTreeSet::new() };
        let (mut at, mut depth, mut inline) = (0, 0, Vec::new());
        let mut here = module;
        while at < tokens.len() {
            match tokens[at..] {
                ["mod", name, "{", ..] => {
                    inline.push(depth);
                    here.push(name);
                    self.files.insert(here.clone(), index);
                    at += 2;
                    continue;
                }
                ["use", first, ..] if first != "<" => {
                    let is_public = at > 0 && ["pub", ")"].contains(&tokens[at - 1]);
                    let mut found = Vec::new();
                    at = tree(tokens, at + 1, Vec::new(), &mut found);
                    for (path, gives) in found {
                        let module = here.clone();
                        match gives {
                            "*" => self.globs.entry(module.clone()).or_default().push(path.clone()),
                            _ => _ = self.uses.insert((module.clone(), gives), path.clone()),
                        }
                        source.written.push(Written {
                            module,
                            path,
                            gives: Some(gives),
                            is_public,
                        });
                    }
                    continue;
                }
                ["{", ..] => depth += 1,
                ["}", ..] => {
                    depth -= 1;
                    if inline.last() == Some(&depth) {
                        inline.pop();
                        here.pop();
                    }
                }
                [item, name, ..] if ITEMS.contains(&item) => {
                    self.items.insert((here.clone(), name));
                }
                _ => {}
            }
            let end = chain(tokens, at);
            if end > at + 1 {
                let path = tokens[at..end].iter().copied().filter(|part| *part != "::").collect();
                let module = here.clone();
                source.written.push(Written { module, path, gives: None, is_public: false });
            }
            let before = if at > 0 { tokens[at - 1] } else { "" };
            if end == at + 1 && ![".", "fn", "mod"].contains(&before) {
                source.words.insert((tokens[at], tokens.get(end).copied().unwrap_or_default()));
            }
            at = end.max(at + 1);
        }
        self.sources.push(source);
    }

    /// The file that a path leads to, and whether to a module itself instead of something in it.
    /// Nothing, if it leads out of the crate.
    pub fn file(&self, written: &Written<'a>) -> Option<(usize, bool)> {
        self.follow(&written.module, &written.path, STEPS)
            .map(|module| (self.files[&module.0], module.1))
    }

    /// The file of what a module knows by this name.
    pub fn named(&self, module: &[&'a str], name: &'a str) -> Option<usize> {
        self.below(module.to_vec(), &[name], STEPS).map(|(module, _)| self.files[&module])
    }

    /// Whether a module has this name: its own, or by `use`.
    pub fn has(&self, module: &[&'a str], name: &'a str) -> bool {
        let key = (module.to_vec(), name);
        self.items.contains(&key) || self.uses.contains_key(&key) || self.child(module, name)
    }

    /// Whether there are files of modules below a module.
    pub fn has_below(&self, module: &[&'a str]) -> bool {
        let is_below = |other: &Module<'a>| other.len() > module.len() && other.starts_with(module);
        self.sources.iter().any(|source| is_below(&source.module))
    }

    fn child(&self, module: &[&'a str], name: &'a str) -> bool {
        self.files.contains_key(&[module, &[name]].concat())
    }

    /// Follows a path that stands in `module`: the module that it ends in, and whether it is that
    /// itself.
    fn follow(
        &self,
        module: &[&'a str],
        path: &[&'a str],
        steps: usize,
    ) -> Option<(Module<'a>, bool)> {
        let (first, rest) = path.split_first()?;
        let mut start = module.to_vec();
        match *first {
            "crate" => start.clear(),
            "self" => {}
            "super" => _ = start.pop()?,
            // Names of other crates begin a path as well as those that the module has.
            name if self.has(module, name) || self.of_glob(module, name, steps).is_some() => {
                return self.below(start, path, steps);
            }
            _ => return None,
        }
        match rest.first() {
            Some(&"super") => self.follow(&start, rest, steps),
            Some(_) => self.below(start, rest, steps),
            None => Some((start, true)),
        }
    }

    /// Follows what is below a module.
    fn below(
        &self,
        module: Module<'a>,
        path: &[&'a str],
        steps: usize,
    ) -> Option<(Module<'a>, bool)> {
        let steps = steps.checked_sub(1)?;
        let Some((name, rest)) = path.split_first() else { return Some((module, true)) };
        let child = [&module[..], &[name]].concat();
        // One name may be that of a module and of a function, which nothing can be below.
        let passes_on = self.uses.get(&(module.clone(), *name));
        if self.files.contains_key(&child) && (!rest.is_empty() || passes_on.is_none()) {
            return self.below(child, rest, steps);
        }
        if let Some(target) = passes_on {
            // Without a module that it leads to it is of another crate.
            let (found, is_module) = self.follow(&module, target, steps)?;
            return if is_module { self.below(found, rest, steps) } else { Some((found, false)) };
        }
        if !self.items.contains(&(module.clone(), *name))
            && let Some(target) = self.of_glob(&module, name, steps)
        {
            return self.below(target, path, steps);
        }
        Some((module, false))
    }

    /// The module from which a module has a name by `use …::*`.
    fn of_glob(&self, module: &[&'a str], name: &'a str, steps: usize) -> Option<Module<'a>> {
        let steps = steps.checked_sub(1)?;
        self.globs.get(module)?.iter().find_map(|glob| {
            let (target, is_module) = self.follow(module, glob, steps)?;
            (is_module && self.has(&target, name)).then_some(target)
        })
    }
}

/// The end of the words that `::` joins from `at` on.
fn chain(tokens: &[&str], at: usize) -> usize {
    let is_word = |at: usize| {
        tokens.get(at).is_some_and(|t| t.starts_with(|c: char| c.is_alphabetic() || c == '_'))
    };
    // The rest of a path whose beginning is no word is not one of its own.
    if !is_word(at) || at > 0 && tokens[at - 1] == "::" {
        return at;
    }
    let mut end = at + 1;
    while tokens.get(end) == Some(&"::") && is_word(end + 1) {
        end += 2;
    }
    end
}

/// The paths of the `use` whose tree is at `at`, each with the name that it gives. Returns the index
/// behind the tree.
fn tree<'a>(
    tokens: &[&'a str],
    mut at: usize,
    mut path: Module<'a>,
    found: &mut Vec<(Module<'a>, &'a str)>,
) -> usize {
    loop {
        match tokens.get(at..).unwrap_or_default() {
            ["::", ..] => at += 1,
            ["{", ..] => {
                let end = group_end(tokens, at);
                at += 1;
                while at + 1 < end {
                    at = tree(tokens, at, path.clone(), found);
                    at += usize::from(tokens.get(at) == Some(&","));
                }
                return end;
            }
            ["*", ..] => {
                found.push((path, "*"));
                return at + 1;
            }
            ["as", name, ..] => {
                found.push((path, name));
                return at + 2;
            }
            ["self", ..] if !path.is_empty() => at += 1,
            ["," | ";" | "}", ..] | [] => {
                let last = path.last().copied().unwrap_or_default();
                found.push((path, last));
                return at;
            }
            [name, ..] => {
                path.push(name);
                at += 1;
            }
        }
    }
}

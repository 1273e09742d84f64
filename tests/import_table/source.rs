//! Rust source as tokens, as far as the rules need it: comments and literals gone, test code gone,
//! and the paths that start at the crate's root.

/// The tokens of `source`: words, `::`, single characters, and strings in their quotes. Comments are
/// dropped; a literal of another kind is `"`.
pub fn tokens(source: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let (token, len) = if first.is_whitespace() {
            (None, first.len_utf8())
        } else if rest.starts_with("//") {
            (None, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (None, block_comment(rest))
        } else if let Some(len) = literal(rest) {
            (Some(if first == '"' { &rest[..len.min(rest.len())] } else { "\"" }), len)
        } else if is_word(first) {
            let raw = if rest.starts_with("r#") { 2 } else { 0 };
            let len = rest[raw..].find(|c| !is_word(c)).map_or(rest.len(), |end| raw + end);
            (Some(&rest[raw..len]), len)
        } else if rest.starts_with("::") {
            (Some("::"), 2)
        } else if first == '\'' {
            // A lifetime: its name is a word of its own.
            (None, 1)
        } else {
            (Some(&rest[..first.len_utf8()]), first.len_utf8())
        };
        tokens.extend(token);
        rest = &rest[rest.len().min(len)..];
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of the (perhaps nested) comment that `rest` starts with.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest.as_bytes()[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.as_bytes()[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of the string, byte or character literal that `rest` starts with.
fn literal(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r", "b", "c", ""]
        .into_iter()
        .find(|p| rest.starts_with(p) && rest[p.len()..].starts_with(['"', '\'', '#']))?;
    let body = &rest[prefix.len()..];
    if prefix.ends_with('r') {
        let hashes = body.len() - body.trim_start_matches('#').len();
        let text = body[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        let len = text.find(&end).unwrap_or(text.len()) + end.len();
        return Some(prefix.len() + hashes + 1 + len);
    }
    let quote = body.chars().next().filter(|&c| c != '#')?;
    let text = &body[1..];
    // 'a is a lifetime, 'a' and '\n' are characters.
    let is_char = text.starts_with('\\') || text.chars().nth(1) == Some('\'');
    if quote == '\'' && !is_char {
        return None;
    }
    let mut escaped = false;
    let end = text.find(|c| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    Some(prefix.len() + 1 + end.map_or(text.len(), |end| end + 1))
}

/// `tokens` without items under `#[cfg(test)]`, and the names of modules with a file of their own
/// among those items.
pub fn without_tests<'a>(tokens: &[&'a str]) -> (Vec<&'a str>, Vec<&'a str>) {
    let mut kept = Vec::new();
    let mut modules = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let rest = &tokens[at..];
        if rest.starts_with(&["#", "!", "[", "cfg", "(", "test", ")"]) {
            return (Vec::new(), modules);
        }
        if !rest.starts_with(&["#", "[", "cfg", "(", "test", ")"])
            && !rest.starts_with(&["#", "[", "cfg", "(", "all", "(", "test"])
        {
            kept.push(tokens[at]);
            at += 1;
            continue;
        }
        let mut item = at;
        while tokens.get(item) == Some(&"#") {
            item = group_end(tokens, item + 1);
        }
        at = item_end(tokens, item);
        if let ["mod", name, ";"] = tokens[item..at] {
            modules.push(name);
        }
    }
    (kept, modules)
}

/// The index behind the bracket that closes the one at `open`.
pub fn group_end(tokens: &[&str], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match *token {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// The index behind the item that starts at `start`: behind its `;`, or the `}` of its body.
fn item_end(tokens: &[&str], start: usize) -> usize {
    let ends_in_semicolon = tokens.get(start).is_some_and(|t| ["use", "const"].contains(t));
    let mut at = start;
    while at < tokens.len() {
        match tokens[at] {
            ";" => return at + 1,
            "}" => return at,
            "{" if !ends_in_semicolon => return group_end(tokens, at),
            "(" | "[" | "{" => at = group_end(tokens, at),
            _ => at += 1,
        }
    }
    at
}

/// The first names behind the crate's root of every path in `tokens` that starts with `crate`,
/// `self` or `super`. `file` is the module that the file is: `["tar", "entry"]`.
pub fn roots<'a>(tokens: &[&'a str], file: &[&'a str]) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut module = file.to_vec();
    let mut depth = 0;
    let mut inline = Vec::new();
    for at in 0..tokens.len() {
        match tokens[at..] {
            ["mod", name, "{", ..] => {
                inline.push(depth);
                module.push(name);
            }
            ["{", ..] => depth += 1,
            ["}", ..] => {
                depth -= 1;
                if inline.last() == Some(&depth) {
                    inline.pop();
                    module.pop();
                }
            }
            ["crate" | "self" | "super", "::", ..] if at == 0 || tokens[at - 1] != "::" => {
                path(tokens, at, module.clone(), &mut found);
            }
            _ => {}
        }
    }
    found
}

/// Follows the path, or the tree of paths, at `at` until it leaves the crate's root. Returns the
/// index behind what it read.
fn path<'a>(
    tokens: &[&'a str],
    mut at: usize,
    mut module: Vec<&'a str>,
    found: &mut Vec<&'a str>,
) -> usize {
    loop {
        match tokens.get(at) {
            Some(&"crate") => module.clear(),
            Some(&"super") => drop(module.pop()),
            Some(&"self") => {}
            Some(&"{") => {
                let end = group_end(tokens, at);
                at += 1;
                while at + 1 < end {
                    at = path(tokens, at, module.clone(), found);
                    // The rest of this branch is below what was found.
                    while at + 1 < end && tokens[at] != "," {
                        at = if tokens[at] == "{" { group_end(tokens, at) } else { at + 1 };
                    }
                    at += 1;
                }
                return end;
            }
            Some(name) => {
                found.push(module.first().copied().unwrap_or(name));
                return at + 1;
            }
            None => return at,
        }
        if tokens.get(at + 1) != Some(&"::") {
            return at + 1;
        }
        at += 2;
    }
}

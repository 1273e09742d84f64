//! `io::Pipe` gives what is in a pipe, or in any other file, to its end.

use erofs_tarfs::io::Pipe;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::OwnedFd;

/// Not the same at any two offsets that are near each other.
fn data(len: usize) -> Vec<u8> {
    (0..len as u32)
        .flat_map(|at| (at.wrapping_mul(2_654_435_761) >> 24).to_le_bytes()[..1].to_vec())
        .collect()
}

/// Reads all, in pieces of `most` bytes.
fn all(reader: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    let (mut bytes, mut piece) = (Vec::new(), vec![0; most]);
    loop {
        match reader.read(&mut piece)? {
            0 => return Ok(bytes),
            n => bytes.extend_from_slice(&piece[..n]),
        }
    }
}

#[test]
fn a_pipe_in_any_pieces() {
    let wanted = data(5 << 20);
    for (written, read) in [(1000, 1 << 20), (64 << 10, 4097), (3 << 20, 256 << 10)] {
        let (reader, mut writer) = io::pipe().unwrap();
        std::thread::scope(|scope| {
            let wanted = &wanted;
            scope.spawn(move || {
                wanted.chunks(written).for_each(|piece| writer.write_all(piece).unwrap());
            });
            let mut pipe = Pipe::new(OwnedFd::from(reader));
            assert!(all(&mut pipe, read).unwrap() == *wanted, "{written} written, {read} read");
            // The end stays the end.
            assert_eq!(pipe.read(&mut [0]).unwrap(), 0);
        });
    }
}

/// What trickles in is given at once: nothing waits for more.
#[test]
fn nothing_is_held_back() {
    let (reader, mut writer) = io::pipe().unwrap();
    let mut pipe = Pipe::new(OwnedFd::from(reader));
    for wanted in 0..200_u8 {
        writer.write_all(&[wanted; 3]).unwrap();
        let mut bytes = [0; 16];
        assert_eq!(pipe.read(&mut bytes).unwrap(), 3);
        assert_eq!(bytes[..3], [wanted; 3]);
    }
}

#[test]
fn a_file_from_where_it_stands() {
    let wanted = data(3 << 20);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&wanted).unwrap();
    file.seek(io::SeekFrom::Start(12_345)).unwrap();
    assert!(all(&mut Pipe::new(file), 100_000).unwrap() == wanted[12_345..]);
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let directory = File::open("/").unwrap();
    assert!(Pipe::new(directory).read(&mut [0; 16]).is_err());
    let (_reader, writer) = io::pipe().unwrap();
    assert!(Pipe::new(OwnedFd::from(writer)).read(&mut [0; 16]).is_err());
}

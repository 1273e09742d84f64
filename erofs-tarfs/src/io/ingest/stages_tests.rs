use super::*;
use crate::io::ingest::pieces::{PIECE, Pool};
use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::io::Read;
use std::panic::catch_unwind;

const PIECES: usize = 40;

/// Hands over the pieces of a stream, each of its number; how many were taken.
fn feed(stages: &Stages<'_>) -> usize {
    let (mut pool, mut taken) = (Pool::default(), 0);
    for number in 0..PIECES {
        let mut bytes = std::io::repeat(number as u8).take(PIECE as u64);
        if !stages.take(&pool.read(&mut bytes).unwrap()) {
            break;
        }
        taken += 1;
    }
    taken
}

fn failure() -> Error {
    Error::Open { file: "a".into(), error: std::io::ErrorKind::NotFound.into() }
}

#[test]
fn each_stage_takes_all_pieces_in_order_whoever_works() {
    for threads in 0..4 {
        let seen = [const { AtomicUsize::new(0) }; 3];
        let work = |seen: &'static str, count: &AtomicUsize, bytes: &[u8]| {
            assert_eq!(bytes.len(), PIECE);
            let number = count.fetch_add(1, Ordering::Relaxed);
            assert!(bytes.iter().all(|byte| usize::from(*byte) == number), "{seen}: {number}");
            Ok(())
        };
        let stages = Stages::new(vec![
            Box::new(|bytes| work("first", &seen[0], bytes)),
            Box::new(|bytes| work("second", &seen[1], bytes)),
            Box::new(|bytes| work("third", &seen[2], bytes)),
        ]);
        assert_eq!(stages.run(threads, || feed(&stages)), PIECES);
        stages.finish().unwrap();
        assert!(seen.iter().all(|count| count.load(Ordering::Relaxed) == PIECES), "{threads}");
    }
}

#[test]
fn the_first_error_ends_all() {
    for threads in 0..3 {
        let mut left = 5;
        let stages = Stages::new(vec![
            Box::new(|_| Ok(())),
            Box::new(move |_| {
                left -= 1;
                if left == 0 { Err(failure()) } else { Ok(()) }
            }),
        ]);
        // Both were at most so far behind.
        assert!(stages.run(threads, || feed(&stages)) < 5 + BEHIND + threads + 1);
        let error = stages.finish().unwrap_err();
        assert_eq!(error.to_string(), failure().to_string(), "{threads}");
    }
}

#[test]
fn a_panic_goes_on_and_holds_nobody_up() {
    for threads in 0..3 {
        let stages = Stages::new(vec![Box::new(|_| Ok(())), Box::new(|_| panic!("of a stage"))]);
        let run = || stages.run(threads, || feed(&stages));
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err(), "{threads}");
        let stages = Stages::new(vec![Box::new(|_| Ok(()))]);
        let run = || stages.run(threads, || panic!("of the reader"));
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err(), "{threads}");
    }
}

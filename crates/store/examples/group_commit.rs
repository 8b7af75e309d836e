//! How many objects a second the store makes durable when so many writers wait at once: what the
//! bench holds the API's creates against. Arguments: a directory, writers, seconds.

use std::{error::Error, path::Path, time::Instant};

use jiff::Timestamp;
use kinds::{Draft, Kind, Uid};
use store::{FileDisk, Limits, Store, Write};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, writers, seconds] = &arguments[..] else {
        return Err("arguments: DIRECTORY WRITERS SECONDS".into());
    };
    println!("{:.0}", objects_per_s(Path::new(directory), writers.parse()?, seconds.parse()?)?);
    Ok(())
}

fn objects_per_s(directory: &Path, writers: u32, seconds: f64) -> Result<f64, Box<dyn Error>> {
    let mut disk = FileDisk::new(directory)?;
    let now = Timestamp::UNIX_EPOCH;
    let mut store = Store::open(&mut disk, Limits::default(), now)?;
    let begun = Instant::now();
    let mut objects = 0;
    while begun.elapsed().as_secs_f64() < seconds {
        for _ in 0..writers {
            store.commit(vec![Write::Put(object(objects)?)], now);
            objects += 1;
        }
        let batch = store.take_batch().ok_or("there is nothing to write")?;
        let (done, result) = batch.perform(&mut disk);
        result?;
        store.batch_done(done);
    }
    Ok(f64::from(objects) / begun.elapsed().as_secs_f64())
}

/// A ConfigMap as admission would leave it, nearly empty.
fn object(number: u32) -> Result<Draft, Box<dyn Error>> {
    let uid = Uid::from_random(u128::from(number));
    let json = format!(
        r#"{{"metadata":{{"name":"c{number}","namespace":"default","uid":"{uid}",
        "creationTimestamp":"2026-01-02T03:04:05Z"}},"data":{{"value":""}}}}"#
    );
    Ok(Draft::from_json(Kind::ConfigMap, json.as_bytes())?)
}

//! `coracle image`: pull, load, list and remove images. It works on the data directory itself, with
//! and without a server.

use std::{path::Path, sync::Arc};

use images::{Credentials, Image, Listener, Progress, Reference, Registries, Store};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    cli, clock,
    data_dir::Home,
    exit::{Code, Failure},
};

/// How often progress is drawn, times a second.
const DRAWN_PER_S: u8 = 10;
/// Digits of an id in the table.
const ID_DIGITS: usize = 12;

/// One of the verbs.
pub(crate) async fn image(args: &cli::Image) -> Result<Code, Failure> {
    match &args.verb {
        cli::ImageVerb::Pull(args) => pull(args).await?,
        cli::ImageVerb::Load(args) => load(args)?,
        cli::ImageVerb::Ls(args) => list(args)?,
        cli::ImageVerb::Rm(args) => return remove(args),
    }
    Ok(Code::OK)
}

async fn pull(args: &cli::ImagePull) -> Result<(), Failure> {
    let home = Home::open(&args.data_dir)?;
    let reference =
        Reference::parse(&args.image).map_err(|error| Failure::usage(error.to_string()))?;
    let failed = |error: images::Error| {
        Failure::failed(format!("failed to pull image \"{}\": {error}", args.image))
    };
    let registries = Registries::read(home.path()).map_err(failed)?;
    let credentials = Credentials::of_user().map_err(failed)?;
    let bar = bar();
    let drawn = bar.clone();
    let listener: Listener = Arc::new(move |progress| match progress {
        Progress::Transfer { bytes, of } => {
            drawn.set_length(of);
            drawn.set_position(bytes);
        }
        Progress::Unpack => drawn.set_message("unpacking"),
    });
    let store = Store::of(home.path());
    let now_s = clock::now().as_second();
    let pulled =
        images::pull(&store, &registries, &reference, &credentials, now_s, &listener).await;
    bar.finish_and_clear();
    tell!("{}", pulled.map_err(failed)?.image_id());
    Ok(())
}

/// Drawn on standard error if that is a terminal.
fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(DRAWN_PER_S));
    match ProgressStyle::with_template("{bytes}/{total_bytes} {wide_bar} {bytes_per_sec} {msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn load(args: &cli::ImageLoad) -> Result<(), Failure> {
    let home = Home::open(&args.data_dir)?;
    let loaded = images::load(&Store::of(home.path()), &args.path, clock::now().as_second());
    for image in loaded.map_err(|error| Failure::failed(error.to_string()))? {
        match &image.names[..] {
            [] => tell!("loaded {}", image.id),
            names => names.iter().for_each(|name| tell!("loaded {name}")),
        }
    }
    Ok(())
}

fn list(args: &cli::ImageLs) -> Result<(), Failure> {
    let directory = Home::locate(&args.data_dir)?;
    let images = images_of(&directory)?;
    match args.output {
        cli::Report::Json => {
            let images: Vec<_> = images.iter().map(described).collect();
            let text = serde_json::to_string_pretty(&images);
            tell!("{}", text.map_err(|error| Failure::engine(error.to_string()))?);
        }
        cli::Report::Text => rows(&images).iter().for_each(|row| tell!("{row}")),
    }
    Ok(())
}

/// An image for programs.
fn described(image: &Image) -> serde_json::Value {
    serde_json::json!({
        "id": image.id, "names": image.names, "digests": image.digests,
        "bytes": image.bytes(), "config": image.config,
    })
}

fn images_of(directory: &Path) -> Result<Vec<Image>, Failure> {
    Store::of(directory).list().map_err(|error| Failure::engine(error.to_string()))
}

/// A table with a row for every name.
fn rows(images: &[Image]) -> Vec<String> {
    let mut cells = vec![("NAME".to_owned(), "ID".to_owned(), "SIZE".to_owned())];
    for image in images {
        let id = image.id.hex()[..ID_DIGITS].to_owned();
        let size = size(image.bytes());
        match &image.names[..] {
            [] => cells.push(("<none>".to_owned(), id, size)),
            names => cells.extend(names.iter().map(|n| (n.clone(), id.clone(), size.clone()))),
        }
    }
    let width = cells.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
    let row = |(name, id, size): &(String, String, String)| {
        format!("{name:width$}   {id:ID_DIGITS$}   {size}")
    };
    cells.iter().map(row).collect()
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{}{name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes}B"),
    }
}

fn remove(args: &cli::ImageRm) -> Result<Code, Failure> {
    let store = Store::of(&Home::locate(&args.data_dir)?);
    let mut code = Code::OK;
    for image in &args.images {
        match store.remove(image) {
            Ok(gone) => gone.iter().for_each(|line| tell!("{line}")),
            Err(error) => {
                complain!("error: {error}");
                code = Code::FAILED;
            }
        }
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_for_people() {
        let sizes = [0, 1023, 1024, 1_300_000, 5 << 30].map(size);
        assert_eq!(sizes, ["0B", "1023B", "1.0KiB", "1.2MiB", "5.0GiB"]);
    }
}

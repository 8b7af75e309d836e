//! `coracle image` and its verbs.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{DataDir, Report};

/// `coracle image`
#[derive(Debug, Args)]
pub(crate) struct Image {
    #[command(subcommand)]
    pub(crate) verb: ImageVerb,
}

/// What is done about images.
#[derive(Debug, Subcommand)]
pub(crate) enum ImageVerb {
    /// Pull an image from its registry; registries.yaml in the data directory names mirrors
    Pull(ImagePull),
    /// Load images from what `docker save` wrote, or from an OCI layout
    Load(ImageLoad),
    /// List images
    Ls(ImageLs),
    /// Remove images, or names of them; not those that pods use
    Rm(ImageRm),
}

/// `coracle image pull`
#[derive(Debug, Args)]
pub(crate) struct ImagePull {
    /// Such as busybox:1.37, ghcr.io/owner/tool or NAME@sha256:DIGEST
    pub(crate) image: String,
    #[command(flatten)]
    pub(crate) data_dir: DataDir,
}

/// `coracle image load`
#[derive(Debug, Args)]
pub(crate) struct ImageLoad {
    /// A tar archive, compressed or not, or the directory of an OCI layout
    #[arg(value_name = "FILE|DIR")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) data_dir: DataDir,
}

/// `coracle image ls`
#[derive(Debug, Args)]
pub(crate) struct ImageLs {
    #[command(flatten)]
    pub(crate) data_dir: DataDir,
    /// Text for people, or JSON
    #[arg(short, long, value_enum, default_value_t = Report::Text)]
    pub(crate) output: Report,
}

/// `coracle image rm`
#[derive(Debug, Args)]
pub(crate) struct ImageRm {
    /// Names, or the first digits of ids
    #[arg(value_name = "IMAGE", required = true)]
    pub(crate) images: Vec<String>,
    #[command(flatten)]
    pub(crate) data_dir: DataDir,
}

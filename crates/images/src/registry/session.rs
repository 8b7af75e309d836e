//! One image of one registry: documents and blobs, with the authorization it wants.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use hyper::{Response, StatusCode, body::Incoming, header::WWW_AUTHENTICATE};

use super::{
    auth::{self, Challenge},
    credentials::{Credentials, Login},
    http::{self, Ask},
    settings::Endpoint,
    url::Url,
};
use crate::{
    Digest, Error, Reference,
    digest::Hasher,
    error::io_error,
    limits::{DOCUMENT_BYTES_MAX, LAYER_PACKED_BYTES_MAX},
    manifest::{ACCEPT, Descriptor},
};

/// How often a blob that breaks off is gone on with.
const RESUMES_MAX: u32 = 5;
/// The wait before the first of these, milliseconds; each further one doubles.
const RESUME_FIRST_MS: u64 = 200;

/// One image of one registry.
pub(crate) struct Session {
    base: Url,
    ca: Option<PathBuf>,
    repository: String,
    /// As errors name it.
    name: String,
    login: Option<Login>,
    authorization: Mutex<Option<String>>,
}

impl Session {
    pub(crate) fn new(
        endpoint: Endpoint,
        reference: &Reference,
        credentials: &Credentials,
    ) -> Self {
        let login = credentials.of(reference).filter(|_| !endpoint.mirror).cloned();
        Self {
            base: endpoint.base,
            ca: endpoint.ca,
            repository: reference.repository.clone(),
            name: reference.to_string(),
            login,
            authorization: Mutex::new(None),
        }
    }

    /// The manifest or index of a tag or digest.
    pub(crate) async fn manifest(&self, wanted: &str) -> Result<Vec<u8>, Error> {
        let headers = vec![("accept", ACCEPT.to_owned())];
        let (url, answer) = self.get(&format!("manifests/{wanted}"), headers).await?;
        http::whole(&url, answer.into_body(), DOCUMENT_BYTES_MAX).await
    }

    /// A small blob.
    pub(crate) async fn document(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        let (url, answer) = self.get(&format!("blobs/{digest}"), Vec::new()).await?;
        http::whole(&url, answer.into_body(), DOCUMENT_BYTES_MAX).await
    }

    /// A layer into a new file; what breaks off is gone on with where it broke. `got` hears of every
    /// piece.
    pub(crate) async fn layer(
        &self,
        layer: &Descriptor,
        path: &Path,
        got: &(dyn Fn(u64) + Sync),
    ) -> Result<(), Error> {
        if layer.size > LAYER_PACKED_BYTES_MAX {
            return Err(Error::Limit { what: "a layer", limit: LAYER_PACKED_BYTES_MAX });
        }
        let file = File::create_new(path).map_err(io_error(path.display()))?;
        let mut part = Part { file, path, hasher: Hasher::default(), bytes: 0 };
        let mut wait = Duration::from_millis(RESUME_FIRST_MS);
        for tries in 0.. {
            match self.rest(layer, &mut part, got).await {
                Ok(()) => break,
                Err(Error::Registry { .. }) if tries < RESUMES_MAX => {
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                Err(error) => return Err(error),
            }
        }
        let found = part.hasher.finish();
        match found == layer.digest {
            true => Ok(()),
            false => {
                let (what, wanted) = ("layer".to_owned(), layer.digest.clone());
                Err(Error::Digest { what, wanted, found })
            }
        }
    }

    /// What is still missing of a layer.
    async fn rest(
        &self,
        layer: &Descriptor,
        part: &mut Part<'_>,
        got: &(dyn Fn(u64) + Sync),
    ) -> Result<(), Error> {
        let range = (part.bytes > 0).then(|| ("range", format!("bytes={}-", part.bytes)));
        let path = format!("blobs/{}", layer.digest);
        let (url, answer) = self.get(&path, range.into_iter().collect()).await?;
        if part.bytes > 0 && answer.status() != StatusCode::PARTIAL_CONTENT {
            part.begin_again()?;
        }
        let mut body = answer.into_body();
        while let Some(piece) = http::piece(&url, &mut body).await? {
            if part.bytes + piece.len() as u64 > layer.size {
                let why =
                    format!("sends more than the {} bytes of layer {}", layer.size, layer.digest);
                return Err(Error::Broken(format!("{}: {why}", url.authority)));
            }
            part.take(&piece)?;
            got(piece.len() as u64);
        }
        match part.bytes == layer.size {
            true => Ok(()),
            false => Err(http::trouble(&url, format!("layer {} breaks off", layer.digest))),
        }
    }

    /// Asks for something of the repository, once more if we have to say who we are.
    async fn get(
        &self,
        path: &str,
        headers: Vec<(&'static str, String)>,
    ) -> Result<(Url, Response<Incoming>), Error> {
        let url = self.base.below(&format!("/v2/{}/{path}", self.repository));
        let ca = self.ca.as_deref();
        let known = self.authorization.lock().map(|known| known.clone()).unwrap_or_default();
        let mut ask = Ask { url: url.clone(), headers, authorization: known, ca };
        let mut answer = http::get(&ask).await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            let header = answer.headers().get(WWW_AUTHENTICATE).and_then(|v| v.to_str().ok());
            let challenge = header.and_then(Challenge::parse);
            let challenge = challenge.ok_or_else(|| Error::Unauthorized(self.name.clone()))?;
            let login = self.login.as_ref();
            ask.authorization =
                auth::answer(&self.base, &challenge, &self.repository, login, ca).await?;
            if let Ok(mut known) = self.authorization.lock() {
                known.clone_from(&ask.authorization);
            }
            answer = http::get(&ask).await?;
        }
        match answer.status() {
            status if status.is_success() => Ok((url, answer)),
            StatusCode::NOT_FOUND => Err(Error::NotFound(self.name.clone())),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(Error::Unauthorized(self.name.clone()))
            }
            status => Err(http::trouble(&url, format!("unexpected status {status}"))),
        }
    }
}

/// A layer as far as it has come.
struct Part<'p> {
    file: File,
    path: &'p Path,
    hasher: Hasher,
    bytes: u64,
}

impl Part<'_> {
    fn take(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.file.write_all(piece).map_err(io_error(self.path.display()))?;
        self.hasher.update(piece);
        self.bytes += piece.len() as u64;
        Ok(())
    }

    /// The registry does not go on where it broke off.
    fn begin_again(&mut self) -> Result<(), Error> {
        self.file = File::create(self.path).map_err(io_error(self.path.display()))?;
        self.hasher = Hasher::default();
        self.bytes = 0;
        Ok(())
    }
}

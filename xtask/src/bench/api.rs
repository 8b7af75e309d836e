//! A client of the API as small as can be: HTTP/1.1 over the unix socket, one request per
//! connection. Its own CPU is counted with the task, so it must not weigh.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// How long the server may be silent before the bench gives up.
const SILENCE_MAX: Duration = Duration::from_secs(120);

/// Where Jobs are.
const JOBS: &str = "/apis/batch/v1/namespaces/default/jobs";

pub(super) struct Api {
    socket: PathBuf,
}

impl Api {
    pub(super) fn new(socket: PathBuf) -> Api {
        Api { socket }
    }

    /// Creates a Job; done when the server has answered.
    pub(super) fn create(&self, job: &Value) -> Result<()> {
        let mut response = self.send("POST", JOBS, job.to_string().as_bytes())?;
        let mut body = String::new();
        response.body.read_to_string(&mut body)?;
        if response.code != 201 {
            bail!("POST {JOBS}: {} {body}", response.code);
        }
        Ok(())
    }

    /// A Job as it is now.
    pub(super) fn get(&self, name: &str) -> Result<String> {
        let path = format!("{JOBS}/{name}");
        let mut response = self.send("GET", &path, &[])?;
        let mut body = String::new();
        response.body.read_to_string(&mut body)?;
        if response.code != 200 {
            bail!("GET {path}: {} {body}", response.code);
        }
        Ok(body)
    }

    /// All changes of Jobs from now on, a line of JSON each.
    pub(super) fn watch(&self) -> Result<impl Iterator<Item = Result<String>> + use<>> {
        let list: Value = serde_json::from_reader(self.send("GET", JOBS, &[])?.body)?;
        let revision =
            list["metadata"]["resourceVersion"].as_str().context("no resourceVersion")?;
        let path = format!("{JOBS}?watch=true&resourceVersion={revision}");
        let response = self.send("GET", &path, &[])?;
        if response.code != 200 {
            bail!("GET {path}: {}", response.code);
        }
        Ok(BufReader::new(response.body).lines().map(|line| line.context("the watch broke")))
    }

    fn send(&self, method: &str, path: &str, body: &[u8]) -> Result<Response> {
        let mut stream = UnixStream::connect(&self.socket)
            .with_context(|| format!("cannot connect to {}", self.socket.display()))?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: coracle\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body].concat())?;
        Response::read(BufReader::new(stream))
    }
}

struct Response {
    code: u16,
    body: Box<dyn Read>,
}

impl Response {
    fn read(mut reader: impl BufRead + 'static) -> Result<Response> {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let code = line.split(' ').nth(1).context("no HTTP response")?.parse()?;
        let mut chunked = false;
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let header = line.trim_end().to_ascii_lowercase();
            chunked |= header == "transfer-encoding: chunked";
            if header.is_empty() {
                break;
            }
        }
        let body: Box<dyn Read> =
            if chunked { Box::new(Chunks { reader, left: 0 }) } else { Box::new(reader) };
        Ok(Response { code, body })
    }
}

/// The bytes inside chunked transfer encoding.
struct Chunks<R> {
    reader: R,
    /// Bytes of the present chunk not yet read.
    left: usize,
}

impl<R: BufRead> Read for Chunks<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            let mut line = String::new();
            while line.trim().is_empty() {
                line.clear();
                if self.reader.read_line(&mut line)? == 0 {
                    return Ok(0);
                }
            }
            self.left = usize::from_str_radix(line.trim(), 16).map_err(std::io::Error::other)?;
        }
        let most = into.len().min(self.left);
        let count = self.reader.read(&mut into[..most])?;
        self.left -= count;
        Ok(count)
    }
}

/// What the API says about one Job, found without parsing the whole.
#[derive(Debug, PartialEq)]
pub(super) enum Seen {
    /// It is Complete.
    Complete,
    /// So many of its pods have succeeded.
    Succeeded(u32),
}

/// Reads a Job or a line of a watch; `None` if it is about another Job or tells nothing new.
pub(super) fn seen(line: &str, job: &str) -> Result<Option<Seen>> {
    if !line.contains(&format!("\"name\":\"{job}\"")) {
        return Ok(None);
    }
    if line.contains("\"type\":\"Failed\"") {
        bail!("Job {job} failed: {line}");
    }
    if line.contains("\"type\":\"Complete\"") {
        return Ok(Some(Seen::Complete));
    }
    let count = line
        .split_once("\"succeeded\":")
        .map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse());
    Ok(count.transpose()?.map(Seen::Succeeded))
}

/// An Indexed Job of no-op pods.
pub(super) fn job(name: &str, way: super::Way, tasks: u32, parallel: u32) -> Value {
    let mut pod = json!({
        "restartPolicy": "Never",
        "containers": [{
            "name": "task", "image": "coracle.local/host", "command": [super::COMMAND],
        }],
    });
    if let super::Way::Process = way {
        pod["runtimeClassName"] = "process".into();
    }
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
        "spec": {
            "completionMode": "Indexed", "completions": tasks, "parallelism": parallel,
            "template": {"spec": pod},
        },
    })
}

#[cfg(test)]
mod tests {
    use super::{Response, Seen, seen};
    use std::io::{Cursor, Read};

    #[test]
    fn a_chunked_body_is_put_together() {
        let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                    3\r\nabc\r\n5\r\ndefgh\r\n0\r\n\r\n";
        let mut response = Response::read(Cursor::new(text)).expect("a response");
        let mut body = String::new();
        response.body.read_to_string(&mut body).expect("a body");
        assert_eq!((response.code, body.as_str()), (200, "abcdefgh"));
    }

    #[test]
    fn a_line_of_the_watch_tells_of_one_job() {
        let line = |status: &str| {
            format!("{{\"object\":{{\"metadata\":{{\"name\":\"a\"}},\"status\":{status}}}}}")
        };
        let seen = |status: &str, job: &str| seen(&line(status), job);
        assert_eq!(seen("{\"succeeded\":17}", "a").expect("good"), Some(Seen::Succeeded(17)));
        assert_eq!(seen("{\"succeeded\":17}", "b").expect("good"), None);
        let complete = "{\"conditions\":[{\"type\":\"Complete\"}],\"succeeded\":17}";
        assert_eq!(seen(complete, "a").expect("good"), Some(Seen::Complete));
        assert!(seen("{\"conditions\":[{\"type\":\"Failed\"}]}", "a").is_err());
    }
}

//! DELETE of a collection: everything that a list with the same options shows; the answer is that
//! list.

use hyper::StatusCode;

use super::delete_options::Asked;
use crate::{
    RequestInfo,
    answer::{self, Answer},
    form::Form,
    handle::Context,
    list::Listing,
};

pub(crate) async fn delete_collection(info: &RequestInfo, mut context: Context<'_>) -> Answer {
    let listing = Listing::read(info)?;
    let asked = Asked::read(info, &mut context).await?;
    let server = context.server;
    let (found, outcome, head) = {
        let mut engine = server.engine();
        let Some(found) = listing.find(engine.store())? else { return listing.expired() };
        let outcome = engine.delete_collection(&found.keys(), &asked.options, server.now());
        (found, outcome, engine.store().head())
    };
    server.kick();
    server.durable(head).await?;
    outcome?;
    let mut response =
        answer::json(StatusCode::OK, found.body(&listing, Form::Whole, server.now()));
    answer::warn(&mut response, &asked.warnings(info.kind));
    Ok(response)
}

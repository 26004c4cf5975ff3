//! Recall over HTTP from a memory graph that is held in memory.

use std::{env, error::Error as StdError, num::NonZero, sync::Arc};

use axum::extract::{State, rejection::JsonRejection};
use axum::{Json, Router, http::StatusCode, routing};
use ecphory::{ArenaReport, Error, Graph, Metric, Rows, Search, Seed, Spread, tier};
use serde_json::{Value, json};

mod sample;
#[cfg(test)]
mod tests;

struct Memory {
    texts: Vec<String>,
    vectors: Vec<f32>,
    dim: usize,
    graph: Graph,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Cue {
    vector: Vec<f32>,
    top_k: Option<NonZero<usize>>,
    hops: Option<u32>,
}

/// The two nearest memories wake others; the most active of all are recalled, most active first.
fn recall(Memory { texts, vectors, dim, graph }: &Memory, cue: &Cue) -> Result<Value, Error> {
    if cue.vector.len() != *dim {
        return Err(Error::Length { what: "vector", expected: *dim, found: cue.vector.len() });
    }
    // JSON has no infinity, but 1e39 becomes one as an f32.
    if let Some((position, &found)) = cue.vector.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        return Err(Error::Value { what: "vector", position: Some(position), expected: "a finite f32", found });
    }
    let (rows, search) = (Rows::new(vectors, *dim)?, Search::new(Metric::Cosine));
    let seeds = search.top_k(&cue.vector, &rows, 2)?.seeds()?;
    let woken = graph.spread(&seeds, &Spread::default().hops(cue.hops.unwrap_or(2)))?;
    let best = woken.top_k(cue.top_k.map_or(5, NonZero::get))?;
    let similarities = search.gather(&cue.vector, &rows, &Vec::from_iter(best.iter().map(|seed| seed.node)))?;
    let hits = best.iter().zip(similarities).map(|(&Seed { node, activation }, similarity)| {
        json!({ "node": node, "text": texts.get(node as usize), "activation": activation, "similarity": similarity })
    });
    Ok(json!({ "hits": hits.collect::<Value>(), "reached": woken.len() }))
}

fn refuse(status: StatusCode, reason: impl ToString) -> (StatusCode, Json<Value>) {
    (status, Json(json!({ "error": reason.to_string() })))
}

fn refuse_error(error: Error) -> (StatusCode, Json<Value>) {
    let theirs = matches!(error, Error::Length { .. } | Error::Range { .. } | Error::Value { .. });
    refuse(if theirs { StatusCode::BAD_REQUEST } else { StatusCode::INTERNAL_SERVER_ERROR }, error)
}

type Reply = Result<Json<Value>, (StatusCode, Json<Value>)>;

async fn answer(State(memory): State<Arc<Memory>>, cue: Result<Json<Cue>, JsonRejection>) -> Reply {
    let Json(cue) = cue.map_err(|rejection| refuse(StatusCode::BAD_REQUEST, rejection.body_text()))?;
    let (sender, receiver) = tokio::sync::oneshot::channel();
    // Kernels are CPU work: on the executor's threads they would keep other requests waiting.
    rayon::spawn(move || drop(sender.send(recall(&memory, &cue))));
    let answer = receiver.await.map_err(|_| refuse(StatusCode::INTERNAL_SERVER_ERROR, "the recall panicked"))?;
    answer.map(Json).map_err(refuse_error)
}

fn app(memory: Memory) -> Router {
    let health =
        async || tier::in_use().map(|tier| Json(json!({ "status": "ok", "tier": tier }))).map_err(refuse_error);
    let arena = async || Json(ArenaReport::now());
    let kind = ("content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let metrics = async move || ([kind], ArenaReport::now().open_metrics());
    let router = Router::new().route("/health", routing::get(health)).route("/arena", routing::get(arena));
    let router = router.route("/metrics", routing::get(metrics));
    router.route("/recall", routing::post(answer)).with_state(Arc::new(memory))
}

async fn serve() -> Result<(), Box<dyn StdError>> {
    // Without a handler rayon ends the process when a task panics; with one, only that request fails.
    rayon::ThreadPoolBuilder::new().panic_handler(drop).build_global()?;
    let address = format!("127.0.0.1:{}", env::var("PORT").unwrap_or("8080".into()));
    let listener = tokio::net::TcpListener::bind(&address).await;
    let listener = listener.map_err(|error| format!("{address}: {error}; PORT=<port> picks another"))?;
    println!(r#"curl {address}/recall -H content-type:application/json -d '{{"vector": [1, 0, 0, 0], "top_k": 3}}'"#);
    Ok(axum::serve(listener, app(sample::memory()?)).await?)
}

#[tokio::main]
async fn main() {
    if let Err(error) = serve().await {
        eprintln!("ecphory-service: {error}");
        std::process::exit(1);
    }
}

use axum::{body::Body, http::Request, response::Response};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;

async fn send(app: Router, request: Request<Body>) -> (StatusCode, Value) {
    let response: Response = app.oneshot(request).await.expect("a router does not fail");
    let status = response.status();
    let body = response.into_body().collect().await.expect("a body in memory").to_bytes();
    (status, serde_json::from_slice(&body).expect("every answer is JSON"))
}

async fn get(path: &str) -> (StatusCode, Value) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    send(app(sample::memory().unwrap()), request).await
}

async fn ask(app: Router, cue: impl ToString) -> (StatusCode, Value) {
    let request = Request::post("/recall").header("content-type", "application/json");
    send(app, request.body(Body::from(cue.to_string())).unwrap()).await
}

async fn refusal(cue: impl ToString) -> String {
    let (status, body) = ask(app(sample::memory().unwrap()), cue).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
    body["error"].as_str().expect("a refusal says why").to_owned()
}

#[tokio::test]
async fn recalls_what_resembles_the_cue_and_what_is_linked_to_it() {
    let (status, body) =
        ask(app(sample::memory().unwrap()), json!({ "vector": [1, 0, 0, 0], "top_k": 3, "hops": 1 })).await;
    assert_eq!(status, StatusCode::OK);
    let hits = body["hits"].as_array().unwrap();
    let nodes: Vec<_> = hits.iter().map(|hit| hit["node"].as_u64().unwrap()).collect();
    // 0 and 1 are the nearest two; 2 is further than either, and linked to 1.
    assert_eq!(nodes, [1, 0, 2]);
    assert_eq!(hits[1]["text"], "the custard tarts were best warm");
    let activations: Vec<_> = hits.iter().map(|hit| hit["activation"].as_f64().unwrap()).collect();
    assert!(activations.is_sorted_by(|a, b| a >= b));
    assert!((hits[1]["similarity"].as_f64().unwrap() - 0.9 / 0.82f64.sqrt()).abs() < 1e-6);
    assert_eq!(body["reached"], 3);
}

#[tokio::test]
async fn without_hops_only_the_nearest_are_recalled() {
    let (_, body) = ask(app(sample::memory().unwrap()), json!({ "vector": [1, 0, 0, 0], "hops": 0 })).await;
    assert_eq!(body["reached"], 2);
    assert_eq!(body["hits"][0]["activation"], body["hits"][0]["similarity"]);
}

#[tokio::test]
async fn what_resembles_nothing_recalls_nothing() {
    let (status, body) = ask(app(sample::memory().unwrap()), json!({ "vector": [-1, -1, -1, -1] })).await;
    assert_eq!((status, body), (StatusCode::OK, json!({ "hits": [], "reached": 0 })));
}

#[tokio::test]
async fn bad_cues_are_refused_with_the_reason() {
    let right = [1, 0, 0, 0];
    assert_eq!(refusal(json!({ "vector": [1, 0] })).await, "vector: expected 4 elements, found 2");
    assert_eq!(refusal(json!({ "vector": [] })).await, "vector: expected 4 elements, found 0");
    assert_eq!(refusal(json!({ "vector": right, "hops": 5000 })).await, "hops: expected 0 to 1024, found 5000");
    assert_eq!(
        refusal(r#"{"vector": [0, 1e39, 0, 0]}"#).await,
        "vector at position 1: expected a finite f32, found inf"
    );
    assert!(refusal(json!({ "vector": right, "top_k": 0 })).await.contains("expected a nonzero usize"));
    assert!(refusal(json!({ "vector": right, "topk": 3 })).await.contains("unknown field `topk`, expected one of"));
    for malformed in ["", "{", r#"{"vector": [NaN]}"#, r#"{"vector": "x"}"#, r#"{"vector": [], "hops": -1}"#, "{}"] {
        assert!(!refusal(malformed).await.is_empty());
    }
}

#[tokio::test]
async fn arena_figures_follow_the_work() {
    let (status, before) = get("/arena").await;
    assert_eq!(status, StatusCode::OK);
    ask(app(sample::memory().unwrap()), json!({ "vector": [1, 0, 0, 0] })).await;
    let (_, after) = get("/arena").await;
    // Other tests run beside this one, so figures may have grown by more.
    let (before, after) = (&before["total"], &after["total"]);
    assert!(after["rewind_count"].as_u64() >= before["rewind_count"].as_u64().map(|count| count + 3));
    assert!(after["live_arenas"].as_u64() >= Some(1));
    assert!(after["high_water_mark"].as_u64() > Some(0));
    assert_eq!(after["heap_loan_count"], 0);
}

#[tokio::test]
async fn a_scraper_reads_the_same_figures() {
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let response: Response = app(sample::memory().unwrap()).oneshot(request).await.unwrap();
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    let text = response.into_body().collect().await.unwrap().to_bytes();
    assert!(text.starts_with(b"# TYPE ecphory_arenas gauge\n") && text.ends_with(b"# EOF\n"));
}

#[tokio::test]
async fn health_names_the_tier() {
    assert_eq!(get("/health").await, (StatusCode::OK, json!({ "status": "ok", "tier": tier::in_use().unwrap() })));
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_recalls_give_the_same_answer() {
    let app = app(sample::memory().unwrap());
    let cue = json!({ "vector": [0.3, 0.2, 0.5, 0.1] });
    let (_, expected) = ask(app.clone(), &cue).await;
    let tasks: Vec<_> = (0..32).map(|_| tokio::spawn(ask(app.clone(), cue.to_string()))).collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), (StatusCode::OK, expected.clone()));
    }
}

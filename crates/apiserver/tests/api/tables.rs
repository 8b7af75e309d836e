//! Tables of every kind: as many cells as columns, also in the bookmark's row.

use kinds::{KINDS, columns::columns};
use serde_json::Value;

use crate::harness::{Lines, request, with_server};

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

#[test]
fn every_kind_has_a_table_whose_bookmark_is_a_row() {
    with_server(async |harness| {
        for info in KINDS {
            let path = apiserver::path(info.kind, "", "", apiserver::Subresource::Main);
            let mut list = request("GET", &path, "");
            list.headers_mut().insert("accept", TABLE.parse().unwrap());
            let list = harness.call(list).await;
            assert_eq!(list.code, 200, "{path}");
            let list: Value = serde_json::from_slice(&list.body).unwrap();
            check(&list, columns(info.kind).len());
            // Nothing is called like that: only the bookmark comes.
            let query = "watch=true&allowWatchBookmarks=true&fieldSelector=metadata.name%3Dno";
            let mut watch = request("GET", &format!("{path}?{query}"), "");
            watch.headers_mut().insert("accept", TABLE.parse().unwrap());
            let mut watch = Lines::of(harness.send(watch).await);
            let (kind, table) = watch.event().await.unwrap();
            assert_eq!(kind, "BOOKMARK");
            check(&table, columns(info.kind).len());
            let annotations = table.pointer("/rows/0/object/metadata/annotations").unwrap();
            assert_eq!(annotations["k8s.io/initial-events-end"], "true", "{path}");
        }
    });
}

fn check(table: &Value, columns: usize) {
    assert_eq!(table["columnDefinitions"].as_array().unwrap().len(), columns);
    for row in table["rows"].as_array().unwrap() {
        assert_eq!(row["cells"].as_array().unwrap().len(), columns, "{row}");
    }
}

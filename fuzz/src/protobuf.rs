//! Bodies in Kubernetes' protobuf, of every kind that clients send.

use kinds::protobuf;

pub(crate) fn fuzz(data: &[u8]) {
    for expected in [None, Some(("batch/v1", "Job")), Some(("v1", "DeleteOptions"))] {
        match protobuf::decode(data, expected) {
            Ok(message) => {
                let json: serde_json::Value =
                    serde_json::from_slice(&message.json).expect("what is decoded is JSON");
                assert_eq!(json["kind"], *message.kind);
                assert_eq!(json["apiVersion"], *message.api_version);
            }
            Err(error) => drop(error.to_string()),
        }
    }
}

//! Tokens of ServiceAccounts: who has one is known by it over TLS, and may little.

use serde_json::{Value, json};

use crate::{
    harness::{Harness, clock, request, with_server},
    tls::Door,
};

const TOKEN: &str = "/api/v1/namespaces/default/serviceaccounts/builder/token";

/// What an account may not, and the words for it; `USER` is who asks.
const FORBIDDEN: [(&str, &str, &str); 9] = [
    (
        "GET",
        "/api/v1/pods",
        "pods is forbidden: USER cannot list resource \"pods\" in API group \"\" at the cluster scope",
    ),
    (
        "GET",
        "/api/v1/namespaces/default/secrets/s",
        "secrets \"s\" is forbidden: USER cannot get resource \"secrets\" in API group \"\" in the namespace \"default\"",
    ),
    (
        "POST",
        "/apis/batch/v1/namespaces/default/jobs",
        "jobs.batch is forbidden: USER cannot create resource \"jobs\" in API group \"batch\" in the namespace \"default\"",
    ),
    (
        "POST",
        TOKEN,
        "serviceaccounts \"builder\" is forbidden: USER cannot create resource \"serviceaccounts/token\" in API group \"\" in the namespace \"default\"",
    ),
    (
        "POST",
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        "subjectaccessreviews.authorization.k8s.io is forbidden: USER cannot create resource \"subjectaccessreviews\" in API group \"authorization.k8s.io\" at the cluster scope",
    ),
    ("GET", "/metrics", "forbidden: USER cannot get path \"/metrics\""),
    ("POST", "/coracle/stop", "forbidden: USER cannot post path \"/coracle/stop\""),
    ("GET", "/nowhere", "forbidden: USER cannot get path \"/nowhere\""),
    ("GET", "/livez/store", "forbidden: USER cannot get path \"/livez/store\""),
];

struct Scene<'a> {
    harness: &'a Harness,
    door: Door,
}

impl<'a> Scene<'a> {
    /// An account, a pod of its own, and a way in over TLS.
    async fn new(harness: &'a Harness) -> Self {
        let (accounts, pods) =
            ("/api/v1/namespaces/default/serviceaccounts", "/api/v1/namespaces/default/pods");
        harness.create(accounts, r#"{"metadata":{"name":"builder"}}"#).await;
        let pod = json!({"metadata": {"name": "p"}, "spec": {
            "serviceAccountName": "builder", "containers": [{"name": "c", "image": "i"}],
        }});
        harness.create(pods, &pod.to_string()).await;
        Self { harness, door: Door::open(harness).await }
    }

    /// A token for what a TokenRequest's spec says.
    async fn token(&self, spec: Value) -> String {
        let made = self.harness.create(TOKEN, &json!({"spec": spec}).to_string()).await;
        made["status"]["token"].as_str().unwrap().to_owned()
    }

    async fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> (u16, Value) {
        let mut request = request(method, path, body);
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let (code, body) = self.door.ask_bare(request).await;
        (code, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn who(&self, token: &str) -> (u16, Value) {
        let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
        let (code, answer) = self.ask("POST", path, token, "{}").await;
        (code, answer["status"]["userInfo"].clone())
    }
}

#[test]
fn who_has_a_token_is_the_account() {
    with_server(async |harness| {
        let scene = Scene::new(harness).await;
        let pod = harness.get("/api/v1/namespaces/default/pods/p").await;
        let bound = json!({"apiVersion": "v1", "kind": "Pod", "name": "p"});
        let token = scene.token(json!({"boundObjectRef": bound})).await;
        let (code, who) = scene.who(&token).await;
        assert_eq!(
            (code, &who["username"]),
            (201, &json!("system:serviceaccount:default:builder"))
        );
        let groups =
            ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"];
        assert_eq!(who["groups"], json!(groups));
        let id = &who["extra"]["authentication.kubernetes.io/credential-id"][0];
        assert!(id.as_str().unwrap().starts_with("JTI="));
        let extra = &who["extra"]["authentication.kubernetes.io/pod-uid"];
        assert_eq!(*extra, json!([pod["metadata"]["uid"]]));
    });
}

#[test]
fn an_account_may_find_out_what_there_is_and_nothing_else() {
    with_server(async |harness| {
        let scene = Scene::new(harness).await;
        let token = scene.token(json!({})).await;
        for path in ["/version", "/livez", "/apis", "/api/v1"] {
            assert_eq!(scene.ask("GET", path, &token, "").await.0, 200, "{path}");
        }
        for (method, path, message) in FORBIDDEN {
            let (code, status) = scene.ask(method, path, &token, "").await;
            let user = "User \"system:serviceaccount:default:builder\"";
            let wanted = json!(message.replace("USER", user));
            assert_eq!((code, &status["message"]), (403, &wanted), "{method} {path}");
        }
        let review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        for (attributes, allowed) in [
            (json!({"resourceAttributes": {"verb": "list", "resource": "pods"}}), false),
            (json!({"nonResourceAttributes": {"verb": "get", "path": "/api/v1"}}), true),
            (json!({"nonResourceAttributes": {"verb": "get", "path": "/metrics"}}), false),
        ] {
            let asked = json!({"spec": attributes}).to_string();
            let (_, answer) = scene.ask("POST", review, &token, &asked).await;
            assert_eq!(answer["status"]["allowed"], json!(allowed), "{asked}");
        }
    });
}

#[test]
fn a_token_ends_with_what_it_is_bound_to() {
    with_server(async |harness| {
        let scene = Scene::new(harness).await;
        let bound = json!({"apiVersion": "v1", "kind": "Pod", "name": "p"});
        let of_pod = scene.token(json!({"boundObjectRef": bound})).await;
        let of_account = scene.token(json!({})).await;
        let gone = async |path: &str| {
            let options = r#"{"gracePeriodSeconds":0}"#;
            assert_eq!(harness.call(request("DELETE", path, options)).await.code, 200);
        };
        gone("/api/v1/namespaces/default/pods/p").await;
        assert_eq!((scene.who(&of_pod).await.0, scene.who(&of_account).await.0), (401, 201));
        gone("/api/v1/namespaces/default/serviceaccounts/builder").await;
        let accounts = "/api/v1/namespaces/default/serviceaccounts";
        harness.create(accounts, r#"{"metadata":{"name":"builder"}}"#).await;
        assert_eq!(scene.who(&of_account).await.0, 401, "another account of the same name");
    });
}

#[test]
fn a_token_that_was_shown_to_somebody_else_is_looked_up_for_them() {
    with_server(async |harness| {
        let scene = Scene::new(harness).await;
        let own = scene.token(json!({})).await;
        let vault = scene.token(json!({"audiences": ["vault"]})).await;
        let review = async |spec: Value| {
            let path = "/apis/authentication.k8s.io/v1/tokenreviews";
            let answer = harness.create(path, &json!({"spec": spec}).to_string()).await;
            let status = &answer["status"];
            (
                status["user"]["username"].clone(),
                status["audiences"].clone(),
                status["error"].clone(),
            )
        };
        let user = json!("system:serviceaccount:default:builder");
        let none = (json!(null), json!(null), json!("invalid bearer token"));
        let known = |audience: &str| (user.clone(), json!([audience]), json!(null));
        assert_eq!(review(json!({"token": own})).await, known(tokens::ISSUER));
        assert_eq!(review(json!({"token": vault})).await, none);
        let asked = json!({"token": vault, "audiences": ["other", "vault"]});
        assert_eq!(review(asked).await, known("vault"));
        assert_eq!(review(json!({"token": "x"})).await, none);
    });
}

#[test]
fn a_wrong_token_is_nobodys() {
    with_server(async |harness| {
        let scene = Scene::new(harness).await;
        let elsewhere = scene.token(json!({"audiences": ["vault"]})).await;
        let claims = tokens::Claims {
            audiences: vec![],
            issued_s: clock().as_second(),
            expires_s: clock().as_second() + 600,
            bound: tokens::Bound {
                namespace: "default".to_owned(),
                node: None,
                pod: None,
                secret: None,
                serviceaccount: tokens::Reference {
                    name: "builder".to_owned(),
                    uid: String::new(),
                },
                warn_after_s: None,
            },
        };
        let foreign = crate::harness::signer().sign(&claims).unwrap();
        for wrong in ["", "x", "x.y.z", &elsewhere, &foreign] {
            for path in ["/version", "/api/v1/pods"] {
                assert_eq!(scene.ask("GET", path, wrong, "").await.0, 401, "{wrong} {path}");
            }
        }
    });
}

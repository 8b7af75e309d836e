"""The official Python client against a server that is killed again and again.

Writers create, patch, replace and delete ConfigMaps and Jobs; watches of the client's own follow
them, each resumed from the last resourceVersion it saw. Every object carries the number of its last
change in the annotation `step`, so that a change that a watch loses, repeats or reorders shows at
once. A writer goes on when the watch has shown its last write.

Called with a kubeconfig and a seed. Prints `watching` for each watch that delivers again after it
broke; ends, with an exit status, after its standard input was closed.
"""

import os
import random
import sys
import threading
import time
import traceback

import urllib3
from kubernetes import client, config
from kubernetes.watch import Watch

NAMESPACE = "python"
# The server puts a ConfigMap of its own into every namespace.
OURS = {"field_selector": "metadata.name!=kube-root-ca.crt"}
STEP = "coracle.local/step"
END = "end"
CONFIG_MAP_WRITERS = 3
JOB_WRITERS = 2
CHANGES_MAX = 6
# Between two attempts while the server is away.
RETRY_S = 0.02
# How long a watch may take to show a write, and a Job to end, across kills.
PATIENCE_S = 60

# What the client raises when a connection breaks, or cannot be made.
BROKEN = urllib3.exceptions.HTTPError


class Wrong(Exception):
    """The server or the client did what it must not."""


def broken(error):
    """Whether an error only says that the server went away."""
    tls = isinstance(error, client.ApiException) and error.status == 0
    return tls or isinstance(error, BROKEN)


def step_of(item):
    return int(item.metadata.annotations[STEP])


def has(item, condition):
    conditions = item.status and item.status.conditions or []
    return any(c.type == condition and c.status == "True" for c in conditions)


def config_map(meta, suspend):
    return client.V1ConfigMap(metadata=meta, data={"key": "value"})


def job(meta, suspend):
    container = client.V1Container(name="main", image="coracle.local/host", command=["true"])
    pod = client.V1PodSpec(containers=[container], restart_policy="Never")
    template = client.V1PodTemplateSpec(spec=pod)
    return client.V1Job(metadata=meta, spec=client.V1JobSpec(template=template, suspend=suspend))


class Kind:
    """The calls for one kind. What runs is changed by the server too."""

    def __init__(self, api, name, body):
        self.create = getattr(api, f"create_namespaced_{name}")
        self.read = getattr(api, f"read_namespaced_{name}")
        self.list = getattr(api, f"list_namespaced_{name}")
        self.patch = getattr(api, f"patch_namespaced_{name}")
        self.replace = getattr(api, f"replace_namespaced_{name}")
        self.delete = getattr(api, f"delete_namespaced_{name}")
        self.body, self.runs = body, body is job


class Follower:
    """A watch, and what it has shown so far: `live` is the state that follows from its events."""

    def __init__(self, kind):
        self.kind = kind
        self.live, self.shown, self.gone = {}, {}, set()
        # The namespace is new, and the list empty.
        self.version = int(kind.list(NAMESPACE, **OURS).metadata.resource_version)
        self.events, self.breaks = 0, 0
        self.news = threading.Condition()

    def follow(self):
        watch, fresh = Watch(), True
        watch.resource_version = str(self.version)
        while not self.ended():
            try:
                since = watch.resource_version
                events = watch.stream(self.kind.list, NAMESPACE, resource_version=since, **OURS)
                for event in events:
                    if fresh:
                        sys.stdout.write("watching\n")
                        sys.stdout.flush()
                        fresh = False
                    self.take(event["type"], event["object"])
                    if self.ended():
                        watch.stop()
            except (BROKEN, client.ApiException) as error:
                if not broken(error):
                    raise
                self.breaks += 0 if fresh else 1
                fresh = True
                time.sleep(RETRY_S)

    def ended(self):
        last = self.live.get(END)
        return last is not None and (not self.kind.runs or has(last, "Suspended"))

    def take(self, change, item):
        """Folds one event into the state; raises what is wrong with it."""
        before = self.live.get(item.metadata.name)
        version = int(item.metadata.resource_version)
        if version <= self.version or not self.fits(change, before, item):
            before = before and before.metadata
            raise Wrong(f"{change} {item.metadata} after revision {self.version} and {before}")
        with self.news:
            self.version, self.events = version, self.events + 1
            if change == "DELETED":
                del self.live[item.metadata.name]
                self.gone.add(item.metadata.uid)
            else:
                self.live[item.metadata.name] = item
                self.shown.setdefault((item.metadata.uid, step_of(item)), set()).add(version)
            self.news.notify_all()

    def fits(self, change, before, item):
        """Whether this is the next change of an object, and none lies between."""
        if change == "ADDED":
            return before is None and step_of(item) == 0
        if before is None or before.metadata.uid != item.metadata.uid:
            return False
        more = step_of(item) - step_of(before)
        if change == "DELETED":
            return more == 0
        # The server changes what runs, and marks what is deleted in the foreground.
        servers = self.kind.runs or item.metadata.deletion_timestamp is not None
        return more == 1 or more == 0 and servers

    def wait(self, what, condition):
        with self.news:
            if not self.news.wait_for(condition, PATIENCE_S):
                raise Wrong(f"the watch did not show {what}; it is at {self.version}")

    def wait_for_write(self, item):
        """Waits for the very revision that a write was answered with."""
        meta, step = item.metadata, step_of(item)
        shown = lambda: int(meta.resource_version) in self.shown.get((meta.uid, step), ())
        self.wait(f"{meta.name}, step {step}, at {meta.resource_version}", shown)

    def wait_for_completion(self, name):
        self.wait(f"the completion of {name}", lambda: has(self.live[name], "Complete"))


class Writer:
    def __init__(self, follower, prefix, seed):
        self.follower, self.kind, self.prefix = follower, follower.kind, prefix
        self.random = random.Random(f"{seed} {prefix}")
        self.writes, self.unanswered = 0, 0

    def read(self, name):
        """The object, or None; asks until there is an answer."""
        while True:
            try:
                return self.kind.read(name, NAMESPACE)
            except (BROKEN, client.ApiException) as error:
                if getattr(error, "status", 0) == 404:
                    return None
                if not broken(error):
                    raise
                time.sleep(RETRY_S)

    def write(self, name, call, happened, repeated):
        """Calls until it happened, and looks where the answer was lost. `repeated` is the status
        that a call gets which happened before: urllib3 repeats some by itself."""
        self.writes += 1
        while True:
            try:
                return call()
            except (BROKEN, client.ApiException) as error:
                if not broken(error) and error.status != repeated:
                    raise
                self.unanswered += 1
                found = self.read(name)
                if happened(found):
                    return found

    def create(self, name, suspend=False):
        meta = client.V1ObjectMeta(name=name, annotations={STEP: "0"})
        call = lambda: self.kind.create(NAMESPACE, self.kind.body(meta, suspend))
        return self.write(name, call, lambda found: found is not None, 409)

    def change(self, item):
        """Takes an object one step on, in one of four ways."""
        name, step = item.metadata.name, step_of(item) + 1
        way = self.random.choice([self.json, self.merge, self.strategic, self.update])
        return self.write(name, lambda: way(name, step), lambda found: step_of(found) == step, 409)

    def json(self, name, step):
        path = "/metadata/annotations/" + STEP.replace("/", "~1")
        test = {"op": "test", "path": path, "value": str(step - 1)}
        replace = {"op": "replace", "path": path, "value": str(step)}
        return self.kind.patch(name, NAMESPACE, [test, replace])

    def merge(self, name, step):
        patch = {"metadata": {"annotations": {STEP: str(step)}, "labels": {"merged": str(step)}}}
        merge = "application/merge-patch+json"
        return self.kind.patch(name, NAMESPACE, patch, _content_type=merge)

    def strategic(self, name, step):
        patch = {"metadata": {"annotations": {STEP: str(step)}, "labels": {"merged": None}}}
        return self.kind.patch(name, NAMESPACE, patch)

    def update(self, name, step):
        latest = self.read(name)
        latest.metadata.annotations[STEP] = str(step)
        return self.kind.replace(name, NAMESPACE, latest)

    def delete(self, item):
        name, uid = item.metadata.name, item.metadata.uid
        policy = self.random.choice(["Background", "Foreground"])
        options = client.V1DeleteOptions(
            preconditions=client.V1Preconditions(uid=uid), propagation_policy=policy)
        call = lambda: self.kind.delete(name, NAMESPACE, body=options)
        gone = lambda found: found is None or found.metadata.deletion_timestamp is not None
        self.write(name, call, gone, 404)
        self.follower.wait(f"the end of {name}", lambda: uid in self.follower.gone)

    def work(self, finish):
        number = 0
        while not finish.is_set():
            item = self.create(f"{self.prefix}-{number}")
            self.follower.wait_for_write(item)
            for _ in range(self.random.randint(1, CHANGES_MAX)):
                item = self.change(item)
                self.follower.wait_for_write(item)
            if self.kind.runs and self.random.random() < 0.5:
                self.follower.wait_for_completion(item.metadata.name)
            if self.random.random() < 0.7:
                self.delete(item)
            number += 1


def compare(follower):
    """What the events led to is what a list shows."""
    def plain(items):
        items = client.ApiClient().sanitize_for_serialization(list(items))
        return {i["metadata"]["name"]: {**i, "kind": None, "apiVersion": None} for i in items}

    listed, live = plain(follower.kind.list(NAMESPACE, **OURS).items), plain(follower.live.values())
    for name in listed.keys() | live.keys():
        if listed.get(name) != live.get(name):
            raise Wrong(f"{name}: listed {listed.get(name)}, watched {live.get(name)}")


def guarded(target, *arguments):
    """A thread whose failure ends the program."""
    def run():
        try:
            target(*arguments)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def main(kubeconfig, seed):
    config.load_kube_config(kubeconfig)
    core = client.CoreV1Api()
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=NAMESPACE)))
    maps = Follower(Kind(core, "config_map", config_map))
    jobs = Follower(Kind(client.BatchV1Api(), "job", job))
    writers = [Writer(maps, f"map-{n}", seed) for n in range(CONFIG_MAP_WRITERS)]
    writers += [Writer(jobs, f"job-{n}", seed) for n in range(JOB_WRITERS)]
    finish = threading.Event()
    watches = [guarded(follower.follow) for follower in (maps, jobs)]
    work = [guarded(writer.work, finish) for writer in writers]
    sys.stdin.read()
    finish.set()
    for thread in work:
        thread.join()
    for name in list(jobs.live):
        jobs.wait_for_completion(name)
    for follower in (maps, jobs):
        Writer(follower, END, seed).create(END, suspend=True)
    for thread in watches:
        thread.join()
    for follower in (maps, jobs):
        compare(follower)
        print(f"{follower.events} events, {follower.breaks} breaks, {len(follower.live)} objects")
    writes = sum(writer.writes for writer in writers)
    print(f"{writes} writes, {sum(writer.unanswered for writer in writers)} without an answer")


if __name__ == "__main__":
    main(*sys.argv[1:])

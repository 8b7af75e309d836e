# What the stories have in common. Each is one shell, in a directory and a namespace of its own, and
# `kubectl` is the real one.

exec 2>&1
sed "s/^\( *\)user: .*/&\n\1namespace: $NS/" "$SERVER" >kubeconfig
kubectl create namespace "$NS" >created
watching=
trap '[ -z "$watching" ] || kill $watching 2>/dev/null' EXIT

# Runs until it is ended, as upstream's image `pause` does.
endless='trap "exit 143" TERM; sleep 1000 & wait'
# Answers requests at port 8080, and notes them in the file `asked`.
serve='exec perl -MIO::Socket::INET -e "
    \$SIG{TERM} = sub { exit };
    \$s = IO::Socket::INET->new(Listen => 5, LocalPort => 8080);
    while (\$c = \$s->accept) {
        next unless (\$_ = <\$c>) =~ /HTTP/;
        open F, q(>>), q(/data/asked); print F \$_; close F;
        print \$c qq(HTTP/1.1 200 OK\r\n\r\n); close \$c;
    }"'
# Fails the first time, where all attempts and pods share what `data` says; here once for each index.
fail_once='! mkdir /data/been 2>/dev/null'
fail_once_each='! mkdir /data/been-$JOB_COMPLETION_INDEX 2>/dev/null || exit 42'

# job NAME SPEC SCRIPT: a Job with these fields, whose container runs the script. Where a story wants
# something else, it sets `labels`, `restart`, `data` (the volume at /data; the story's directory
# unless it says so) and `container` (more fields of it).
job() {
    echo "{apiVersion: batch/v1, kind: Job, metadata: {name: $1${labels:+, labels: {$labels\}}${finalizers:+, finalizers: [$finalizers]}},
        spec: {$2, $(template "$3")}}"
}

# cronjob NAME SCHEDULE SPEC SCRIPT: a CronJob of such Jobs.
cronjob() {
    echo "{apiVersion: batch/v1, kind: CronJob, metadata: {name: $1${labels:+, labels: {$labels\}}},
        spec: {schedule: '$2', timeZone: Etc/UTC, $3, jobTemplate: {spec: {backoffLimit: 0, $(template "$4")}}}}"
}

template() {
    echo "template: {spec: {restartPolicy: ${restart:-Never}, volumes: [{name: data, ${data:-"hostPath: {path: $PWD}"}}],
        containers: [{name: c, image: coracle.local/host, command: [sh, -c, '$(echo "$1" | sed "s/'/''/g")'],
            volumeMounts: [{name: data, mountPath: /data}]${container:+, $container}}]}}"
}

# create MANIFEST
create() { echo "$1" | kubectl create -f -; }

# await OBJECTS CONDITION: waits, for a minute at most.
await() { kubectl wait $1 --for="$2" --timeout=60s >waited || { cat waited; false; }; }

# say OBJECTS TEMPLATE: the lines that a JSONPath template makes of them.
say() { kubectl get $1 -o jsonpath="$2{'\n'}" | sed '/^$/d'; }

# conditions JOB
conditions() { say "job/$1" '{range .status.conditions[*]}{.type} {.status} {.reason}{"\n"}{end}'; }

# phases JOB: how many of its pods are in which phase.
phases() {
    say "pods -l job-name=$1" '{range .items[*]}{.status.phase}{"\n"}{end}' | sort | uniq -c | sed 's/^ *//'
}

# events OBJECT: the reasons, each once.
events() {
    say "events --field-selector involvedObject.name=$1" '{range .items[*]}{.reason}{"\n"}{end}' | sort -u
}

# follow ARGUMENT…: begins to watch what `kubectl get` shows.
follow() {
    mkfifo watched
    kubectl get "$@" -w >watched &
    watching=$!
    exec 3<watched
}

# seen PATTERN: waits until the watch shows a line like this.
seen() { timeout --foreground 60 sed -u "/$1/q" <&3 >lines && tail -n 1 lines; }

# hourly MINUTES: the schedule of once an hour, so many minutes before this one.
hourly() { date -ud "-$1 min" '+%-M * * * *'; }

# due CRONJOB MINUTES: lets a CronJob miss the time that was so many minutes ago, so that it is due.
# Its status says that it last met one an hour ago; the next to come is most of an hour away.
due() {
    kubectl patch cronjob "$1" -p "{\"spec\":{\"schedule\":\"$(hourly "$2")\"}}"
    kubectl patch cronjob "$1" --subresource=status --type=merge \
        -p "{\"status\":{\"lastScheduleTime\":\"$(date -ud '-1 hour' +%FT%TZ)\"}}"
} >patched

# c NAME SCRIPT [FIELDS]: a container that runs the script, with the story's directory at /data.
c() {
    echo "{name: $1, image: coracle.local/host, command: [sh, -c, '$(echo "$2" | sed "s/'/''/g")'],
        volumeMounts: [{name: data, mountPath: /data}]${3:+, $3}}"
}

# side NAME SCRIPT [FIELDS]: the same as a sidecar.
side() { c "$1" "$2" "restartPolicy: Always${3:+, $3}"; }

# pod NAME SPEC: a Pod with these fields; not started again unless they say so.
pod() {
    echo "{apiVersion: v1, kind: Pod, metadata: {name: $1}, spec: {restartPolicy: Never, $2,
        volumes: [{name: data, hostPath: {path: $PWD}}]}}"
}

# containers POD: what became of each, init containers first.
containers() {
    for list in initContainerStatuses containerStatuses; do
        say "pod/$1" "{range .status.$list[*]}{.name}{' '}{.state.waiting.reason}{.state.terminated.reason}{.state.running.startedAt}{' '}{.state.terminated.exitCode}{' ready='}{.ready}{' restarts='}{.restartCount}{'\n'}{end}"
    done | sed 's/ [0-9-]*T[0-9:]*Z/ running/; s/  / /'
}

# serve WORK: a script that listens on port 8080 of its pod and does the work, in Perl, with each
# connection `$c`.
serve() {
    echo "exec perl -MIO::Socket::INET -e '\$s = IO::Socket::INET->new(LocalAddr => \"127.0.0.1\", LocalPort => 8080, Listen => 9) or die;
        while (\$c = \$s->accept) { $1; close \$c }'"
}

# forward POD: forwards some port of this machine to port 8080 of the pod.
forward() {
    mkfifo forwarding
    kubectl port-forward "$1" :8080 >forwarding 2>&1 &
    watching=$!
    exec 3<forwarding
    read line <&3
    port=${line#*:} port=${port%% *}
    read line <&3
}

# dial LINE: what the other end of that says to the line.
dial() { perl -MIO::Socket::INET -e '$c = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or die; print $c "$ARGV[1]\n" if $ARGV[1] ne ""; print while <$c>' "$port" "$1"; }

# ended: ends it; what else it said.
ended() { end_watching; sed "s/\b$port\b/PORT/g" <&3; }

# over: what else it said, once it has ended by itself.
over() { sed "s/\b$port\b/PORT/g" <&3; watching=; }

# end_watching: ends what runs beside the story, if it does still.
end_watching() {
    { kill $watching && wait $watching; } 2>killed
    watching=
}

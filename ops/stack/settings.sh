# What every script of the stack knows: where things are, which services there are, and a few words to say it with.

SERVICES="calls gateway"

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VENV=$ROOT/.venv
STACK_DIR=${STACK_DIR:-.stack}
[[ $STACK_DIR == /* ]] || STACK_DIR=$ROOT/$STACK_DIR
export STACK_DIR LC_ALL=C.UTF-8

say() { printf '%s\n' "$*"; }

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

usable_python() {
    local python
    for python in "${PYTHON:-}" python3.11 /usr/bin/python3.11 python3.12 /usr/bin/python3.12 python3; do
        [ -n "$python" ] || continue
        "$python" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null || continue
        "$python" -c 'import sys; print(sys.executable)'
        return
    done
    return 1
}

wait_until() { # SECONDS COMMAND...
    local deadline=$((SECONDS + $1))
    shift
    until "$@" 2>/dev/null; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.05
    done
}

secret() { # NAME: a random word, made once
    local file=$STACK_DIR/secrets/$1
    [ -s "$file" ] || (umask 077 && od -An -N20 -tx1 /dev/urandom | tr -d ' \n' >"$file")
    cat "$file"
}

pid_of() { # SERVER: its process, if it runs and is really ours
    local pid
    pid=$(head -n1 "$STACK_DIR/$1/pid" 2>/dev/null) || true
    [ -n "$pid" ] && grep -qsaF "$STACK_DIR" "/proc/$pid/cmdline" "/proc/$pid/environ" && echo "$pid"
}

runs() { pid_of "$1" >/dev/null; }

stop() { # SERVER SIGNAL SECONDS: ask, wait, insist
    local pid
    pid=$(pid_of "$1") || return 0
    kill -s "$2" "$pid" 2>/dev/null || true
    wait_until "$3" gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
    wait_until 5 gone "$pid"
    rm -f "$STACK_DIR/$1/pid"
}

gone() { ! kill -0 "$1" 2>/dev/null || grep -qs '^State:.Z' "/proc/$1/status"; }

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

one_at_a_time() {
    exec 9>"$STACK_DIR/lock"
    flock --wait 180 9 || die "Another command has been working on $STACK_DIR for three minutes; wait for it, then try again."
}

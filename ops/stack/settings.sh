# What every script of the stack shares: where things are, and functions about processes, secrets and messages.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
VENV=$ROOT/.venv
STACK_DIR=${STACK_DIR:-.stack}
STACK_DIR=$(cd "$ROOT" && realpath -m "$STACK_DIR")
export STACK_DIR LC_ALL=C.UTF-8 PATH=$PATH:/usr/sbin:/sbin

# The path is written unquoted into the settings of other programs.
if [[ $STACK_DIR =~ [[:space:]\'\"\|\$\\] ]]; then
    echo "The path $STACK_DIR contains a space or a quote, which nginx and RabbitMQ do not support: use another folder." >&2
    exit 1
fi

say() { printf '%s\n' "$*"; }

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

declared_services() { # names|databases|procfile: what tools/services.py derives from the services' declarations
    (cd "$ROOT" && PATH=$VENV/bin:$PATH exec python -m tools.services "$1")
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

secret() { # NAME: a random password, generated once
    local file=$STACK_DIR/secrets/$1
    [ -s "$file" ] || (umask 077 && od -An -N20 -tx1 /dev/urandom | tr -d ' \n' >"$file")
    cat "$file"
}

write_private_file() { # FILE: from standard input; replaced only if the content differs, so that its age is that of the last change
    (umask 077 && cat >"$1.new")
    if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}

pid_of() { # SERVER: its process id, if it runs and belongs to this stack
    local pid
    pid=$(head -n1 "$STACK_DIR/$1/pid" 2>/dev/null) || true
    [ -n "$pid" ] && grep -qsaF "$STACK_DIR" "/proc/$pid/cmdline" "/proc/$pid/environ" && echo "$pid"
}

runs() { pid_of "$1" >/dev/null; }

stop() { # PART SIGNAL SECONDS: signal, wait, kill; then the same for its processes without a parent
    local pid
    if pid=$(pid_of "$1"); then
        kill -s "$2" "$pid" 2>/dev/null || true
        wait_until "$3" gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
        wait_until 5 gone "$pid" || true
    fi
    rm -f "$STACK_DIR/$1/pid"
    sweep "$1"
}

sweep() { # PART
    local signal pid
    for signal in TERM KILL; do
        wait_until 0 nothing_left_of "$1" && return
        for pid in $(processes_of "$1"); do kill -s "$signal" "$pid" 2>/dev/null || true; done
        wait_until 5 nothing_left_of "$1" || true
    done
}

# Every process has the name of its part in its environment, so that it is found even when its parent is gone.
mark() { echo "CALL_JOURNAL_PART=$STACK_DIR:$1"; }

processes_of() { grep -lsazxF "$(mark "$1")" /proc/[0-9]*/environ | cut -d/ -f3 || true; }

nothing_left_of() { [ -z "$(processes_of "$1")" ]; }

gone() { ! kill -0 "$1" 2>/dev/null || grep -qs '^State:.Z' "/proc/$1/status"; }

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

one_at_a_time() {
    [ -O "$STACK_DIR" ] || die "$STACK_DIR belongs to $(stat -c %U "$STACK_DIR"): work as that user."
    exec 9>"$STACK_DIR/lock"
    flock --wait 180 9 || die "Another command has been working on $STACK_DIR for three minutes; wait for it, then try again."
}

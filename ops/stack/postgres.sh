# A private PostgreSQL cluster that listens on 127.0.0.1 only: no socket file, passwords always, fsync and synchronous_commit on.

POSTGRES_BIN=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n1)

postgres_up() {
    local dir=$STACK_DIR/postgres
    if runs postgres; then return 0; fi
    mkdir -p "$dir"
    choose_postgres_user
    secret postgres_admin >/dev/null
    [ -s "$dir/data/PG_VERSION" ] || create_cluster
    remove_stale_lock_file
    (cd "$dir" && "${AS_POSTGRES[@]}" "$POSTGRES_BIN/pg_ctl" start --silent --wait --timeout 60 \
        --pgdata "$dir/data" --log "$dir/log" --options "-c port=$POSTGRES_PORT -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories='' -c external_pid_file='$dir/pid' -c max_connections=200 -c jit=off \
        -c fsync=on -c synchronous_commit=on -c full_page_writes=on" 9>&- >/dev/null) ||
        die "PostgreSQL did not start; its last log lines: $(tail -n3 "$dir/log")"
    say "PostgreSQL  127.0.0.1:$POSTGRES_PORT"
}

# PostgreSQL refuses root: run it as user postgres, or as a unprivileged user of a namespace who owns the same files (docs/decisions/0001-run-a-private-stack-from-the-checkout.md).
choose_postgres_user() {
    local dir=$STACK_DIR/postgres
    local other=(setpriv --reuid=postgres --regid=postgres --init-groups) namespace_user=(unshare --user --map-user=1000 --map-group=1000)
    AS_POSTGRES=()
    [ "$(id -u)" = 0 ] || return 0
    if "${other[@]}" test -x "$STACK_DIR" 2>/dev/null; then
        AS_POSTGRES=("${other[@]}")
        chown -R postgres: "$dir"
    elif "${namespace_user[@]}" true 2>/dev/null; then
        AS_POSTGRES=("${namespace_user[@]}")
        chown -R root: "$dir"
    else
        die "PostgreSQL does not run as root: put the checkout where user postgres can reach it (not under $HOME), or work as an ordinary user."
    fi
}

create_cluster() {
    local dir=$STACK_DIR/postgres
    say "PostgreSQL  creating the cluster"
    rm -rf "$dir/data"
    install -m 600 "$STACK_DIR/secrets/postgres_admin" "$dir/password"
    [ "$(id -u)" != 0 ] || chown --reference="$dir" "$dir/password"
    (cd "$dir" && "${AS_POSTGRES[@]}" "$POSTGRES_BIN/initdb" --pgdata "$dir/data.new" --username admin --auth scram-sha-256 \
        --pwfile "$dir/password" --encoding UTF8 --locale C.UTF-8 --no-sync >"$dir/initdb.log" 2>&1) ||
        die "PostgreSQL could not make its cluster: $(tail -n3 "$dir/initdb.log")"
    mv "$dir/data.new" "$dir/data"
    rm "$dir/password"
}

# A killed server leaves its lock file, and PostgreSQL refuses to start while the dead process is not reaped. No process in the folder is proof enough.
remove_stale_lock_file() {
    [ -e "$STACK_DIR/postgres/data/postmaster.pid" ] || return 0
    wait_until 30 no_process_in "$STACK_DIR/postgres/data" ||
        die "A process still uses $STACK_DIR/postgres/data; stop it with 'make down'."
    rm -f "$STACK_DIR/postgres/data/postmaster.pid"
}

# Some processes cannot be read, and some end meanwhile; the others count.
no_process_in() { ! { readlink /proc/[0-9]*/cwd 2>/dev/null || true; } | grep -xF "$1" >/dev/null; }

provision_databases() { # SERVICE...
    local service
    for service; do
        SERVICE=$service OWNER_PASSWORD=$(secret "postgres_${service}_owner") APP_PASSWORD=$(secret "postgres_${service}_app") \
            RO_PASSWORD=$(secret "postgres_${service}_ro") PGPASSWORD=$(secret postgres_admin) PGOPTIONS="-c client_min_messages=warning" \
            "$POSTGRES_BIN/psql" --no-psqlrc --quiet --file "$ROOT/ops/stack/postgres.sql" \
            "host=${POSTGRES_HOST:-127.0.0.1} port=$POSTGRES_PORT user=admin dbname=postgres" >/dev/null ||
            die "The database of $service could not be prepared; PostgreSQL's log is $STACK_DIR/postgres/log."
    done
}

migrate() { # SERVICE...
    local service
    for service; do
        (cd "$ROOT" && ops/stack/run-as-service "$service" python -m shared.plumbing.migrate "services/$service") >"$STACK_DIR/log/migrate.log" ||
            die "The tables of $service could not be brought up to date; see above."
    done
}

postgres_down() { stop postgres INT 30; }

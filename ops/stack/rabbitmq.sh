# A private RabbitMQ node: own name, ports, cookie and epmd. Exchanges, queues and rights are loaded before it accepts a connection.

RABBITMQ_BIN=/usr/lib/rabbitmq/bin

rabbitmq() { # PROGRAM ARGUMENTS...: run one of RabbitMQ's programs against this node
    (rabbitmq_environment && exec "$RABBITMQ_BIN/$1" "${@:2}")
}

rabbitmq_environment() {
    local dir=$STACK_DIR/rabbitmq
    export "$(mark rabbitmq)" HOME=$dir ERL_EPMD_PORT=$EPMD_PORT ERL_EPMD_ADDRESS=127.0.0.1
    export RABBITMQ_NODENAME=journal-$(secret rabbitmq_node)@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
    export RABBITMQ_NODE_PORT=$AMQP_PORT RABBITMQ_DIST_PORT=$DIST_PORT
    export RABBITMQ_CTL_DIST_PORT_MIN=$((EDGE_PORT + 10)) RABBITMQ_CTL_DIST_PORT_MAX=$((EDGE_PORT + 19))
    export RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE=$dir/rabbitmq.conf RABBITMQ_CONFIG_FILES=$dir/none
    export RABBITMQ_ADVANCED_CONFIG_FILE=$dir/advanced.config RABBITMQ_ENABLED_PLUGINS_FILE=$dir/enabled_plugins
    export RABBITMQ_MNESIA_BASE=$dir/mnesia RABBITMQ_GENERATED_CONFIG_DIR=$dir/config RABBITMQ_SCHEMA_DIR=$dir/schema
    export RABBITMQ_LOG_BASE=$dir RABBITMQ_LOGS=$dir/log RABBITMQ_PID_FILE=$dir/pid
    export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+sbwt short +sbwtdio short +sbwtdcpu short -kernel inet_dist_use_interface {127,0,0,1}"
}

rabbitmq_up() {
    local dir=$STACK_DIR/rabbitmq
    mkdir -p "$dir"
    write_definitions
    if runs rabbitmq; then
        cmp -s "$dir/definitions.json" "$dir/loaded.json" || rabbitmq rabbitmqctl import_definitions "$dir/definitions.json" >/dev/null
        cp -p "$dir/definitions.json" "$dir/loaded.json"
        return
    fi
    write_rabbitmq_settings
    epmd_up
    rm -f "$dir/pid"
    (rabbitmq_environment && cd "$dir" && exec setsid "$RABBITMQ_BIN/rabbitmq-server") 9>&- </dev/null >"$dir/out" 2>&1 &
    RABBITMQ_STARTS=$!
}

write_definitions() {
    local dir=$STACK_DIR/rabbitmq
    (umask 077 && definitions >"$dir/definitions.json.new") || die "The exchanges and queues could not be listed (python -m tools.definitions); see above."
    mv "$dir/definitions.json.new" "$dir/definitions.json"
}

definitions() (
    cd "$ROOT"
    for user in admin $(declared_services names); do
        export "AMQP_PASSWORD_${user^^}=$(secret "amqp_$user")"
    done
    PATH=$VENV/bin:$PATH python -m tools.definitions
)

write_rabbitmq_settings() {
    local dir=$STACK_DIR/rabbitmq
    rm -f "$dir/.erlang.cookie"
    (umask 077 && secret rabbitmq_cookie >"$dir/.erlang.cookie")
    chmod 400 "$dir/.erlang.cookie"
    echo '[].' >"$dir/enabled_plugins"
    cat >"$dir/rabbitmq.conf" <<CONF
load_definitions = $dir/definitions.json
disk_free_limit.absolute = 50MB
raft.wal_max_size_bytes = 67108864
CONF
}

epmd_up() { # started by hand, so that its process is known and can be stopped
    if runs epmd; then return 0; fi
    mkdir -p "$STACK_DIR/epmd"
    env "$(mark epmd)" setsid epmd -address 127.0.0.1 -port "$EPMD_PORT" 9>&- </dev/null >"$STACK_DIR/epmd/log" 2>&1 &
    echo $! >"$STACK_DIR/epmd/pid"
    wait_until 10 listens "$EPMD_PORT" || die "RabbitMQ's name server (epmd) did not start: $(cat "$STACK_DIR/epmd/log")"
}

rabbitmq_ready() {
    [ -n "${RABBITMQ_STARTS:-}" ] || return 0
    wait_until 120 rabbitmq_answered_or_died && listens "$AMQP_PORT" ||
        die "RabbitMQ did not start; its last log lines: $(cat "$STACK_DIR/rabbitmq/"{out,log} 2>/dev/null | grep . | tail -n4)"
    cp -p "$STACK_DIR/rabbitmq/definitions.json" "$STACK_DIR/rabbitmq/loaded.json"
    say "RabbitMQ    127.0.0.1:$AMQP_PORT"
}

rabbitmq_answered_or_died() { listens "$AMQP_PORT" || gone "$RABBITMQ_STARTS"; }

rabbitmq_down() {
    stop rabbitmq TERM 30
    stop epmd TERM 5
}

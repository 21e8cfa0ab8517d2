# The stack's ports: a block of 40 from a base. See docs/decisions/0001-run-a-private-stack-from-the-checkout.md.

choose_ports() {
    if anything_runs; then
        . "$STACK_DIR/ports"
        [ "${STACK_PORT:-$EDGE_PORT}" = "$EDGE_PORT" ] ||
            die "This stack already runs on port $EDGE_PORT; stop it with 'make down' before you move it to $STACK_PORT."
        return
    fi
    local base
    if [ -n "${STACK_PORT:-}" ]; then
        [[ $STACK_PORT =~ ^[0-9]{4,5}$ ]] && [ "$STACK_PORT" -ge 1024 ] && [ "$STACK_PORT" -le 65400 ] ||
            die "STACK_PORT=$STACK_PORT: give a port between 1024 and 65400."
        block_is_free "$STACK_PORT" ||
            die "STACK_PORT=$STACK_PORT: port $TAKEN of the block $STACK_PORT-$((STACK_PORT + 39)) is taken; choose another, or leave STACK_PORT out."
        base=$STACK_PORT
    else
        base=$(first_free_block) || die "No free block of 40 ports was found; choose one with STACK_PORT=."
    fi
    write_ports "$base"
}

anything_runs() {
    [ -s "$STACK_DIR/ports" ] || return 1
    local server
    for server in edge postgres redis rabbitmq; do
        if runs "$server"; then return 0; fi
    done
    return 1
}

first_free_block() {
    local base saved="" first=28400
    [ ! -s "$STACK_DIR/ports" ] || saved=$(. "$STACK_DIR/ports" && echo "$EDGE_PORT")
    [[ $STACK_DIR != */test ]] || first=28500
    for base in $saved $(seq $first 100 32700); do
        if block_is_free "$base"; then
            echo "$base"
            return
        fi
    done
    return 1
}

block_is_free() {
    local port listening
    listening=" $(listening_ports) "
    for port in $(seq "$1" $(($1 + 39))); do
        TAKEN=$port
        [[ $listening != *" $port "* ]] || return 1
    done
}

listening_ports() {
    local hex
    for hex in $(awk '$4 == "0A" { sub(/.*:/, "", $2); print $2 }' /proc/net/tcp /proc/net/tcp6 2>/dev/null); do
        printf '%d ' "0x$hex"
    done
}

write_ports() {
    EDGE_PORT=$1 GATEWAY_PORT=$(($1 + 1)) RECORDINGS_PORT=$(($1 + 3))
    POSTGRES_PORT=$(($1 + 4)) REDIS_PORT=$(($1 + 5)) AMQP_PORT=$(($1 + 6)) EPMD_PORT=$(($1 + 7)) DIST_PORT=$(($1 + 8))
    local name
    for name in EDGE GATEWAY RECORDINGS POSTGRES REDIS AMQP EPMD DIST; do
        name=${name}_PORT
        echo "$name=${!name}"
    done >"$STACK_DIR/ports"
}

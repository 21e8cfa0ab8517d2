# nginx in front of the services: one origin for the API, the page and media; errors as problem+json.

. "$(dirname "${BASH_SOURCE[0]}")/proxies.sh"

choose_ports_and_hold_them() { # another stack may have chosen the same block a moment ago: then the next
    local _
    for _ in 1 2 3 4 5; do
        choose_ports
        edge_up && return
    done
    die "The edge (nginx) did not start; its last log lines: $(tail -n2 "$STACK_DIR/edge/log")"
}

edge_settings() { # DIR LISTEN GATEWAY RECORDINGS: the configuration of nginx
    local user=""
    [ "$(id -u)" != 0 ] || user="user root;"
    with_trusted_proxies "$ROOT/ops/stack/nginx.conf" |
        sed -e "s|@DIR@|$1|; s|@USER@|$user|; s|@LOG@|$1/log|; s|@ACCESS_LOG@|$1/access.log|; s|@LISTEN@|$2|" \
            -e "s|@RESOLVER@||; s|@GATEWAY@|$3|; s|@RECORDINGS@|$4|"
}

edge_up() {
    local dir=$STACK_DIR/edge
    mkdir -p "$dir"
    edge_settings "$dir" "127.0.0.1:$EDGE_PORT" "127.0.0.1:$GATEWAY_PORT" "127.0.0.1:$RECORDINGS_PORT" >"$dir/nginx.conf.new"
    if runs edge; then
        cmp -s "$dir/nginx.conf.new" "$dir/nginx.conf" && return
        mv "$dir/nginx.conf.new" "$dir/nginx.conf"
        kill -HUP "$(pid_of edge)"
        return
    fi
    mv "$dir/nginx.conf.new" "$dir/nginx.conf"
    nginx -e "$dir/log" -p "$dir" -c "$dir/nginx.conf" 9>&- >/dev/null 2>&1 || return
    say "Edge        http://127.0.0.1:$EDGE_PORT"
}

edge_down() { stop edge TERM 10; }

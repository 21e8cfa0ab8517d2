# Redis holds only data that may be lost: nothing is written to disk, the least recently used keys are evicted first.

redis_up() {
    local dir=$STACK_DIR/redis
    if runs redis; then return 0; fi
    mkdir -p "$dir"
    (umask 077 && cat >"$dir/redis.conf") <<CONF
bind 127.0.0.1
port $REDIS_PORT
daemonize yes
pidfile $dir/pid
logfile $dir/log
dir $dir
save ""
appendonly no
maxmemory 64mb
maxmemory-policy allkeys-lru
set-proc-title no
$(redis_users)
CONF
    redis-server "$dir/redis.conf" 9>&- >/dev/null || die "Redis did not start; its log is $dir/log."
    wait_until 10 listens "$REDIS_PORT" || die "Redis does not answer; its last log lines: $(tail -n2 "$dir/log")"
    say "Redis       127.0.0.1:$REDIS_PORT"
}

redis_users() {
    cat <<ACL
user default off
user admin on >$(secret redis_admin) ~* &* +@all
user gateway on >$(secret redis_gateway) ~* &* +@all -@dangerous +info
ACL
}

redis_down() { stop redis TERM 10; }

# The project's own processes: those that the services declare, under honcho, and the simulator.

services_up() {
    local dir=$STACK_DIR/services
    mkdir -p "$dir"
    declared_services procfile | write_private_file "$dir/Procfile"
    if runs services && [ -z "$(find "$STACK_DIR/env" "$dir/Procfile" -type f -newer "$dir/pid")" ]; then return 0; fi
    services_down
    cd "$ROOT"
    env "$(mark services)" setsid "$VENV/bin/honcho" start --procfile "$dir/Procfile" 9>&- </dev/null >>"$STACK_DIR/log/services.log" 2>&1 &
    echo $! >"$dir/pid"
    say "Services    starting, their log is $STACK_DIR/log/services.log"
}

services_down() { stop services TERM 15; }

simulator_up() { # ARGUMENTS...
    local dir=$STACK_DIR/simulator
    mkdir -p "$dir"
    if runs simulator; then return 0; fi
    (
        cd "$ROOT"
        set -a
        . "$STACK_DIR/demo.env"
        env "$(mark simulator)" setsid "$VENV/bin/python" -m tools.simulator "$@" 9>&- </dev/null >>"$STACK_DIR/log/simulator.log" 2>&1 &
        echo $! >"$dir/pid"
    )
}

simulator_down() { stop simulator TERM 5; }

# shellcheck shell=bash
# Starts a node of our own in the scratch folder. Sourced after lib.sh.

secret() { python3 -c 'import secrets; print(secrets.token_hex(32))'; }

# write_node_config FOLDER STORE_URL [PORT_BASE]: a node on loopback with a closed dataspace; sets NODE_*_PORT.
write_node_config() {
  local folder=$1 store=$2 listener port
  mkdir -p "$folder"
  (
    umask 077
    secret >"$folder/fondaco.key"
    secret >"$folder/admin.secret"
  )
  {
    printf '[node]\nname = "node-1"\n[store]\nurl = "%s"\n[vault]\nkey_file = "%s/fondaco.key"\n' "$store" "$folder"
    for listener in protocol management signaling public internal observability; do
      port=$(free_port)
      printf -v "NODE_${listener}_PORT" '%s' "$port"
      printf '[listener.%s]\nbind = "127.0.0.1:%s"\n' "$listener" "$port"
    done
    printf '[listener.operator]\nbind = "unix:%s/fondaco.sock"\n' "$folder"
    # shellcheck disable=SC2154
    printf '[public]\nprotocol_url = "http://127.0.0.1:%s"\nsignaling_url = "http://127.0.0.1:%s"\ndata_url = "http://127.0.0.1:%s"\n' \
      "$NODE_protocol_PORT" "$NODE_signaling_PORT" "$NODE_public_PORT"
    printf '[outbound]\nallow_private_addresses = true\nallow_http = true\n'
    # shellcheck disable=SC2154
    printf '[auth]\nissuer = "http://127.0.0.1:%s"\n' "$NODE_management_PORT"
    printf '[[api_client]]\nid = "admin"\nrole = "admin"\nsecret_file = "%s/admin.secret"\n' "$folder"
    printf 'scopes = ["management-api:admin", "management-api:read", "management-api:write"]\n'
    printf '[[dataspace_profile]]\nname = "closed"\nidentity = "token"\n'
  } >"$folder/fondaco.toml"
}

# start_node FOLDER: runs the node of that folder until the script ends.
start_node() {
  local folder=$1
  build/release/bin/fondaco serve --config "$folder/fondaco.toml" >"$folder/node.out" 2>"$folder/node.log" &
  SCRATCH_PIDS+=($!)
  NODE_PID=$!
  wait_for "the node (its log is $folder/node.log)" 300 node_says_ready "$folder" || {
    tail -n 5 "$folder/node.log" >&2
    return 1
  }
}

node_says_ready() { grep -qx ready "$1/node.out"; }

# prepare_dsp_node: a node with everything that the DSP kit needs, and the arguments of dsp_driver in DRIVER.
prepare_dsp_node() {
  local folder=$SCRATCH/node kit_port=$1
  write_node_config "$folder" "$folder/fondaco.db"
  start_node "$folder"
  (umask 077 && secret >"$SCRATCH/counterparty.token")
  DRIVER=(build/release/bin/dsp_driver
    --management-url "http://127.0.0.1:$NODE_management_PORT" --protocol-url "http://127.0.0.1:$NODE_protocol_PORT"
    --token-url "http://127.0.0.1:$NODE_management_PORT/oauth2/token" --client-id admin
    --secret-file "$folder/admin.secret" --counterparty-token-file "$SCRATCH/counterparty.token"
    --data-plane-url "http://127.0.0.1:$NODE_signaling_PORT/api/dataplane/cut"
    --properties "$SCRATCH/tck.properties" --kit "127.0.0.1:$kit_port" --wait 8)
}

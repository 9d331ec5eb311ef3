# shellcheck shell=bash
# Starts a node of our own in the scratch folder. Sourced after lib.sh.

secret() { python3 -c 'import secrets; print(secrets.token_hex(32))'; }

# write_node_config FOLDER STORE_URL: a node on loopback with a closed dataspace; sets NODE_*_PORT.
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
    printf 'scopes = ["management-api:admin", "management-api:read", "management-api:write"%s]\n' "${NODE_MORE_SCOPES:-}"
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

# prepare_dcp_node KIT_PORT: a node with all roles that trusts the issuer at that port, and $SCRATCH/dcp.properties, by
# which dcp_conformance makes it ready and drives it.
prepare_dcp_node() {
  local folder=$SCRATCH/node kit_port=$1
  NODE_MORE_SCOPES=', "identity-api:admin", "issuer-admin-api:admin"' write_node_config "$folder" "$folder/fondaco.db"
  # The issuer's keys are fresh in each run, and it has no certificate.
  cat >>"$folder/fondaco.toml" <<TOML
[identity]
did_web_http = true
did_cache_ms = 0
[[trusted_issuer]]
did = "did:web:localhost%3A$kit_port:issuer"
types = ["*"]
[[dataspace_profile]]
name = "dcp"
identity = "dcp"
scopes = ["org.eclipse.dspace.dcp.vc.type:MembershipCredential:read"]
TOML
  start_node "$folder"
  cat >"$SCRATCH/dcp.properties" <<PROPERTIES
dataspacetck.callback.address=http://localhost:$kit_port
dataspacetck.host=127.0.0.1
dataspacetck.port=$kit_port
dataspacetck.credentials.correlation.id=issuance-correlation-id
fondaco.management.url=http://127.0.0.1:$NODE_management_PORT
fondaco.protocol.url=http://localhost:$NODE_protocol_PORT
fondaco.client.id=admin
fondaco.client.secret.file=$folder/admin.secret
fondaco.dataspace.profile=dcp
PROPERTIES
}

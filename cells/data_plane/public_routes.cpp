#include <algorithm>
#include <utility>

#include "actors/ports/log.hpp"
#include "cells/data_plane/data_flow.hpp"
#include "cells/data_plane/pull_gate.hpp"
#include "cells/data_plane/routes.hpp"
#include "cells/data_plane/source.hpp"
#include "cells/span.hpp"
#include "protocols/base/hash.hpp"

namespace fondaco::data_plane {

pull_gate& process_pull_gate() {
  static pull_gate gate;
  return gate;
}

namespace {

using cells::cell_services;
using gateway::request;
using gateway::response;
using gateway::task;

// The token as EDC's planes take it: raw, or as a bearer token.
std::string token_of(const request& r) {
  std::string text(gateway::header(r, "authorization").value_or(""));
  if (text.size() > 7) {
    auto scheme = text.substr(0, 7);
    std::transform(scheme.begin(), scheme.end(), scheme.begin(), [](unsigned char c) { return std::tolower(c); });
    if (scheme == "bearer ")
      text.erase(0, 7);
  }
  return text;
}

struct granted_pull {
  int status = 403;
  tenant owner{""};
  std::string flow;
  json::object source;
  /// The trace that the flow began in; empty for none.
  std::string traceparent;
};

// Whether the token opens the flow now, and what the flow's source is. Blocks: for the reader pool. A flow that does
// not exist looks like a token that opens nothing.
granted_pull look_up(cell_services& s, const std::string& flow, const std::string& token) {
  granted_pull out;
  auto presented = hex(sha256(token));
  auto key = s.journal.resolve_name(token_name_space, presented);
  if (!key)
    return {503, tenant(""), "", {}, ""};
  if (!*key || (*key)->id != flow)
    return out;
  auto row = s.journal.read_row(**key);
  if (!row)
    return {503, tenant(""), "", {}, ""};
  auto view = *row ? json::parse((*row)->view) : json::parse("null");
  if (!*row || !view || !view->is_object() || (*row)->status != dps::name_of(dps::flow_state::started))
    return out;
  const auto& o = view->get_object();
  auto digest = json::string_at(o, "tokenDigest").value_or("");
  if (digest.empty() || !constant_time_equal(digest, presented))
    return out; // an older token of the same flow
  auto opened = s.vault.open((*key)->owner, json::string_at(o, "source").value_or(""));
  auto source = opened ? json::parse(*opened) : json::parse("null");
  if (!source || !source->is_object())
    return {500, tenant(""), "", {}, ""};
  return {200, (*key)->owner, (*key)->id, source->get_object(),
          std::string(json::string_at(o, "traceparent").value_or(""))};
}

// The correlation id of a pull that names no trace is its flow's, which both control planes have.
std::string correlation_of(const granted_pull& g, const request& r) {
  const bool named = gateway::header(r, "traceparent") || gateway::header(r, "x-request-id");
  auto own = named ? std::string() : cells::trace_id_of(g.traceparent);
  return own.empty() ? r.correlation_id : own;
}

void note(const granted_pull& g, const request& r, int status) {
  write_log({severity::info,
             "data_plane",
             log_category::audit,
             "a pull was answered",
             {{"participant_context", g.owner.id()},
              {"entity_id", g.flow},
              {"status", std::to_string(status)},
              {"correlation_id", correlation_of(g, r)}}});
}

// Counts a pull while it is under way, its bytes, and how it ended.
class counted_source final : public gateway::body_source {
public:
  counted_source(std::shared_ptr<body_source> inner, gateway::metrics& counts, std::string owner,
                 std::optional<uint64_t> length)
      : inner_(std::move(inner)), counts_(counts), owner_(std::move(owner)), length_(length) {
    counts_.add("fondaco_data_plane_pulls_open", {owner_});
  }
  ~counted_source() override {
    counts_.add("fondaco_data_plane_pulls_open", {owner_}, -1);
    counts_.add("fondaco_data_plane_pulls_total", {owner_, whole_ ? "whole" : "broken_off"});
  }
  task<std::expected<std::string_view, fault>> next() override {
    auto piece = co_await inner_->next();
    if (piece) {
      bytes_ += piece->size();
      whole_ = length_ ? bytes_ == *length_ : piece->empty();
      counts_.add("fondaco_data_plane_bytes_total", {owner_}, static_cast<double>(piece->size()));
    }
    co_return piece;
  }

private:
  std::shared_ptr<body_source> inner_;
  gateway::metrics& counts_;
  std::string owner_;
  std::optional<uint64_t> length_;
  uint64_t bytes_ = 0;
  bool whole_ = false;
};

// Ends a pull's span with its last byte, or where it breaks off.
class traced_source final : public gateway::body_source {
public:
  traced_source(std::shared_ptr<body_source> inner, std::shared_ptr<cells::work_span> span,
                std::optional<uint64_t> length)
      : inner_(std::move(inner)), span_(std::move(span)), length_(length) {}
  ~traced_source() override {
    span_->with("bytes", std::to_string(bytes_));
    if (!whole_)
      span_->fail("broken off");
  }
  task<std::expected<std::string_view, fault>> next() override {
    auto piece = co_await inner_->next();
    if (piece) {
      bytes_ += piece->size();
      whole_ = length_ ? bytes_ == *length_ : piece->empty();
    }
    co_return piece;
  }

private:
  std::shared_ptr<body_source> inner_;
  std::shared_ptr<cells::work_span> span_;
  std::optional<uint64_t> length_;
  uint64_t bytes_ = 0;
  bool whole_ = length_ && *length_ == 0;
};

// A pull belongs to the trace that its caller names, else to its flow's.
std::shared_ptr<cells::work_span> span_of(const cell_services& s, const request& r, const granted_pull& g) {
  const bool named = gateway::header(r, "traceparent").has_value();
  auto trace = named || g.traceparent.empty() ? r.traceparent : g.traceparent;
  auto out = std::make_shared<cells::work_span>(s, "pull", std::move(trace));
  out->with("participant_context", g.owner.id()).with("entity_id", g.flow);
  return out;
}

task<response> pull(cell_services& s, std::shared_ptr<const request> r) {
  auto token = token_of(*r);
  if (token.empty()) {
    auto missing = pull_error(401, "The Authorization header is missing.");
    missing.headers.emplace_back("WWW-Authenticate", "Bearer");
    co_return missing;
  }
  auto path = r->params.find("flow")->second;
  auto looking = actors::in_pool(s.pool, s.edge, [&s, path, token] { return look_up(s, path, token); });
  auto found = co_await std::move(looking);
  if (!found)
    co_return pull_error(503, "Too many reads wait; ask again.");
  if (found->status != 200) {
    note(*found, *r, found->status);
    co_return pull_error(found->status, found->status == 403 ? "The token does not open this."
                                                             : "The data cannot be read now; ask again.");
  }
  auto place = process_pull_gate().enter(found->owner, found->flow, s.settings.pulls_per_flow_max);
  if (!place)
    co_return pull_error(429, "Too many pulls of this data flow are under way; ask again.");
  pull_request what;
  what.method = r->method;
  auto rest = r->params.find("rest");
  what.rest = rest == r->params.end() ? "" : rest->second;
  what.query = r->query;
  auto span = span_of(s, *r, *found);
  auto owner = found->owner;
  auto source = std::move(found->source);
  auto answer = co_await open_source(s, std::move(owner), std::move(source), std::move(what), std::move(place));
  note(*found, *r, answer.status);
  if (answer.stream && s.counts)
    answer.stream =
        std::make_shared<counted_source>(std::move(answer.stream), *s.counts, found->owner.id(), answer.content_length);
  if (answer.status >= 400)
    span->fail("status " + std::to_string(answer.status));
  if (answer.stream && s.traces && r->method != "HEAD")
    answer.stream = std::make_shared<traced_source>(std::move(answer.stream), std::move(span), answer.content_length);
  co_return answer;
}

} // namespace

} // namespace fondaco::data_plane

namespace fondaco::cells {

void add_public_routes(gateway::router& to, cell_services& s) {
  auto handle = [&s](std::shared_ptr<const gateway::request> r) { return data_plane::pull(s, std::move(r)); };
  to.add("GET", "/api/public/{flow}", handle);
  to.add("GET", "/api/public/{flow}/{rest...}", handle);
}

} // namespace fondaco::cells

#include "cells/participants/client_registry.hpp"

#include <utility>

#include "protocols/json/json.hpp"

namespace fondaco::cells {

namespace {

using found_client = std::expected<std::optional<gateway::api_client>, fault>;

fault not_answering() { return {"unavailable", "The registry of API clients does not answer.", cure::retry}; }

// Blocks: for the reader pool.
found_client read_client(cell_services& s, const std::string& client_id) {
  auto found = s.documents.get({node_tenant, kinds::api_client, client_id});
  if (!found)
    return std::unexpected(not_answering());
  if (!*found)
    return std::nullopt;
  auto body = json::parse((*found)->body);
  if (!body || !body->is_object())
    return std::nullopt;
  auto client = gateway::api_client_from_json(body->get_object());
  return client ? found_client(std::move(*client)) : std::nullopt;
}

} // namespace

client_registry::client_registry(services_ref services, gateway::static_registry configured, client_cache_limits limits)
    : services_(std::move(services)), configured_(std::move(configured)), limits_(limits) {}

actors::task<found_client> client_registry::find(std::string client_id) {
  auto looking = configured_.find(client_id);
  auto named = co_await std::move(looking);
  if (!named || *named)
    co_return named;
  auto& s = services_();
  const auto now = s.clock.now();
  if (auto known = cached(client_id, now))
    co_return std::move(*known);
  auto reading = actors::in_pool(s.pool, s.edge, [&s, client_id] { return read_client(s, client_id); });
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(not_answering());
  if (*found && **found)
    keep(***found, now);
  co_return std::move(*found);
}

std::optional<gateway::api_client> client_registry::cached(const std::string& client_id, timepoint now) {
  std::scoped_lock lock(mutex_);
  const auto found = entries_.find(client_id);
  if (found == entries_.end() || now - found->second.read_at >= limits_.age_max_ms)
    return std::nullopt;
  return found->second.client;
}

void client_registry::keep(const gateway::api_client& client, timepoint now) {
  std::scoped_lock lock(mutex_);
  entries_.insert_or_assign(client.client_id, entry{client, now});
  order_.emplace_back(client.client_id, now);
  const auto too_old = [&] {
    return order_.size() > limits_.clients_max || now - order_.front().second >= limits_.age_max_ms;
  };
  while (!order_.empty() && too_old()) {
    const auto [id, read_at] = std::move(order_.front());
    order_.pop_front();
    if (const auto held = entries_.find(id); held != entries_.end() && held->second.read_at == read_at)
      entries_.erase(held);
  }
}

} // namespace fondaco::cells

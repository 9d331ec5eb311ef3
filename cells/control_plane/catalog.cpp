#include <algorithm>
#include <tuple>
#include <utility>

#include "cells/control_plane/data_planes.hpp"
#include "cells/control_plane/offers.hpp"
#include "cells/control_plane/policy_reader.hpp"

namespace fondaco::control_plane {

namespace {

using cells::cell_services;
using cells::counterparty;
using persistence::criterion;
using persistence::document;
using persistence::query_error;
using persistence::query_spec;

/// A contract definition whose access policy lets the asker see it.
struct seen_definition {
  std::string id;
  std::vector<criterion> selector;
  json::object contract_policy;
};

/// The definition if the asker may see it and it can make offers.
read_result<std::optional<seen_definition>> see(policy_reader& policies, const tenant& owner, const document& row) {
  const auto body = document_body(row);
  auto access = policies.access(std::string(json::string_at(body, "accessPolicyId").value_or("")));
  if (!access)
    return std::unexpected(std::move(access.error()));
  auto selector = read_selector(body, owner);
  if (!access->allowed || !selector)
    return std::nullopt;
  auto policy = policies.read(std::string(json::string_at(body, "contractPolicyId").value_or("")));
  if (!policy)
    return std::unexpected(std::move(policy.error()));
  if (!*policy || !has_rules(**policy))
    return std::nullopt;
  return seen_definition{row.key.id, std::move(*selector), rules_of(**policy)};
}

read_result<std::vector<seen_definition>> see_definitions(cell_services& s, const tenant& owner,
                                                          const counterparty& asker) {
  policy_reader policies(s, owner, asker);
  std::vector<seen_definition> out;
  query_spec page;
  page.limit = persistence::limits::read_rows_max;
  for (; page.offset < limits::catalog_definitions_max; page.offset += page.limit) {
    auto rows = s.documents.query(owner, cells::kinds::contract_definition, page);
    if (!rows)
      return std::unexpected(std::move(rows.error()));
    for (const auto& row : *rows) {
      auto seen = see(policies, owner, row);
      if (!seen)
        return std::unexpected(std::move(seen.error()));
      if (*seen)
        out.push_back(std::move(**seen));
    }
    if (rows->size() < page.limit)
      break;
  }
  return out;
}

/// One definition's assets in the order of their creation, read piece by piece.
class asset_stream {
public:
  asset_stream(const seen_definition& d, const catalog_query& query) : definition(d) {
    spec_.filter = d.selector;
    spec_.filter.insert(spec_.filter.end(), query.filter.begin(), query.filter.end());
    spec_.descending = query.descending;
    spec_.limit = std::min(query.offset + query.limit + 1, limits::catalog_assets_read_max);
  }

  /// The next asset, or null at the end.
  read_result<const document*> peek(cell_services& s, const tenant& owner) {
    if (at_ == rows_.size() && !last_) {
      auto rows = s.documents.query(owner, cells::kinds::asset, spec_);
      if (!rows)
        return std::unexpected(std::move(rows.error()));
      last_ = rows->size() < spec_.limit;
      spec_.offset += rows->size();
      rows_ = std::move(*rows);
      at_ = 0;
    }
    return at_ < rows_.size() ? &rows_[at_] : nullptr;
  }
  void pop() { ++at_; }

  const seen_definition& definition;

private:
  query_spec spec_;
  std::vector<document> rows_;
  size_t at_ = 0;
  bool last_ = false;
};

/// Makes datasets of assets.
class dataset_writer {
public:
  dataset_writer(cell_services& s, const tenant& owner, std::vector<data_plane_record> planes)
      : s_(s), owner_(owner), planes_(std::move(planes)) {}

  /// The dataset without offers; without distributions nobody could ask for it.
  dsp::dataset begin(const document& row) const {
    const auto asset = document_body(row);
    dsp::dataset out;
    out.id = row.key.id;
    if (const auto* properties = json::object_at(asset, "properties"))
      out.properties = *properties;
    for (auto& type : offered_types(planes_, wishes_of_asset(asset)))
      out.distributions.push_back({std::move(type)});
    return out;
  }
  void add_offer(dsp::dataset& to, const seen_definition& d) const {
    json::object offer;
    offer.emplace("@id", make_offer_id(d.id, to.id, s_.runtime.fresh_id(owner_)));
    offer.emplace("@type", "Offer");
    for (const auto& [name, value] : d.contract_policy)
      offer.emplace(name, value);
    to.offers.push_back(std::move(offer));
  }

private:
  cell_services& s_;
  const tenant& owner_;
  std::vector<data_plane_record> planes_;
};

bool before(const document& a, const document& b, bool descending) {
  const auto left = std::tie(a.created_at, a.key.id), right = std::tie(b.created_at, b.key.id);
  return descending ? right < left : left < right;
}

/// The streams whose next asset is the first of all; empty at the end.
read_result<std::vector<asset_stream*>> heads(cell_services& s, const tenant& owner, std::vector<asset_stream>& streams,
                                              bool descending) {
  std::vector<asset_stream*> out;
  const document* first = nullptr;
  for (auto& stream : streams) {
    auto next = stream.peek(s, owner);
    if (!next)
      return std::unexpected(std::move(next.error()));
    if (!*next)
      continue;
    if (!first || before(**next, *first, descending)) {
      first = *next;
      out.clear();
    }
    if ((*next)->key.id == first->key.id)
      out.push_back(&stream);
  }
  return out;
}

} // namespace

std::expected<catalog_page, query_error> read_catalog(cell_services& s, const tenant& owner, const counterparty& asker,
                                                      const catalog_query& query) {
  auto definitions = see_definitions(s, owner, asker);
  if (!definitions)
    return std::unexpected(std::move(definitions.error()));
  auto planes = read_data_planes(s, owner);
  if (!planes)
    return std::unexpected(std::move(planes.error()));
  const dataset_writer writer(s, owner, std::move(*planes));
  catalog_query bounded = query;
  bounded.limit = std::min(query.limit, limits::catalog_datasets_max);
  std::vector<asset_stream> streams;
  for (const auto& d : *definitions)
    streams.emplace_back(d, bounded);
  catalog_page out;
  for (size_t skipped = 0;;) {
    auto next = heads(s, owner, streams, bounded.descending);
    if (!next)
      return std::unexpected(std::move(next.error()));
    if (next->empty())
      return out;
    auto head = next->front()->peek(s, owner);
    auto dataset = writer.begin(**head);
    const bool shown = !dataset.distributions.empty();
    if (shown && skipped >= bounded.offset && out.datasets.size() == bounded.limit) {
      out.more = true;
      return out;
    }
    for (auto* stream : *next) {
      writer.add_offer(dataset, stream->definition);
      stream->pop();
    }
    if (shown && skipped++ >= bounded.offset)
      out.datasets.push_back(std::move(dataset));
  }
}

std::expected<std::optional<dsp::dataset>, query_error>
read_dataset(cell_services& s, const tenant& owner, const counterparty& asker, const std::string& asset_id) {
  auto asset = s.documents.get({owner, cells::kinds::asset, asset_id});
  if (!asset)
    return std::unexpected(std::move(asset.error()));
  if (!*asset)
    return std::nullopt;
  auto definitions = see_definitions(s, owner, asker);
  if (!definitions)
    return std::unexpected(std::move(definitions.error()));
  auto planes = read_data_planes(s, owner);
  if (!planes)
    return std::unexpected(std::move(planes.error()));
  const dataset_writer writer(s, owner, std::move(*planes));
  auto dataset = writer.begin(**asset);
  for (const auto& d : *definitions) {
    auto selected = selects(s, owner, d.selector, asset_id);
    if (!selected)
      return std::unexpected(std::move(selected.error()));
    if (*selected)
      writer.add_offer(dataset, d);
  }
  if (dataset.offers.empty() || dataset.distributions.empty())
    return std::nullopt;
  return dataset;
}

} // namespace fondaco::control_plane

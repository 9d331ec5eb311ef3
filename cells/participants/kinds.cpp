#include "cells/participants/kinds.hpp"

#include <memory>
#include <utility>

#include "cells/participants/vpa.hpp"
#include "planes/record.hpp"

namespace fondaco::cells {

namespace {

template <class D> actors::entity_kind quiet_kind(std::string name) {
  actors::entity_kind k;
  k.name = std::move(name);
  k.make = [](const persistence::entity_key& key) { return std::make_unique<actors::typed_state<D>>(key); };
  k.run_effect = [](actors::effect_run, std::function<void(std::any)>) {
    invariant(false, "records and agents owe nothing");
  };
  return k;
}

} // namespace

std::vector<actors::entity_kind> participant_kinds() {
  std::vector<actors::entity_kind> out;
  for (const char* name : {kinds::asset, kinds::policy_definition, kinds::contract_definition,
                           kinds::participant_context, kinds::participant_config, kinds::data_plane, kinds::api_client})
    out.push_back(quiet_kind<planes::record>(name));
  out.push_back(quiet_kind<participants::vpa>(std::string(participants::vpa::kind)));
  return out;
}

} // namespace fondaco::cells

#include "cells/identity/kinds.hpp"

#include <memory>
#include <utility>

#include "planes/record.hpp"

namespace fondaco::cells {

std::vector<actors::entity_kind> identity_kinds() {
  std::vector<actors::entity_kind> out;
  for (const char* name : {kinds::identity_context, kinds::key_pair, kinds::did_document, kinds::sts_account}) {
    actors::entity_kind k;
    k.name = name;
    k.make = [](const persistence::entity_key& key) {
      return std::make_unique<actors::typed_state<planes::record>>(key);
    };
    k.run_effect = [](actors::effect_run, std::function<void(std::any)>) { invariant(false, "records owe nothing"); };
    out.push_back(std::move(k));
  }
  return out;
}

} // namespace fondaco::cells

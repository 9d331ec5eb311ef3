#include "cells/identity/trust.hpp"

#include <algorithm>

namespace fondaco::identity {

namespace {

bool counts_for(const trusted_issuer& issuer, std::string_view type, std::string_view profile) {
  const auto names_type = [&](const std::string& t) { return t == "*" || t == type; };
  return std::ranges::any_of(issuer.types, names_type) &&
         (issuer.profiles.empty() || std::ranges::find(issuer.profiles, profile) != issuer.profiles.end());
}

} // namespace

void trust_list::replace(std::vector<trusted_issuer> issuers) {
  auto next = std::make_shared<const std::vector<trusted_issuer>>(std::move(issuers));
  std::scoped_lock lock(mutex_);
  issuers_ = std::move(next);
}

bool trust_list::trusts(std::string_view did, std::string_view type, std::string_view profile) const {
  std::shared_ptr<const std::vector<trusted_issuer>> now;
  {
    std::scoped_lock lock(mutex_);
    now = issuers_;
  }
  return std::ranges::any_of(*now, [&](const auto& one) { return one.did == did && counts_for(one, type, profile); });
}

} // namespace fondaco::identity

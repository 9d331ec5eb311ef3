#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace fondaco::identity {

/// An issuer whose credentials count.
struct trusted_issuer {
  std::string did;
  /// The credential types that it may issue; `*` for all.
  std::vector<std::string> types;
  /// The dataspace profiles in which it counts; empty for all.
  std::vector<std::string> profiles;
  bool operator==(const trusted_issuer&) const = default;
};

/// The node's trusted issuers; replaced as a whole when the configuration is read again. Any thread may call.
class trust_list {
public:
  explicit trust_list(std::vector<trusted_issuer> issuers = {})
      : issuers_(std::make_shared<const std::vector<trusted_issuer>>(std::move(issuers))) {}
  /// Takes over another list.
  void replace(std::vector<trusted_issuer> issuers);
  /// True if the issuer counts for a credential type in a profile.
  bool trusts(std::string_view did, std::string_view type, std::string_view profile) const;

private:
  mutable std::mutex mutex_;
  std::shared_ptr<const std::vector<trusted_issuer>> issuers_;
};

} // namespace fondaco::identity

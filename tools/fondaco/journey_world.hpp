#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/fondaco/demo_node.hpp"
#include "tools/fondaco/journey.hpp"

namespace fondaco::tools {

/// The nodes of the journey: one with all roles, or four.
class journey_world {
public:
  explicit journey_world(const journey_options& o);

  demo_node& cfm() { return *cfm_; }
  demo_node& control() { return *control_; }
  demo_node& credentials() { return *credentials_; }
  demo_node& data() { return *data_; }
  /// Every process once.
  const std::vector<std::unique_ptr<demo_node>>& nodes() const { return nodes_; }

  /// `did:web` of a participant: a public name at the credential service.
  std::string did(const std::string& name) const;
  /// The folder whose files the data plane serves.
  const std::string& files() const { return files_; }

private:
  demo_node& add(const std::string& name, std::vector<std::string> roles, const std::string& store);
  void introduce(const journey_options& o);

  std::string folder_;
  std::string files_;
  std::vector<std::unique_ptr<demo_node>> nodes_;
  demo_node* cfm_ = nullptr;
  demo_node* control_ = nullptr;
  demo_node* credentials_ = nullptr;
  demo_node* data_ = nullptr;
};

/// The dataspace profile of the journey: a segment of DSP URLs.
inline constexpr const char* journey_profile = "dataspace";
/// The credential that its members present.
inline constexpr const char* membership = "MembershipCredential";

} // namespace fondaco::tools

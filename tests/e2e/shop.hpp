#pragma once

#include <filesystem>
#include <string>

#include "e2e/cases.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

/// A provider of a case's own, with a file to share, and the test as its consumer.
class shop {
public:
  explicit shop(bed& b)
      : folder_(b.fresh_folder()), node_(options(b, folder_), folder_ + "/provider"),
        acme_{node_, "acme", "did:web:acme.example", good_attributes}, admin_(node_) {}

  /// Starts the node and puts the file on offer.
  void open() {
    std::filesystem::create_directories(folder_ + "/acme");
    write_private(data_file_, random_bytes(100'000));
    node_.start();
    add_organisation(admin_, acme_);
    trust(admin_, acme_, "peer", peer_identity, good_attributes, token_, random_hex(32));
    add_data_plane(admin_, acme_);
    auto members = policy("attribute.membership", "active");
    publish(admin_, acme_, "dataset-1", file_address(data_file_), members, members);
  }

  peer_negotiation negotiation() { return {dsp_client(acme_.dsp(), token_), other_}; }
  peer& other() { return other_; }
  node& at() { return node_; }
  const organisation& acme() const { return acme_; }
  management& admin() { return admin_; }
  const std::string& folder() const { return folder_; }
  /// The file that is on offer.
  const std::string& data_file() const { return data_file_; }
  /// What the consumer proves itself with; secret.
  const std::string& token() const { return token_; }

private:
  static node_options options(const bed& b, const std::string& folder) {
    node_options o;
    o.name = "provider";
    o.kind = b.kind();
    o.file_roots = {folder};
    return o;
  }

  std::string folder_;
  std::string data_file_ = folder_ + "/acme/data.bin";
  std::string token_ = random_hex(32);
  peer other_;
  node node_;
  organisation acme_;
  management admin_;
};

} // namespace fondaco::e2e

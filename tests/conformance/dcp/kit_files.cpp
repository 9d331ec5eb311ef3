#include "conformance/dcp/kit_files.hpp"

#include <filesystem>
#include <fstream>
#include <vector>

#include "conformance/dcp/cases.hpp"

namespace fondaco::conformance::dcp {

namespace {

using lines = std::vector<std::pair<std::string, std::string>>;

const std::string java_packages = "org.eclipse.dataspacetck.dcp.verification.";

lines common(const settings& s) {
  return {{"callback.address", s.callback_address},
          {"host", s.host},
          {"port", std::to_string(s.port)},
          {"credentials.correlation.id", s.correlation_id},
          {"revocation.type", s.revocation_type},
          {"debug", "true"},
          {"ansi", "false"}};
}

std::expected<void, std::string> write(const std::filesystem::path& file, const lines& all) {
  std::ofstream out(file);
  std::error_code failed;
  std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, failed);
  for (const auto& [key, value] : all) {
    out << "dataspacetck." << key << "=" << value << "\n";
  }
  out.flush();
  if (!out || failed) {
    return std::unexpected(file.string() + " cannot be written");
  }
  return {};
}

} // namespace

std::expected<void, std::string> write_kit_files(const settings& prepared, const std::string& folder) {
  auto holder = common(prepared), issuer = holder, verifier = holder;
  holder.insert(holder.end(), {{"did.holder", prepared.did_holder},
                               {"sts.url", prepared.sts_url},
                               {"sts.client.id", prepared.sts_client_id},
                               {"sts.client.secret", prepared.sts_client_secret},
                               {"test.package", java_packages + packages::presentation_cs + "," + java_packages +
                                                    packages::issuance_cs}});
  issuer.insert(issuer.end(),
                {{"did.issuer", prepared.did_issuer}, {"test.package", java_packages + packages::issuance_issuer}});
  verifier.insert(verifier.end(), {{"did.verifier", prepared.did_verifier},
                                   {"vpp.trigger.endpoint", prepared.trigger_url},
                                   {"test.package", java_packages + packages::presentation_verifier}});
  for (const auto& [name, all] : {std::pair{"holder", &holder}, {"issuer", &issuer}, {"verifier", &verifier}}) {
    if (auto written = write(std::filesystem::path(folder) / (std::string(name) + ".properties"), *all); !written) {
      return written;
    }
  }
  return {};
}

} // namespace fondaco::conformance::dcp

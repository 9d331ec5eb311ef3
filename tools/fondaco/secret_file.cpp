#include "tools/fondaco/secret_file.hpp"

#include <fstream>
#include <sstream>

#include <sys/stat.h>

#include "gateway/api_client.hpp"

namespace fondaco::tools {

std::expected<std::string, fault> read_secret_file(const std::string& path) {
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0 || !S_ISREG(about.st_mode))
    return std::unexpected(
        fault{"secret_unreadable", "The secret file '" + path + "' is no readable file.", cure::fix_input});
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return std::unexpected(fault{"secret_exposed",
                                 "Others than its owner may read the secret file '" + path + "'; run chmod 600 on it.",
                                 cure::fix_input});
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  auto secret = text.str();
  constexpr const char* white = " \t\r\n";
  auto first = secret.find_first_not_of(white);
  secret = first == std::string::npos ? "" : secret.substr(first, secret.find_last_not_of(white) - first + 1);
  if (secret.size() < gateway::limits::client_secret_bytes_min)
    return std::unexpected(fault{"secret_short",
                                 "The secret in '" + path + "' has fewer than " +
                                     std::to_string(gateway::limits::client_secret_bytes_min) +
                                     " bytes; use one of 64 random hexadecimal digits.",
                                 cure::fix_input});
  return secret;
}

} // namespace fondaco::tools

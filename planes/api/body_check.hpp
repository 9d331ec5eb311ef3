#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planes/api/errors.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::planes::api {

/// Whether a field must be there.
enum class need : bool { optional, required };

/// Collects what is wrong with a body: one entry of the error array each, as the peers' schema validation gives it
/// (management API reference, section 4.1, step 5). Paths are as `policy.permission[0].action`.
class body_check {
public:
  /// Notes something that is wrong.
  void refuse(std::string message, std::string path, json::value invalid_value = nullptr);
  /// A string that is not empty; empty if it is missing or wrong.
  std::string text(const json::object& o, std::string_view name, need n, std::string_view inside = {});
  /// An http or https URL that paths can be appended to, without its trailing slash.
  std::string base_url(const json::object& o, std::string_view name);
  /// One of the allowed strings.
  std::string one_of(const json::object& o, std::string_view name, need n,
                     std::initializer_list<std::string_view> allowed);
  /// An object; null if it is missing or wrong.
  const json::object* object(const json::object& o, std::string_view name, need n, std::string_view inside = {});
  /// An array of strings; a single string counts as one.
  std::vector<std::string> texts(const json::object& o, std::string_view name, need n, std::string_view inside = {});
  /// An object whose values are strings, or (`null_allowed`) null.
  const json::object* text_map(const json::object& o, std::string_view name, need n, bool null_allowed);
  /// `callbackAddresses` as an array of CallbackAddress; null if there is none.
  json::value callback_addresses(const json::object& o);
  /// `dataplaneMetadata`; null if it is missing or wrong.
  const json::object* dataplane_metadata(const json::object& o);

  bool failed() const noexcept { return !details_.empty(); }
  /// 400 with all that was wrong.
  gateway::response response() const { return api::error_response(400, details_); }

private:
  std::vector<api::error_detail> details_;
};

} // namespace fondaco::planes::api

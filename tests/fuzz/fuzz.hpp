#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "protocols/json/json.hpp"

namespace fondaco::fuzz {

/// The targets: each gives the bytes to a parser, and throws `broken_promise` if it does not keep its word. A fuzzer
/// calls one with its mutations, `fuzz_replay` all with the files of the kept corpus.
void json_target(std::string_view input);
void jose_target(std::string_view input);
void dsp_target(std::string_view input);
void dcp_target(std::string_view input);
void http_target(std::string_view input);
void config_target(std::string_view input);

/// Thrown when the code under test breaks a promise: nothing catches it in a fuzzer, which keeps the input.
class broken_promise : public std::logic_error {
public:
  using std::logic_error::logic_error;
};

/// Demands a promise of the code under test, said as a sentence.
inline void demand(bool holds, const char* promise) {
  if (!holds)
    throw broken_promise(promise);
}

/// Demands that a sentence for a sender can be sent: it says something, and a JSON body can hold it.
inline void demand_sentence(const std::string& detail) {
  demand(!detail.empty(), "a refusal says why");
  const auto body = json::write(json::value(detail));
  const auto again = json::parse(body);
  demand(again && *again == json::value(detail), "a refusal's sentence fits into a JSON body");
}

} // namespace fondaco::fuzz

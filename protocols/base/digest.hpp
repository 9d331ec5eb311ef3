#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace fondaco {

/// SHA-256 of a text that comes in pieces.
class digest {
public:
  digest();
  ~digest();
  digest(const digest&) = delete;
  /// Takes the next piece.
  void add(std::string_view piece);
  /// 64 hex digits; the digest is spent afterwards.
  std::string finish();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace fondaco

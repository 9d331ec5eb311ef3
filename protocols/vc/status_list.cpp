#include "protocols/vc/status_list.hpp"

#include <algorithm>
#include <memory>

#include <zlib.h>

#include "protocols/base/base64.hpp"
#include "protocols/vc/model.hpp"

namespace fondaco::vc {

namespace {

constexpr int gzip_window = 15 + 16;
constexpr size_t piece_bytes = 64u << 10;

std::unexpected<fault> malformed(std::string detail) {
  return std::unexpected(make_fault(vc_errc::malformed, std::move(detail)));
}

struct inflater {
  z_stream stream{};
  bool ready = inflateInit2(&stream, gzip_window) == Z_OK;
  ~inflater() { inflateEnd(&stream); }
};

std::expected<std::string, fault> inflated(std::string_view zipped) {
  inflater z;
  if (!z.ready)
    return malformed("The status list cannot be inflated.");
  z.stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(zipped.data()));
  z.stream.avail_in = static_cast<uInt>(zipped.size());
  std::string out;
  for (;;) {
    const auto before = out.size();
    out.resize(before + piece_bytes);
    z.stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    z.stream.avail_out = piece_bytes;
    const int code = inflate(&z.stream, Z_NO_FLUSH);
    out.resize(out.size() - z.stream.avail_out);
    if (out.size() > limits::status_list_bytes_max)
      return malformed("The status list has more than " + std::to_string(limits::status_list_bytes_max) +
                       " bytes when inflated.");
    if (code == Z_STREAM_END)
      return z.stream.avail_in == 0 ? std::expected<std::string, fault>(std::move(out))
                                    : malformed("The status list's GZIP is followed by something else.");
    if (code != Z_OK || (z.stream.avail_in == 0 && z.stream.avail_out > 0))
      return malformed("The status list is no whole GZIP.");
  }
}

std::string zipped(std::string_view bytes) {
  z_stream z{};
  invariant(deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) == Z_OK,
            "zlib can be set up");
  std::string out(deflateBound(&z, bytes.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  const int code = deflate(&z, Z_FINISH);
  out.resize(out.size() - z.avail_out);
  deflateEnd(&z);
  invariant(code == Z_STREAM_END, "the bound of the compressed size holds");
  return out;
}

// Base64 in any of the ways that lists are written: with or without padding, either alphabet.
std::optional<std::string> base64_any(std::string_view text) {
  std::string plain(text);
  while (plain.ends_with('='))
    plain.pop_back();
  std::ranges::replace(plain, '+', '-');
  std::ranges::replace(plain, '/', '_');
  return base64url_decode(plain);
}

} // namespace

std::expected<status_bits, fault> status_bits::decode(std::string_view encoded_list) {
  if (encoded_list.starts_with('z'))
    return std::unexpected(make_fault(vc_errc::unsupported, "A base58 status list is not supported."));
  // No base64 of a GZIP starts with `u`, so the prefix is not mistaken.
  const auto bytes = base64_any(encoded_list.starts_with('u') ? encoded_list.substr(1) : encoded_list);
  if (!bytes)
    return malformed("`encodedList` is neither multibase base64url nor base64.");
  auto plain = inflated(*bytes);
  if (!plain)
    return std::unexpected(std::move(plain.error()));
  status_bits out(0);
  out.bytes_ = std::move(*plain);
  return out;
}

std::string status_bits::encode() const { return "u" + base64url_encode(zipped(bytes_)); }

std::expected<bool, fault> status_bits::at(uint64_t index) const {
  if (index >= size())
    return malformed("The status list has no bit " + std::to_string(index) + ".");
  return (static_cast<unsigned char>(bytes_[index / 8]) & (0x80u >> (index % 8))) != 0;
}

void status_bits::set(uint64_t index, bool value) {
  invariant(index < size(), "a bit is set inside its list");
  const auto mask = static_cast<unsigned char>(0x80u >> (index % 8));
  auto byte = static_cast<unsigned char>(bytes_[index / 8]);
  byte = value ? byte | mask : byte & static_cast<unsigned char>(~mask);
  bytes_[index / 8] = static_cast<char>(byte);
}

std::expected<status_list, fault> read_status_list(const credential& list) {
  const auto is = [&list](std::string_view type) { return std::ranges::find(list.types, type) != list.types.end(); };
  const bool bitstring = is("BitstringStatusListCredential");
  if ((!bitstring && !is("StatusList2021Credential")) || list.subjects.size() != 1)
    return malformed("The status list is no BitstringStatusListCredential or StatusList2021Credential.");
  const auto& subject = list.subjects.front();
  if (json::string_at(subject, "type") != (bitstring ? "BitstringStatusList" : "StatusList2021"))
    return malformed("The status list's subject has another type.");
  const auto purposes = texts_at(subject, "statusPurpose");
  if (purposes.empty() || purposes.front().empty())
    return malformed("The status list has no `statusPurpose`.");
  if (purposes.size() > 1)
    return std::unexpected(make_fault(vc_errc::unsupported, "A status list of several purposes is not supported."));
  auto bits = status_bits::decode(json::string_at(subject, "encodedList").value_or(""));
  if (!bits)
    return std::unexpected(std::move(bits.error()));
  return status_list{purposes.front(), std::move(*bits)};
}

credential make_status_list(profile form, const std::string& url, const std::string& issuer, const std::string& purpose,
                            const status_bits& bits, timepoint now, milliseconds valid_for) {
  credential c;
  c.form = form;
  c.contexts = {std::string(form == profile::vc11_jwt ? base_context_11 : base_context_20)};
  c.id = url;
  c.types = {"VerifiableCredential", "BitstringStatusListCredential"};
  c.issuer = issuer;
  c.valid_from = now;
  c.valid_until = now + valid_for;
  c.subjects.push_back(json::object{{"id", url + "#list"},
                                    {"type", "BitstringStatusList"},
                                    {"statusPurpose", purpose},
                                    {"encodedList", bits.encode()}});
  return c;
}

} // namespace fondaco::vc

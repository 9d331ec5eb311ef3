#include "e2e/text.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <mutex>
#include <random>
#include <sstream>

#include <fcntl.h>
#include <unistd.h>

#include "e2e/check.hpp"

namespace fondaco::e2e {

namespace {

constexpr size_t block_bytes = 64;

constexpr std::array<uint32_t, 64> round_constants{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

constexpr uint32_t turned(uint32_t x, int by) { return (x >> by) | (x << (32 - by)); }

std::string big_endian(uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i)
    out += static_cast<char>(value >> (8 * i));
  return out;
}

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

} // namespace

void sha256::block(const unsigned char* bytes) {
  std::array<uint32_t, 64> w;
  for (size_t i = 0; i < 16; ++i)
    w[i] = uint32_t{bytes[4 * i]} << 24 | uint32_t{bytes[4 * i + 1]} << 16 | uint32_t{bytes[4 * i + 2]} << 8 |
           uint32_t{bytes[4 * i + 3]};
  for (size_t i = 16; i < 64; ++i) {
    auto a = turned(w[i - 15], 7) ^ turned(w[i - 15], 18) ^ (w[i - 15] >> 3);
    auto b = turned(w[i - 2], 17) ^ turned(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + a + w[i - 7] + b;
  }
  auto s = h_;
  for (size_t i = 0; i < 64; ++i) {
    auto first = s[7] + (turned(s[4], 6) ^ turned(s[4], 11) ^ turned(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) +
                 round_constants[i] + w[i];
    auto second =
        (turned(s[0], 2) ^ turned(s[0], 13) ^ turned(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
    s = {first + second, s[0], s[1], s[2], s[3] + first, s[4], s[5], s[6]};
  }
  for (size_t i = 0; i < 8; ++i)
    h_[i] += s[i];
}

void sha256::add(std::string_view piece) {
  bytes_ += piece.size();
  if (!rest_.empty()) {
    auto take = std::min(piece.size(), block_bytes - rest_.size());
    rest_.append(piece.substr(0, take));
    piece.remove_prefix(take);
    if (rest_.size() < block_bytes)
      return;
    block(reinterpret_cast<const unsigned char*>(rest_.data()));
    rest_.clear();
  }
  while (piece.size() >= block_bytes) {
    block(reinterpret_cast<const unsigned char*>(piece.data()));
    piece.remove_prefix(block_bytes);
  }
  rest_ = piece;
}

std::string sha256::finish() {
  auto bits = bytes_ * 8;
  std::string end = "\x80";
  while ((bytes_ + end.size()) % block_bytes != block_bytes - 8)
    end += '\0';
  add(end + big_endian(bits, 8));
  std::string out;
  for (auto word : h_)
    out += big_endian(word, 4);
  return out;
}

std::string sha256_hex(std::string_view text) {
  sha256 sum;
  sum.add(text);
  return hex(sum.finish());
}

std::string sha256_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  check(in.good(), "the file " + path + " cannot be read");
  sha256 sum;
  std::string buffer(1u << 20, '\0');
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0)
    sum.add(std::string_view(buffer).substr(0, static_cast<size_t>(in.gcount())));
  return hex(sum.finish());
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::string inner(block_bytes, '\x36'), outer(block_bytes, '\x5c'), padded(key);
  if (padded.size() > block_bytes) {
    sha256 sum;
    sum.add(padded);
    padded = sum.finish();
  }
  for (size_t i = 0; i < padded.size(); ++i) {
    inner[i] = static_cast<char>(inner[i] ^ padded[i]);
    outer[i] = static_cast<char>(outer[i] ^ padded[i]);
  }
  sha256 first, second;
  first.add(inner);
  first.add(text);
  second.add(outer);
  second.add(first.finish());
  return second.finish();
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (unsigned char c : bytes) {
    out += digits[c >> 4];
    out += digits[c & 15];
  }
  return out;
}

std::string base64url(std::string_view bytes) {
  std::string out;
  uint32_t bits = 0;
  int held = 0;
  for (unsigned char c : bytes) {
    bits = bits << 8 | c;
    for (held += 8; held >= 6; held -= 6)
      out += alphabet[(bits >> (held - 6)) & 63];
  }
  if (held > 0)
    out += alphabet[(bits << (6 - held)) & 63];
  return out;
}

std::string base64url_decode(std::string_view text) {
  std::string out;
  uint32_t bits = 0;
  int held = 0;
  for (char c : text) {
    auto digit = alphabet.find(c);
    check(digit != alphabet.npos, "a token is not base64url");
    bits = bits << 6 | static_cast<uint32_t>(digit);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out += static_cast<char>(bits >> held);
    }
  }
  return out;
}

std::string random_bytes(size_t count) {
  static std::mutex guard;
  static std::mt19937_64 source{std::random_device{}()};
  std::lock_guard lock(guard);
  std::string out(count, '\0');
  for (size_t i = 0; i < count; i += 8) {
    auto word = source();
    std::memcpy(out.data() + i, &word, std::min<size_t>(8, count - i));
  }
  return out;
}

std::string random_hex(size_t bytes) { return hex(random_bytes(bytes)); }

std::string random_uuid() {
  auto digits = random_hex(16);
  digits[12] = '4';
  digits[16] = '8';
  for (size_t at : {8, 13, 18, 23})
    digits.insert(at, "-");
  return digits;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  check(in.good(), "the file " + path + " cannot be read");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_private(const std::string& path, std::string_view text) {
  int fd = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  check(fd >= 0, "the file " + path + " cannot be made");
  size_t done = 0;
  while (done < text.size()) {
    auto n = ::write(fd, text.data() + done, text.size() - done);
    if (n <= 0)
      break;
    done += static_cast<size_t>(n);
  }
  ::close(fd);
  check(done == text.size(), "the file " + path + " cannot be written");
}

std::string tail(const std::string& text, size_t lines) {
  auto at = text.size();
  if (at > 0 && text.back() == '\n')
    --at;
  for (; lines > 0 && at != std::string::npos; --lines)
    at = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
  return at == std::string::npos ? text : text.substr(at + 1);
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  if (what.empty())
    return text;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

} // namespace fondaco::e2e

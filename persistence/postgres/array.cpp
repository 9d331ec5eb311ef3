#include <bit>

#include "persistence/postgres/connection.hpp"

// The binary forms: src/backend/utils/adt/arrayfuncs.c (array_recv) and int.c (int4recv), all in network order.

namespace fondaco::persistence::postgres {

namespace {

template <class Integer> void put(std::string& out, Integer v) {
  if constexpr (std::endian::native == std::endian::little)
    v = std::byteswap(v);
  out.append(reinterpret_cast<const char*>(&v), sizeof v);
}

template <class Integer> std::string bytes_of(Integer v) {
  std::string out;
  put(out, v);
  return out;
}

uint32_t array_oid(type element) noexcept {
  switch (element) {
  case type::bytea: return 1001;
  case type::character: return 1002;
  case type::int2: return 1005;
  case type::int4: return 1007;
  case type::text: return 1009;
  case type::int8: return 1016;
  }
  return 0;
}

constexpr size_t header_bytes = 20;

} // namespace

array::array(type element) : element_(element) { bytes_.resize(header_bytes); }

void array::add(int64_t v) {
  switch (element_) {
  case type::character:
    put(bytes_, uint32_t{1});
    bytes_.push_back(static_cast<char>(v));
    break;
  case type::int2:
    put(bytes_, uint32_t{2});
    put(bytes_, static_cast<int16_t>(v));
    break;
  case type::int4:
    put(bytes_, uint32_t{4});
    put(bytes_, static_cast<int32_t>(v));
    break;
  default:
    invariant(element_ == type::int8, "an integer was added to an array of texts");
    put(bytes_, uint32_t{8});
    put(bytes_, v);
  }
  ++size_;
}

void array::add(std::string_view v) {
  invariant(element_ == type::text || element_ == type::bytea, "a text was added to an array of integers");
  put(bytes_, static_cast<uint32_t>(v.size()));
  bytes_.append(v);
  ++size_;
}

void array::add_null() {
  put(bytes_, int32_t{-1});
  ++size_;
}

std::string array::finish() && {
  std::string header;
  put(header, uint32_t{size_ ? 1u : 0u});
  put(header, uint32_t{1});
  put(header, static_cast<uint32_t>(element_));
  put(header, size_);
  put(header, uint32_t{1});
  bytes_.replace(0, header_bytes, header);
  if (size_ == 0)
    bytes_.resize(12);
  return std::move(bytes_);
}

void parameters::push(uint32_t oid, std::optional<std::string> value) {
  oids_.push_back(oid);
  values_.push_back(std::move(value));
}

parameters& parameters::add(int64_t v) {
  push(static_cast<uint32_t>(type::int8), bytes_of(v));
  return *this;
}

parameters& parameters::add_int4(int32_t v) {
  push(static_cast<uint32_t>(type::int4), bytes_of(v));
  return *this;
}

parameters& parameters::add_int2(int16_t v) {
  push(static_cast<uint32_t>(type::int2), bytes_of(v));
  return *this;
}

parameters& parameters::add(std::string_view v) {
  push(static_cast<uint32_t>(type::text), std::string(v));
  return *this;
}

parameters& parameters::add_bytes(std::string_view v) {
  push(static_cast<uint32_t>(type::bytea), std::string(v));
  return *this;
}

parameters& parameters::add_null(type t) {
  push(static_cast<uint32_t>(t), std::nullopt);
  return *this;
}

parameters& parameters::add(array a) {
  const auto oid = array_oid(a.element_);
  push(oid, std::move(a).finish());
  return *this;
}

} // namespace fondaco::persistence::postgres

#include "cells/issuer_service/claims.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace fondaco::issuer_service {

namespace {

using enum rule_operator;

constexpr std::string_view subject_prefix = "credentialSubject.";
constexpr std::pair<rule_operator, std::string_view> operators[] = {{eq, "EQ"},   {neq, "NEQ"}, {gt, "GT"},
                                                                    {geq, "GEQ"}, {lt, "LT"},   {leq, "LEQ"}};

std::vector<std::string_view> names_of(std::string_view path) {
  std::vector<std::string_view> out;
  for (size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find('.', begin), path.size());
    out.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

bool is_path(std::string_view path) {
  const auto names = names_of(path);
  return names.size() <= limits::path_names_max && std::ranges::none_of(names, &std::string_view::empty);
}

std::optional<rule_operator> parse_operator(std::string_view name) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  for (const auto& [op, known] : operators)
    if (std::ranges::equal(name, known, {}, upper))
      return op;
  return std::nullopt;
}

std::string text_of(const json::value& v) {
  return v.is_string() ? std::string(std::string_view(v.get_string())) : json::write(v);
}

std::optional<int64_t> integer_of(const json::value& v) {
  if (!v.is_int64() && !v.is_uint64())
    return std::nullopt;
  boost::system::error_code bad;
  const auto n = v.to_number<int64_t>(bad);
  return bad ? std::nullopt : std::optional(n);
}

bool compares(const json::value& claim, rule_operator op, const json::value& value) {
  if (op == eq || op == neq)
    return (text_of(claim) == text_of(value)) == (op == eq);
  const auto left = integer_of(claim), right = integer_of(value);
  if (!left || !right)
    return false;
  switch (op) {
  case gt: return *left > *right;
  case geq: return *left >= *right;
  case lt: return *left < *right;
  default: return *left <= *right;
  }
}

std::expected<void, std::string> merge(json::value& into, const json::value& given, std::string_view path) {
  if (!into.is_object() || !given.is_object()) {
    into = given;
    return {};
  }
  for (const auto& [name, v] : given.get_object()) {
    const auto [at, fresh] = into.get_object().emplace(name, v);
    if (!fresh)
      if (auto merged = merge(at->value(), v, path); !merged)
        return merged;
  }
  return {};
}

/// Puts a value at a path, making objects on the way.
std::expected<void, std::string> put_at(json::object& root, std::string_view path, const json::value& v) {
  const auto names = names_of(path);
  auto* at = &root;
  for (size_t i = 0; i + 1 < names.size(); ++i) {
    auto& next = at->emplace(names[i], json::object()).first->value();
    if (!next.is_object())
      return std::unexpected("The mapping to " + std::string(subject_prefix) + std::string(path) +
                             " meets something that is no object.");
    at = &next.get_object();
  }
  const auto [found, fresh] = at->emplace(names.back(), v);
  return fresh ? std::expected<void, std::string>() : merge(found->value(), v, path);
}

std::string words_of(const claim_rule& rule) {
  return "The rule '" + rule.claim + " " + std::string(name_of(rule.op)) + " " + text_of(rule.value) + "'";
}

} // namespace

std::string_view name_of(rule_operator o) noexcept {
  for (const auto& [op, name] : operators)
    if (op == o)
      return name;
  return "EQ";
}

const json::value* claim_at(const json::object& claims, std::string_view path) {
  const auto* at = &claims;
  const auto names = names_of(path);
  for (size_t i = 0; i < names.size(); ++i) {
    const auto* found = at->if_contains(names[i]);
    if (!found || found->is_null() || i + 1 == names.size())
      return found && found->is_null() ? nullptr : found;
    at = found->if_object();
    if (!at)
      return nullptr;
  }
  return nullptr;
}

std::expected<claim_rule, std::string> read_rule(const json::value& v) {
  const auto* o = v.if_object();
  if (!o || json::string_at(*o, "type") != "expression")
    return std::unexpected("a rule must be an object of type 'expression'");
  const auto* configuration = json::object_at(*o, "configuration");
  const auto claim = configuration ? json::string_at(*configuration, "claim") : std::nullopt;
  if (!claim || !is_path(*claim))
    return std::unexpected("a rule's configuration.claim must be a dotted path");
  const auto name = json::string_at(*configuration, "operator");
  const auto op = name ? parse_operator(*name) : std::nullopt;
  if (!op)
    return std::unexpected("a rule's configuration.operator must be one of EQ, NEQ, GT, GEQ, LT, LEQ");
  const auto* value = configuration->if_contains("value");
  if (!value || value->is_null())
    return std::unexpected("a rule's configuration.value is required");
  return claim_rule{std::string(*claim), *op, *value};
}

std::expected<claim_mapping, std::string> read_mapping(const json::value& v) {
  const auto* o = v.if_object();
  const auto input = o ? json::string_at(*o, "input") : std::nullopt;
  if (!input || !is_path(*input))
    return std::unexpected("a mapping's input must be a dotted path");
  const auto output = json::string_at(*o, "output").value_or("");
  const bool is_subject = output.starts_with(subject_prefix) && is_path(output);
  if (!is_subject && output != "name" && output != "description")
    return std::unexpected("a mapping's output must be 'credentialSubject.' and a path, 'name' or 'description'");
  if (output == "credentialSubject.id")
    return std::unexpected("a mapping's output must not be credentialSubject.id: the subject is the holder");
  if (const auto* required = o->if_contains("required"); required && !required->is_bool())
    return std::unexpected("a mapping's required must be true or false");
  return claim_mapping{std::string(*input), std::string(output), json::boolean_at(*o, "required").value_or(false)};
}

std::expected<void, std::string> check_rule(const claim_rule& rule, const json::object& claims) {
  const auto* claim = claim_at(claims, rule.claim);
  if (!claim)
    return std::unexpected(words_of(rule) + " does not hold: the claim is missing.");
  if (!compares(*claim, rule.op, rule.value))
    return std::unexpected(words_of(rule) + " does not hold.");
  return {};
}

std::expected<mapped_claims, std::string> map_claims(const std::vector<claim_mapping>& mappings,
                                                     const json::object& claims) {
  mapped_claims out;
  for (const auto& m : mappings) {
    const auto* claim = claim_at(claims, m.input);
    if (!claim && m.required)
      return std::unexpected("The claim '" + m.input + "' is required and missing.");
    if (!claim)
      continue;
    if (m.output.starts_with(subject_prefix)) {
      const auto path = std::string_view(m.output).substr(subject_prefix.size());
      if (auto put = put_at(out.subject, path, *claim); !put)
        return std::unexpected(std::move(put.error()));
      continue;
    }
    if (!claim->is_string())
      return std::unexpected("The claim '" + m.input + "' must be a string to become the credential's " + m.output +
                             ".");
    (m.output == "name" ? out.name : out.description) = text_of(*claim);
  }
  return out;
}

} // namespace fondaco::issuer_service

#include "cfm/query/predicate.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string>
#include <vector>

namespace fondaco::cfm {

struct predicate::node {
  enum class shape : uint8_t { always, all_of, any_of, compare };
  shape form = shape::always;
  std::vector<node> children;
  std::vector<std::string> path;
  /// The operator in capitals, as `NOT LIKE` or `IS NULL`.
  std::string op;
  std::vector<json::value> values;
};

namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

struct token {
  enum class kind : uint8_t { word, text, number, symbol, end };
  kind is = kind::end;
  std::string text;
  size_t at = 0;
};

fault wrong_at(size_t at, const std::string& what) {
  return {"bad_predicate", "parse error: line 1:" + std::to_string(at) + " " + what, cure::fix_input};
}

std::expected<std::vector<token>, fault> tokens_of(std::string_view text) {
  std::vector<token> out;
  size_t i = 0;
  const auto word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.'; };
  while (i < text.size()) {
    const char c = text[i];
    const size_t begin = i;
    if (std::isspace(static_cast<unsigned char>(c))) {
      ++i;
    } else if (c == '\'') {
      std::string value;
      for (++i; i < text.size(); ++i) {
        if (text[i] != '\'')
          value += text[i];
        else if (i + 1 < text.size() && text[i + 1] == '\'')
          value += text[++i];
        else
          break;
      }
      if (i == text.size())
        return std::unexpected(wrong_at(begin, "the string has no end"));
      ++i;
      out.push_back({token::kind::text, std::move(value), begin});
    } else if (std::isdigit(static_cast<unsigned char>(c)) || c == '-') {
      for (++i; i < text.size() && (std::isdigit(static_cast<unsigned char>(text[i])) || text[i] == '.');)
        ++i;
      out.push_back({token::kind::number, std::string(text.substr(begin, i - begin)), begin});
    } else if (word(c)) {
      while (i < text.size() && word(text[i]))
        ++i;
      out.push_back({token::kind::word, std::string(text.substr(begin, i - begin)), begin});
    } else {
      const auto two = text.substr(i, 2);
      const bool both = two == "!=" || two == ">=" || two == "<=";
      if (!both && std::string_view("=<>(),").find(c) == std::string_view::npos)
        return std::unexpected(wrong_at(begin, std::string("'") + c + "' is not expected"));
      i += both ? 2 : 1;
      out.push_back({token::kind::symbol, std::string(text.substr(begin, i - begin)), begin});
    }
  }
  out.push_back({token::kind::end, "the end", text.size()});
  return out;
}

bool is_path(std::string_view text) {
  return !text.empty() && !text.starts_with('.') && !text.ends_with('.') && text.find("..") == std::string_view::npos &&
         !std::isdigit(static_cast<unsigned char>(text.front()));
}

// `%` is any text, `_` any one character.
bool like(std::string_view text, std::string_view pattern) {
  size_t t = 0, p = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && (pattern[p] == '_' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '%')
    ++p;
  return p == pattern.size();
}

bool same(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number())
    return a.to_number<double>() == b.to_number<double>();
  return a == b;
}

bool ordered(const json::value& a, const std::string& op, const json::value& b) {
  int c = 0;
  if (a.is_number() && b.is_number()) {
    const double x = a.to_number<double>(), y = b.to_number<double>();
    c = x < y ? -1 : x > y ? 1 : 0;
  } else if (a.is_string() && b.is_string()) {
    c = std::string_view(a.get_string()).compare(std::string_view(b.get_string()));
  } else {
    return false;
  }
  if (op == "<")
    return c < 0;
  if (op == "<=")
    return c <= 0;
  return op == ">" ? c > 0 : c >= 0;
}

bool text_test(const json::value& a, const std::string& op, const json::value& b) {
  if (!a.is_string() || !b.is_string())
    return false;
  const std::string_view x = a.get_string(), y = b.get_string();
  if (op == "LIKE")
    return like(x, y);
  if (op == "NOT LIKE")
    return !like(x, y);
  if (op == "STARTS_WITH")
    return x.starts_with(y);
  return op == "ENDS_WITH" ? x.ends_with(y) : x.find(y) != std::string_view::npos;
}

bool one_holds(const json::value* v, const std::string& op, const std::vector<json::value>& values) {
  const bool missing = !v || v->is_null();
  if (op == "IS NULL")
    return missing;
  if (op == "IS NOT NULL")
    return !missing;
  if (op == "IN" || op == "NOT IN") {
    const bool in = v && std::ranges::any_of(values, [&](const auto& x) { return same(*v, x); });
    return op == "IN" ? in : v && !in;
  }
  if (!v)
    return op == "!=" && !values.front().is_null();
  if (op == "=")
    return same(*v, values.front());
  if (op == "!=")
    return !same(*v, values.front());
  if (op == "<" || op == "<=" || op == ">" || op == ">=")
    return ordered(*v, op, values.front());
  return text_test(*v, op, values.front());
}

const json::value* member(const json::object& o, const std::string& name) {
  if (const auto* exact = o.if_contains(name))
    return exact;
  const auto wanted = lower(name);
  for (const auto& [key, v] : o)
    if (lower(key) == wanted)
      return &v;
  return nullptr;
}

bool path_holds(const json::value* v, const std::vector<std::string>& path, size_t depth, const std::string& op,
                const std::vector<json::value>& values) {
  if (v && v->is_array()) {
    return std::ranges::any_of(v->get_array(),
                               [&](const json::value& item) { return path_holds(&item, path, depth, op, values); });
  }
  if (depth == path.size())
    return one_holds(v, op, values);
  const auto* inner = v && v->is_object() ? member(v->get_object(), path[depth]) : nullptr;
  return path_holds(inner, path, depth + 1, op, values);
}

} // namespace

namespace {

/// Reads tokens into a tree.
template <class Node> class reader {
public:
  explicit reader(std::vector<token> tokens) : tokens_(std::move(tokens)) {}

  std::expected<Node, fault> all() {
    auto out = list(limits::predicate_depth_max);
    if (out && now().is != token::kind::end)
      return std::unexpected(unexpected_here());
    return out;
  }

private:
  const token& now() const { return tokens_[next_]; }
  bool is_word(const char* word) const { return now().is == token::kind::word && upper(now().text) == word; }
  bool take_word(const char* word) {
    const bool there = is_word(word);
    next_ += there ? 1 : 0;
    return there;
  }
  bool take_symbol(const char* symbol) {
    const bool there = now().is == token::kind::symbol && now().text == symbol;
    next_ += there ? 1 : 0;
    return there;
  }
  fault unexpected_here() const { return wrong_at(now().at, "'" + now().text + "' is not expected here"); }

  std::expected<Node, fault> list(unsigned depth) {
    auto first = term(depth);
    if (!first || (!is_word("AND") && !is_word("OR")))
      return first;
    const bool all = is_word("AND");
    Node out;
    out.form = all ? Node::shape::all_of : Node::shape::any_of;
    out.children.push_back(std::move(*first));
    while (take_word(all ? "AND" : "OR")) {
      auto more = term(depth);
      if (!more)
        return more;
      out.children.push_back(std::move(*more));
    }
    if (is_word("AND") || is_word("OR"))
      return std::unexpected(wrong_at(now().at, "AND and OR in one list need parentheses"));
    return out;
  }

  std::expected<Node, fault> term(unsigned depth) {
    if (depth == 0)
      return std::unexpected(wrong_at(now().at, "the groups nest too deep"));
    if (take_symbol("(")) {
      auto inner = list(depth - 1);
      if (inner && !take_symbol(")"))
        return std::unexpected(wrong_at(now().at, "')' is expected"));
      return inner;
    }
    if (take_word("TRUE"))
      return Node{};
    return comparison();
  }

  std::expected<Node, fault> comparison() {
    if (now().is != token::kind::word || !is_path(now().text))
      return std::unexpected(wrong_at(now().at, "a field is expected, not '" + now().text + "'"));
    Node out;
    out.form = Node::shape::compare;
    std::string_view rest = now().text;
    for (size_t dot = 0; dot != std::string_view::npos;
         rest = rest.substr(dot == std::string_view::npos ? 0 : dot + 1)) {
      dot = rest.find('.');
      out.path.emplace_back(rest.substr(0, dot));
    }
    ++next_;
    auto op = operation();
    if (!op)
      return std::unexpected(std::move(op.error()));
    out.op = std::move(*op);
    if (out.op == "IS NULL" || out.op == "IS NOT NULL")
      return out;
    const bool many = out.op == "IN" || out.op == "NOT IN";
    if (many && !take_symbol("("))
      return std::unexpected(wrong_at(now().at, "'(' is expected"));
    do {
      auto v = value();
      if (!v)
        return std::unexpected(std::move(v.error()));
      out.values.push_back(std::move(*v));
    } while (many && take_symbol(","));
    if (many && !take_symbol(")"))
      return std::unexpected(wrong_at(now().at, "')' is expected"));
    return out;
  }

  std::expected<std::string, fault> operation() {
    for (const char* symbol : {"!=", ">=", "<=", "=", ">", "<"})
      if (take_symbol(symbol))
        return symbol;
    for (const char* word : {"LIKE", "CONTAINS", "STARTS_WITH", "ENDS_WITH", "IN"})
      if (take_word(word))
        return word;
    if (take_word("NOT")) {
      if (take_word("LIKE"))
        return "NOT LIKE";
      if (take_word("IN"))
        return "NOT IN";
    }
    if (take_word("IS")) {
      const bool negated = take_word("NOT");
      if (take_word("NULL"))
        return negated ? "IS NOT NULL" : "IS NULL";
    }
    return std::unexpected(wrong_at(now().at, "an operator is expected, not '" + now().text + "'"));
  }

  std::expected<json::value, fault> value() {
    const auto t = now();
    ++next_;
    if (t.is == token::kind::text)
      return json::value(t.text);
    if (t.is == token::kind::number) {
      int64_t whole = 0;
      double real = 0;
      const auto* end = t.text.data() + t.text.size();
      if (std::from_chars(t.text.data(), end, whole).ptr == end)
        return json::value(whole);
      if (std::from_chars(t.text.data(), end, real).ptr == end)
        return json::value(real);
    }
    if (t.is == token::kind::word && upper(t.text) == "TRUE")
      return json::value(true);
    if (t.is == token::kind::word && upper(t.text) == "FALSE")
      return json::value(false);
    if (t.is == token::kind::word && upper(t.text) == "NULL")
      return json::value(nullptr);
    --next_;
    return std::unexpected(wrong_at(t.at, "a value is expected, not '" + t.text + "'"));
  }

  std::vector<token> tokens_;
  size_t next_ = 0;
};

template <class Node> bool node_holds(const Node& n, const json::value& v) {
  switch (n.form) {
  case Node::shape::always: return true;
  case Node::shape::all_of: return std::ranges::all_of(n.children, [&](const auto& c) { return node_holds(c, v); });
  case Node::shape::any_of: return std::ranges::any_of(n.children, [&](const auto& c) { return node_holds(c, v); });
  case Node::shape::compare: return path_holds(&v, n.path, 0, n.op, n.values);
  }
  return false;
}

} // namespace

predicate::predicate(std::unique_ptr<node> root) : root_(std::move(root)) {}
predicate::~predicate() = default;
predicate::predicate(predicate&&) noexcept = default;
predicate& predicate::operator=(predicate&&) noexcept = default;

std::expected<predicate, fault> predicate::parse(std::string_view text) {
  if (text.size() > limits::predicate_bytes_max)
    return std::unexpected(wrong_at(0, "the predicate has more than 8192 bytes"));
  auto tokens = tokens_of(text);
  if (!tokens)
    return std::unexpected(std::move(tokens.error()));
  auto root = reader<node>(std::move(*tokens)).all();
  if (!root)
    return std::unexpected(std::move(root.error()));
  return predicate(std::make_unique<node>(std::move(*root)));
}

bool predicate::holds(const json::object& o) const { return node_holds(*root_, json::value(o)); }

} // namespace fondaco::cfm

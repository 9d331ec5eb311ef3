#include <algorithm>

#include "protocols/jsonld/lenient.hpp"
#include "protocols/odrl/built_in.hpp"
#include "protocols/odrl/canonical.hpp"
#include "protocols/odrl/policy.hpp"

namespace fondaco::odrl {

namespace {

/// A judgement, and for one that does not hold the clause that says why.
struct finding {
  std::expected<bool, fault> holds = true;
  std::string why;

  bool is(bool b) const { return holds && *holds == b; }
};

std::string text_of(const constraint& c) {
  if (c.form == constraint::shape::atomic)
    return c.left_operand + " " + c.op + " " + json::write(c.right_operand);
  std::string_view between = c.form == constraint::shape::all_of   ? " and "
                             : c.form == constraint::shape::any_of ? " or "
                                                                   : ", ";
  std::string out = c.form == constraint::shape::one_of ? "(exactly one of: " : "(";
  for (const auto& child : c.children)
    out += (&child == &c.children.front() ? "" : std::string(between)) + text_of(child);
  return out + ")";
}

class judge {
public:
  judge(const policy_functions& functions, const evaluation_context& context)
      : functions_(functions), context_(context) {}

  /// Three values: a part that cannot be judged makes the whole so, unless the rest decides it alone.
  finding operator()(const constraint& c) const {
    switch (c.form) {
    case constraint::shape::all_of: return all(c.children);
    case constraint::shape::any_of: return any(c.children);
    case constraint::shape::one_of: return one(c.children);
    case constraint::shape::atomic: return atomic(c);
    }
    return {};
  }

  finding all(const std::vector<constraint>& parts) const {
    finding out;
    for (const auto& part : parts) {
      auto f = (*this)(part);
      if (f.is(false))
        return f;
      if (!f.holds && out.holds)
        out = std::move(f);
    }
    return out;
  }

private:
  finding atomic(const constraint& c) const {
    auto f = functions_.find(c.left_operand);
    if (!f)
      return {std::unexpected(make_fault(policy_errc::cannot_be_judged, "no function is bound")),
              "no function is bound to " + c.left_operand};
    finding out{f(c.op, c.right_operand, context_), {}};
    if (!out.holds)
      out.why = out.holds.error().detail;
    else if (!*out.holds)
      out.why = found_clause(c.left_operand, context_);
    return out;
  }

  finding any(const std::vector<constraint>& parts) const {
    finding out{false, {}};
    for (const auto& part : parts) {
      auto f = (*this)(part);
      if (f.is(true))
        return f;
      // Several parts on one operand fail for the same reason.
      if (out.why.find(f.why) == std::string::npos)
        out.why += (out.why.empty() ? "" : " and ") + f.why;
      if (!f.holds)
        out.holds = std::move(f.holds);
    }
    return out;
  }

  finding one(const std::vector<constraint>& parts) const {
    size_t holding = 0;
    for (const auto& part : parts) {
      auto f = (*this)(part);
      if (!f.holds)
        return f;
      holding += *f.holds ? 1 : 0;
    }
    return {holding == 1, holding == 1 ? std::string() : std::to_string(holding) + " of them hold"};
  }

  const policy_functions& functions_;
  const evaluation_context& context_;
};

/// Keeps a reason within its limits, so that a peer's policy cannot make a verdict larger than a message may be.
void add_reason(std::vector<std::string>& reasons, std::string reason) {
  if (reasons.size() >= limits::verdict_reasons_max)
    return;
  if (reason.size() > limits::verdict_reason_bytes_max) {
    size_t cut = limits::verdict_reason_bytes_max;
    while (cut > 0 && (static_cast<unsigned char>(reason[cut]) & 0xc0) == 0x80)
      --cut;
    reason.resize(cut);
    reason += "...";
  }
  reasons.push_back(std::move(reason));
}

void unbound(const std::vector<constraint>& constraints, const std::string& path, const policy_functions& functions,
             std::vector<std::string>& out) {
  for (size_t i = 0; i < constraints.size(); ++i) {
    const auto& c = constraints[i];
    auto at = path + "[" + std::to_string(i) + "]";
    if (c.form != constraint::shape::atomic)
      unbound(c.children, at, functions, out);
    else if (!functions.find(c.left_operand))
      add_reason(out, at + ": no function is bound to the left operand " + c.left_operand);
  }
}

void unknown(const std::vector<rule>& rules, const std::string& path, const policy_functions& functions,
             std::vector<std::string>& out) {
  for (size_t i = 0; i < rules.size(); ++i) {
    const auto& r = rules[i];
    auto at = path + "[" + std::to_string(i) + "]";
    if (!functions.knows_action(r.action))
      add_reason(out, at + ": the action " + r.action + " is not known");
    unbound(r.constraints, at + ".constraint", functions, out);
    unknown(r.duties, at + ".duty", functions, out);
  }
}

} // namespace

std::vector<std::string> validate(const policy& p, const policy_functions& functions) {
  std::vector<std::string> out;
  unknown(p.permissions, "permission", functions, out);
  unknown(p.prohibitions, "prohibition", functions, out);
  unknown(p.obligations, "obligation", functions, out);
  return out;
}

verdict evaluate(const policy& p, const policy_functions& functions, const evaluation_context& context) {
  verdict out;
  out.reasons = validate(p, functions);
  const bool unreadable = !out.reasons.empty();
  judge holds(functions, context);
  for (const auto& r : p.permissions)
    for (const auto& c : r.constraints) {
      auto f = holds(c);
      // What validate has named already needs no second sentence.
      bool named = unreadable && !f.holds && f.holds.error().code == name_of(policy_errc::cannot_be_judged);
      if (!f.is(true) && !named)
        add_reason(out.reasons, text_of(c) + " was demanded, but " + f.why);
    }
  for (const auto& r : p.prohibitions) {
    if (jsonld::bare_odrl(r.action) != "use")
      continue;
    auto f = holds.all(r.constraints);
    std::string when;
    for (const auto& c : r.constraints)
      when += (when.empty() ? " if " : " and ") + text_of(c);
    if (f.is(true))
      add_reason(out.reasons, "the use is prohibited" + when + (when.empty() ? "" : ", and that holds"));
    else if (!f.holds)
      add_reason(out.reasons, "the use is prohibited" + when + ", which cannot be judged: " + f.why);
  }
  out.allowed = out.reasons.empty();
  return out;
}

} // namespace fondaco::odrl

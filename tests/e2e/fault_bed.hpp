#pragma once

#include <memory>
#include <string>

#include "e2e/cases.hpp"
#include "e2e/counterparty.hpp"
#include "e2e/fabric.hpp"

namespace fondaco::e2e {

/// What the cases of faults share: a fabric of four processes, whose agents give an activity up after five tries, with
/// the members harbour, who offers `cargo`, and globex; and the test as a counterparty whose issuer counts too.
class fault_bed {
public:
  /// The fabric with all its processes running: a new one if there is none, or if a case left a process dead.
  fabric& whole(bed& b);
  counterparty& other() { return *other_; }
  const tenancy& harbour() const { return harbour_; }
  const tenancy& globex() const { return globex_; }
  /// What the file of `cargo` holds.
  const std::string& cargo() const { return cargo_; }

private:
  std::unique_ptr<counterparty> other_;
  std::unique_ptr<fabric> fabric_;
  tenancy harbour_;
  tenancy globex_;
  std::string cargo_;
};

/// The cases by topic; `fault_cases` gives them all.
cases deployment_fault_cases(const std::shared_ptr<fault_bed>& shared);
cases disposal_fault_cases(const std::shared_ptr<fault_bed>& shared);
cases did_fault_cases(const std::shared_ptr<fault_bed>& shared);
cases presentation_fault_cases(const std::shared_ptr<fault_bed>& shared);

/// Publishes an asset of so many random bytes, for members; gives its contents.
std::string publish_bytes(fabric& f, const tenancy& t, const std::string& asset, size_t bytes);
/// What `fondaco ctl why` says of an id at a node; empty if it knows nothing.
std::string why(const node& n, const std::string& id);
/// Waits until `why` says this of an id.
void await_why(const node& n, const std::string& id, const std::string& sentence);
/// The id of the orchestration that a participant profile waits for, as `why` says it.
std::string orchestration_of(fabric& f, const tenancy& t);
/// Starts a process that was killed.
void restart(fabric& f, node& n);

/// Holds a process back while it lives: it takes part in nothing.
class paused {
public:
  explicit paused(const node& n);
  ~paused();
  paused(const paused&) = delete;

private:
  pid_t pid_;
};

} // namespace fondaco::e2e

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "load/ledger.hpp"

namespace fondaco::load {

/// What the workers did.
struct tally {
  std::atomic<uint64_t> negotiations = 0;
  std::atomic<uint64_t> transfers = 0;
  std::atomic<uint64_t> pulls = 0;
  std::atomic<uint64_t> pulls_broken = 0;
  std::atomic<uint64_t> catalogs = 0;
  std::atomic<uint64_t> documents = 0;
  std::atomic<uint64_t> lists = 0;
  /// Answers that refused, where a node that is alive takes it.
  std::atomic<uint64_t> refusals = 0;
};

/// Workers that negotiate, transfer, pull, terminate, write and remove assets, read catalogs and lists, in a mix that
/// the seed gives, at a bounded rate.
class workload {
public:
  workload(tenants& t, ledger& l, uint64_t seed, size_t workers, double per_second);
  ~workload();
  /// Lets each worker finish what it began, and waits for it; throws what a worker found.
  void finish();
  const tally& done() const { return tally_; }

private:
  void run(size_t worker, uint64_t seed);

  tenants& tenants_;
  ledger& ledger_;
  e2e::milliseconds pace_;
  std::atomic<bool> over_ = false;
  tally tally_;
  std::vector<std::exception_ptr> failures_;
  std::vector<std::thread> threads_;
};

} // namespace fondaco::load

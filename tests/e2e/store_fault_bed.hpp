#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "e2e/cases.hpp"
#include "e2e/own_postgres.hpp"

namespace fondaco::e2e {

/// A provider of its own over a store that may fail: acme offers `dataset-1`, and the test is its consumer. One
/// contract is agreed and its transfer STARTED; another negotiation's agreement cannot be delivered yet.
class shop {
public:
  /// `store_url` replaces the node's own store; empty keeps it.
  shop(bed& b, const std::string& store_url);

  node& at() { return node_; }
  peer& other() { return other_; }
  management& admin() { return admin_; }
  const organisation& acme() const { return acme_; }
  /// Lets the agreement through that the peer refused so far.
  void open_peer() { other_.behave_well(); }
  /// Waits for that agreement and goes on to FINALIZED.
  void finish_owed();
  /// The readiness probe's status.
  int readiness() const;
  void await_readiness(int status) const;
  /// Asks at every listener for what needs the store; fails unless each answer is 503 with Retry-After. With
  /// `reads_too` false only what changes something is asked for.
  void check_refused_everywhere(bool reads_too);
  /// The value of a metric without labels; 0 if it is not there.
  double metric(const std::string& name) const;

private:
  static node_options options(const bed& b, const std::string& folder);
  void settle();

  std::string folder_;
  std::string data_file_ = folder_ + "/acme/data.bin";
  std::string token_ = random_token();
  peer other_;
  node node_;
  organisation acme_;
  management admin_;
  std::unique_ptr<peer_negotiation> owed_;
  access pull_;
  std::string agreed_provider_pid_;
  std::string transfer_pid_;

  static std::string random_token();
};

/// Callers that make assets in a shop without end, and keep a list of what was acknowledged.
class writers {
public:
  explicit writers(shop& at, size_t count = 4);
  ~writers();
  writers(const writers&) = delete;

  /// Waits for so many more acknowledgements.
  void await_more(size_t acknowledgements);
  /// Waits for so many more refusals.
  void await_refused(size_t refusals);
  /// Ends the callers; fails if one was answered with anything but success or 503 with Retry-After.
  void finish();
  /// Fails unless every asset that was acknowledged is there as it was sent.
  void check_kept();
  size_t acknowledged() const { return acknowledged_.load(); }

private:
  void write(size_t caller);
  void await(const char* what, const std::atomic<size_t>& count, size_t more);

  shop& shop_;
  std::string token_;
  std::mutex mutex_;
  std::map<std::string, std::string> kept_;
  std::vector<std::string> wrong_;
  std::atomic<size_t> acknowledged_{0};
  std::atomic<size_t> refused_{0};
  std::atomic<bool> ending_{false};
  std::vector<std::thread> callers_;
};

/// The disk of these files is full for running processes while it lives: their writes fail with ENOSPC, by `strace`.
class full_disk {
public:
  full_disk(const std::vector<pid_t>& of, const std::vector<std::string>& files, const std::string& log);
  ~full_disk();
  full_disk(const full_disk&) = delete;

private:
  child tracer_;
};

} // namespace fondaco::e2e

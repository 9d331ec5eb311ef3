#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <sys/types.h>

namespace fondaco::load {

/// The resident memory of a process in KiB; 0 if it is gone.
int64_t resident_kib(pid_t pid);

/// The memory of one process over time, and its slope.
class memory_record {
public:
  explicit memory_record(std::string name) : name_(std::move(name)) {}
  void add(std::chrono::milliseconds at, int64_t kib) { samples_.push_back({at, kib}); }
  /// The median of the slopes between any two samples after the warm-up (Theil and Sen), in percent of the median an
  /// hour: a few outliers do not bend it.
  double slope_percent_per_hour(std::chrono::milliseconds warm_up) const;
  int64_t median_kib(std::chrono::milliseconds warm_up) const;
  const std::string& name() const { return name_; }

private:
  struct sample {
    std::chrono::milliseconds at;
    int64_t kib;
  };
  std::vector<sample> after(std::chrono::milliseconds warm_up) const;

  std::string name_;
  std::vector<sample> samples_;
};

} // namespace fondaco::load

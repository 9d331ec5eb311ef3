#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "e2e/check.hpp"

namespace fondaco::e2e {

/// What a program left behind.
struct ended {
  /// Its exit code; 128 and the signal's number if a signal ended it.
  int code = -1;
  std::string out;
  std::string err;
};

/// Runs a program to its end; fails if it does not end in time.
ended run_program(const std::vector<std::string>& words, milliseconds within = milliseconds(60'000));

/// A program that runs beside the test, in a process group of its own, its standard error appended to a file. Ended
/// with the object.
class child {
public:
  child() = default;
  ~child();
  child(const child&) = delete;

  void start(const std::vector<std::string>& words, const std::string& error_file);
  /// Waits until its standard output holds this line; fails at its end or the deadline.
  void await_line(const std::string& line, milliseconds within);
  /// Sends a signal and waits for the end; gives the code as `ended` has it.
  int end(int signal, milliseconds within = milliseconds(20'000));
  bool running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }

private:
  pid_t pid_ = -1;
  int out_ = -1;
};

} // namespace fondaco::e2e

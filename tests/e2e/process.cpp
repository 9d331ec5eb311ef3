#include "e2e/process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fondaco::e2e {

namespace {

struct pipe_ends {
  int read = -1;
  int write = -1;
};

pipe_ends make_pipe() {
  int ends[2];
  check(::pipe2(ends, O_CLOEXEC) == 0, std::string("no pipe: ") + std::strerror(errno));
  return {ends[0], ends[1]};
}

// Everything that allocates happens before the fork: another thread may hold the allocator's lock at that moment.
pid_t spawn(const std::vector<std::string>& words, int out, int err) {
  std::vector<char*> argv;
  for (const auto& w : words)
    argv.push_back(const_cast<char*>(w.c_str()));
  argv.push_back(nullptr);
  int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  auto pid = ::fork();
  check(pid >= 0, std::string("no process: ") + std::strerror(errno));
  if (pid == 0) {
    ::setpgid(0, 0);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    ::execvp(argv[0], argv.data());
    const std::string_view why = "the program cannot be run\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, why.data(), why.size());
    ::_exit(127);
  }
  ::close(nothing);
  return pid;
}

int code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

// Reads what there is; false at the end.
bool drain(int fd, std::string& into) {
  std::array<char, 16384> buffer;
  auto n = ::read(fd, buffer.data(), buffer.size());
  if (n > 0)
    into.append(buffer.data(), static_cast<size_t>(n));
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

int left_ms(steady::time_point end) {
  auto left = std::chrono::duration_cast<milliseconds>(end - steady::now()).count();
  return static_cast<int>(std::max<int64_t>(left, 0));
}

// The exit code, once the process has ended; nothing at the deadline.
std::optional<int> wait_end(pid_t pid, steady::time_point end) {
  int status = 0;
  for (;;) {
    if (::waitpid(pid, &status, WNOHANG) == pid)
      return code_of(status);
    if (steady::now() >= end)
      return std::nullopt;
    ::poll(nullptr, 0, 5);
  }
}

} // namespace

ended run_program(const std::vector<std::string>& words, milliseconds within) {
  const auto end = steady::now() + within;
  auto out = make_pipe(), err = make_pipe();
  auto pid = spawn(words, out.write, err.write);
  ::close(out.write);
  ::close(err.write);
  ended result;
  bool out_open = true, err_open = true;
  while ((out_open || err_open) && steady::now() < end) {
    pollfd fds[2] = {{out_open ? out.read : -1, POLLIN, 0}, {err_open ? err.read : -1, POLLIN, 0}};
    if (::poll(fds, 2, left_ms(end)) <= 0)
      continue;
    if (fds[0].revents != 0)
      out_open = drain(out.read, result.out);
    if (fds[1].revents != 0)
      err_open = drain(err.read, result.err);
  }
  ::close(out.read);
  ::close(err.read);
  auto code = wait_end(pid, end);
  if (!code) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    throw failed(words[0] + " did not end within " + std::to_string(within.count()) + " ms; it said: " + result.out +
                 result.err);
  }
  result.code = *code;
  return result;
}

child::~child() {
  if (running()) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (out_ >= 0)
    ::close(out_);
}

void child::start(const std::vector<std::string>& words, const std::string& error_file) {
  check(!running(), "the program runs already");
  if (out_ >= 0)
    ::close(out_);
  auto out = make_pipe();
  int err = ::open(error_file.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  check(err >= 0, "the file " + error_file + " cannot be written");
  pid_ = spawn(words, out.write, err);
  ::close(out.write);
  ::close(err);
  out_ = out.read;
}

void child::await_line(const std::string& line, milliseconds within) {
  const auto end = steady::now() + within;
  std::string said = "\n";
  while (said.find("\n" + line + "\n") == std::string::npos) {
    pollfd waiting{out_, POLLIN, 0};
    int n = ::poll(&waiting, 1, left_ms(end));
    check(n > 0, "'" + line + "' was not said within " + std::to_string(within.count()) + " ms, but: " + said);
    check(drain(out_, said), "the program ended before it said '" + line + "'; it said: " + said);
  }
}

int child::end(int signal, milliseconds within) {
  check(running(), "the program does not run");
  ::kill(pid_, signal);
  auto code = wait_end(pid_, steady::now() + within);
  if (!code) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  pid_ = -1;
  check(code.has_value(), "the program did not end within " + std::to_string(within.count()) + " ms after signal " +
                              std::to_string(signal));
  return *code;
}

} // namespace fondaco::e2e

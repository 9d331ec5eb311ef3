#include "crash/syscall_killer.hpp"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <set>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fondaco::crash {

namespace {

constexpr int could_not_run = 127;
constexpr int signal_base = 128;
constexpr int syscall_stop = SIGTRAP | 0x80;

pid_t traced = -1;

void pass_on(int signal) { ::kill(traced, signal); }

// Only what writes a file at a place, and what makes it durable, stops for the tracer, so that the rest of the program
// keeps its pace.
bool stop_at_writes() {
  sock_filter rules[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                         BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_pwrite64, 3, 0),
                         BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fdatasync, 2, 0),
                         BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fsync, 1, 0),
                         BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
                         BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE)};
  const sock_fprog program{std::size(rules), rules};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

[[noreturn]] void become(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const auto& word : words)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  ::raise(SIGSTOP);
  if (stop_at_writes())
    ::execv(arguments[0], arguments.data());
  ::_exit(could_not_run);
}

class tracer {
public:
  tracer(uint64_t at, side when, const std::string& count_file)
      : at_(at), when_(when), count_fd_(::open(count_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {}
  ~tracer() { ::close(count_fd_); }
  tracer(const tracer&) = delete;

  int follow() {
    int status = 0;
    if (::waitpid(traced, &status, __WALL) != traced || !WIFSTOPPED(status))
      return could_not_run;
    const long options =
        PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
    ::ptrace(PTRACE_SETOPTIONS, traced, nullptr, options);
    ::ptrace(PTRACE_CONT, traced, nullptr, nullptr);
    for (;;) {
      const auto who = ::waitpid(-1, &status, __WALL);
      if (who < 0 && errno == EINTR)
        continue;
      if (who < 0)
        return could_not_run;
      if (who == traced && WIFEXITED(status))
        return WEXITSTATUS(status);
      if (who == traced && WIFSIGNALED(status))
        return signal_base + WTERMSIG(status);
      if (WIFSTOPPED(status))
        stopped(who, status);
    }
  }

private:
  void stopped(pid_t who, int status) {
    const int signal = WSTOPSIG(status);
    const int event = status >> 16;
    if (event == PTRACE_EVENT_SECCOMP)
      return call_begins(who);
    if (signal == syscall_stop)
      return syscall_passes(who);
    // A thread begins with a stop of its own; an event is the tracer's alone.
    const bool begins = signal == SIGSTOP && known_.insert(who).second && who != traced;
    const bool deliver = event == 0 && !begins && signal != SIGTRAP;
    ::ptrace(PTRACE_CONT, who, nullptr, deliver ? signal : 0);
  }

  void call_begins(pid_t who) {
    __ptrace_syscall_info info{};
    ::ptrace(PTRACE_GET_SYSCALL_INFO, who, sizeof info, &info);
    if (info.seccomp.nr != __NR_pwrite64)
      return sync_begins(who);
    if (when_ == side::before && count_ + 1 == at_ && is_log(who, info.seccomp.args[0]))
      ::kill(traced, SIGKILL);
    else
      ::ptrace(PTRACE_CONT, who, nullptr, nullptr);
  }

  // What the system was given to write survives the process, so a commit that is not to be there is not written at all.
  static bool is_log(pid_t who, uint64_t fd) {
    std::error_code error;
    const auto file =
        std::filesystem::read_symlink("/proc/" + std::to_string(who) + "/fd/" + std::to_string(fd), error).string();
    return file.ends_with("-wal");
  }

  void sync_begins(pid_t who) {
    const auto text = std::to_string(++count_) + "\n";
    if (::pwrite(count_fd_, text.data(), text.size(), 0) < 0)
      std::perror("the count of commits cannot be written");
    if (count_ != at_) {
      ::ptrace(PTRACE_CONT, who, nullptr, nullptr);
    } else if (when_ == side::before) {
      ::kill(traced, SIGKILL); // it had written nothing to the log
    } else {
      awaited_ = who;
      ::ptrace(PTRACE_SYSCALL, who, nullptr, nullptr);
    }
  }

  // Its entry stops once more before its return does.
  void syscall_passes(pid_t who) {
    __ptrace_syscall_info info{};
    ::ptrace(PTRACE_GET_SYSCALL_INFO, who, sizeof info, &info);
    if (who != awaited_)
      ::ptrace(PTRACE_CONT, who, nullptr, nullptr);
    else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
      ::kill(traced, SIGKILL);
    else
      ::ptrace(PTRACE_SYSCALL, who, nullptr, nullptr);
  }

  uint64_t at_;
  side when_;
  int count_fd_;
  uint64_t count_ = 0;
  pid_t awaited_ = -1;
  std::set<pid_t> known_;
};

} // namespace

int run_and_kill(uint64_t at, side when, const std::string& count_file, const std::vector<std::string>& words) {
  traced = ::fork();
  if (traced == 0)
    become(words);
  std::signal(SIGTERM, pass_on);
  std::signal(SIGINT, SIG_IGN);
  tracer following(at, when, count_file);
  return following.follow();
}

} // namespace fondaco::crash

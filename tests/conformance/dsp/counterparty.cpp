#include "conformance/dsp/counterparty.hpp"

#include <regex>

#include "conformance/dsp/report.hpp"

namespace fondaco::conformance::dsp {

namespace {

/// Bodies in a transcript are cut to this many bytes.
constexpr size_t shown_bytes_max = 600;

std::string shown(const std::string& text) {
  return text.size() <= shown_bytes_max ? text : text.substr(0, shown_bytes_max) + "...";
}

std::string joined(const std::vector<std::string>& sentences) {
  std::string out;
  for (const auto& s : sentences) {
    out += (out.empty() ? "" : "; ") + s;
  }
  return out;
}

json::value parse(const std::string& text) {
  boost::system::error_code ec;
  auto value = json::parse(text, ec);
  if (ec) {
    throw failure("cannot deserialize JSON (" + ec.message() + "): " + shown(text));
  }
  return value;
}

/// What the specification demands of a refusal and the kit does not look at.
void note_refusal(environment& env, const std::string& url, const http::response& r) {
  if (r.status != 400) {
    env.log.note(url + ": an invalid transition was answered with " + std::to_string(r.status) + ", not 400");
  }
  boost::system::error_code ec;
  auto body = json::parse(r.raw.body, ec);
  auto wrong = ec ? std::vector<std::string>{"body is not JSON"} : violations(body);
  if (!wrong.empty()) {
    env.log.note(url + ": the error body: " + joined(wrong));
  }
}

} // namespace

verdict judge_post(int status, bool error_expected, int attempt) {
  using enum verdict::kind;
  bool client_error = status >= 400 && status < 500;
  if (status == 404) {
    return {failed, "unexpected 404"};
  }
  if (!error_expected && client_error && attempt < attempts_max) {
    return {again, {}};
  }
  if (status >= 200 && status < 300) {
    return error_expected ? verdict{failed, "expected an error, got " + std::to_string(status)} : verdict{passed, {}};
  }
  return client_error && error_expected ? verdict{passed, {}}
                                        : verdict{failed, "unexpected response code " + std::to_string(status)};
}

void pause(std::chrono::milliseconds time) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, time, [] { return false; });
}

void latch::release() {
  std::lock_guard lock(mutex_);
  released_ = true;
  changed_.notify_all();
}

bool latch::wait_for(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [this] { return released_; });
}

void transcript::line(const std::string& what) {
  auto since = std::chrono::steady_clock::now() - begun_;
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  std::lock_guard lock(mutex_);
  lines_.push_back(std::to_string(ms) + " ms: " + what);
  if (echo_) {
    print_line(what);
  }
}

void transcript::note(const std::string& what) {
  std::lock_guard lock(mutex_);
  notes_.push_back(what);
}

std::vector<std::string> transcript::lines() const {
  std::lock_guard lock(mutex_);
  return lines_;
}

std::vector<std::string> transcript::notes() const {
  std::lock_guard lock(mutex_);
  return notes_;
}

void callback_endpoint::expect(const std::string& path, handler h) {
  std::lock_guard lock(mutex_);
  handlers_[path.ends_with('/') ? path.substr(0, path.size() - 1) : path] = std::move(h);
}

void callback_endpoint::forget(const std::string& path) {
  std::lock_guard lock(mutex_);
  handlers_.erase(path);
}

void callback_endpoint::clear() {
  std::unique_lock lock(mutex_);
  handlers_.clear();
  idle_.wait(lock, [this] { return running_ == 0; });
}

http::reply callback_endpoint::run(const handler& h, const std::string& body, transcript& log) {
  http::reply answer;
  try {
    answer = h(body);
  } catch (const std::exception& e) {
    log.line(std::string("  ! closed without an answer: ") + e.what());
    answer = {0, {}, {}, true};
  }
  std::lock_guard lock(mutex_);
  --running_;
  idle_.notify_all();
  return answer;
}

http::reply callback_endpoint::dispatch(const http::message& request, transcript& log) {
  auto path = request.second.substr(0, request.second.find('?'));
  path = path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
  handler h;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [pattern, candidate] : handlers_) {
      if (std::regex_match(path, std::regex(pattern))) {
        h = candidate;
      }
    }
    running_ += h ? 1 : 0;
  }
  log.line("  < " + request.first + " " + path + " " + shown(request.body));
  auto answer = h ? run(h, request.body, log) : http::reply{404, "No handler registered on this endpoint", {}, false};
  if (answer.dropped) {
    return answer;
  }
  log.line("  > " + std::to_string(answer.status) + " " + shown(answer.body.value_or("(empty)")));
  return answer;
}

http::response post(environment& env, const std::string& url, const json::object& body, bool error_expected) {
  http::header_list headers{{"Content-Type", "application/json; charset=utf-8"}};
  if (!env.config.authorization.empty()) {
    headers.emplace_back("Authorization", env.config.authorization);
  }
  auto text = json::serialize(body);
  auto backoff = first_retry_pause;
  for (int attempt = 1;; ++attempt) {
    env.log.line("> POST " + url + " " + shown(text));
    auto answer = env.http.exchange("POST", url, headers, text);
    if (!answer) {
      throw failure("POST " + url + ": " + answer.error());
    }
    env.log.line("< " + std::to_string(answer->status) + " " + shown(answer->raw.body));
    auto v = judge_post(answer->status, error_expected, attempt);
    if (v.what == verdict::kind::passed) {
      if (error_expected) {
        note_refusal(env, url, *answer);
      }
      return std::move(*answer);
    }
    if (v.what == verdict::kind::failed) {
      throw failure("POST " + url + ": " + v.why + " " + shown(answer->raw.body));
    }
    pause(backoff);
    backoff *= 2;
  }
}

http::response get(environment& env, const std::string& url, bool any_status) {
  http::header_list headers;
  if (!env.config.authorization.empty()) {
    headers.emplace_back("Authorization", env.config.authorization);
  }
  auto answer = env.http.exchange("GET", url, headers);
  if (!answer) {
    throw failure("GET " + url + ": " + answer.error());
  }
  env.log.line("GET " + url + " -> " + std::to_string(answer->status) + " " + shown(answer->raw.body));
  if (!any_status && !answer->success()) {
    throw failure("GET " + url + ": unexpected response code " + std::to_string(answer->status));
  }
  return std::move(*answer);
}

json::object accept_body(environment& env, const std::string& text, std::string_view expected_type) {
  auto value = parse(text);
  if (auto wrong = refusals(value, env.config.known_contexts); !wrong.empty()) {
    throw failure("invalid message: " + joined(wrong) + ": " + shown(text));
  }
  auto& object = value.get_object();
  auto type = std::string(object.at("@type").get_string());
  if (type != expected_type) {
    env.log.note("a " + type + " came where " + std::string(expected_type) + " belongs");
  } else if (auto wrong = violations(value); !wrong.empty()) {
    env.log.note(type + ": " + joined(wrong));
  }
  return std::move(object);
}

json::object accept_process(environment& env, const std::string& text, std::string_view expected_type) {
  auto body = accept_body(env, text, expected_type);
  for (std::string_view key : {"providerPid", "state"}) {
    if (id_of(body, key).empty()) {
      throw failure("property '" + std::string(key) + "' was not found: " + shown(text));
    }
  }
  return body;
}

void step_runner::on_callback(const std::string& path, std::string_view type,
                              std::function<std::optional<json::object>(const json::object&)> act) {
  auto handled = std::make_shared<latch>();
  expected_.push_back(handled);
  env_.log.line("expecting " + std::string(type) + " on " + path);
  env_.callbacks.expect(
      path,
      [this, path, type = std::string(type), act = std::move(act), handled](const std::string& text) -> http::reply {
        auto body = act(accept_body(env_, text, type));
        env_.callbacks.forget(path);
        handled->release();
        return {200, body ? std::optional(json::serialize(*body)) : std::nullopt, {}, false};
      });
}

void step_runner::on_fallible_callback(const std::string& path, std::string_view type,
                                       std::function<std::pair<int, json::object>(const json::object&)> act) {
  auto handled = std::make_shared<latch>();
  expected_.push_back(handled);
  env_.log.line("expecting " + std::string(type) + " on " + path);
  env_.callbacks.expect(
      path,
      [this, path, type = std::string(type), act = std::move(act), handled](const std::string& text) -> http::reply {
        try {
          auto [status, body] = act(accept_body(env_, text, type));
          env_.callbacks.forget(path);
          handled->release();
          return {status, json::serialize(body), {}, false};
        } catch (const failure&) {
          throw;
        } catch (const std::exception& e) {
          return {500, e.what(), {}, false};
        }
      });
}

void step_runner::wait_until(const std::string& what, const std::function<bool()>& condition) {
  std::shared_ptr<latch> handled;
  if (!expected_.empty()) {
    handled = expected_.front();
    expected_.pop_front();
  }
  env_.log.line("waiting for " + what);
  if (handled && !handled->wait_for(env_.config.wait)) {
    throw failure("timeout waiting for " + what + ": the expected message did not come");
  }
  auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(env_.config.wait);
  do {
    pause(short_pause);
    if (condition()) {
      return;
    }
  } while (std::chrono::steady_clock::now() < until);
  throw failure("timeout waiting for " + what);
}

} // namespace fondaco::conformance::dsp

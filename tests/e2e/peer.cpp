#include "e2e/peer.hpp"

namespace fondaco::e2e {

namespace {

constexpr const char* base_path = "/dsp";

bool is_first(const delivery& d) {
  return d.method == "POST" && (d.path.ends_with("/negotiations/request") || d.path.ends_with("/transfers/request"));
}

} // namespace

json::object delivery::message() const {
  boost::system::error_code wrong;
  auto parsed = json::parse(body, wrong);
  return !wrong && parsed.is_object() ? parsed.get_object() : json::object();
}

std::string delivery::header(std::string_view name) const {
  for (const auto& [n, v] : headers)
    if (http::same_name(n, name))
      return v;
  return {};
}

void gate::open() {
  {
    std::lock_guard lock(mutex_);
    open_ = true;
  }
  changed_.notify_all();
}

bool gate::pass(milliseconds within) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, within, [this] { return open_; });
}

peer::peer() : behaviour_(well()) {
  auto started = http::server::start("127.0.0.1", 0, [this](const http::message& m) { return take(m); });
  check(started.has_value(), started ? "" : started.error());
  server_ = std::move(*started);
}

peer::~peer() { server_.reset(); }

std::string peer::root() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

std::string peer::base() const { return root() + base_path; }

void peer::behave(behaviour b) {
  std::lock_guard lock(mutex_);
  behaviour_ = std::move(b);
}

peer::behaviour peer::well() {
  return [](const delivery& d) -> http::reply {
    if (d.method == "GET")
      return {404, {}, {}, false};
    if (!is_first(d))
      return {200, {}, {}, false};
    auto consumer = text_at(d.message(), "consumerPid");
    auto process = message(d.path.ends_with("/transfers/request") ? "TransferProcess" : "ContractNegotiation", consumer,
                           peer_pid_for(consumer));
    process["state"] = "REQUESTED";
    return json_reply(201, process);
  };
}

http::reply peer::take(const http::message& m) {
  const auto* authorization = m.header("Authorization");
  delivery d{m.first, m.second, authorization ? *authorization : std::string(), m.body, m.headers};
  behaviour how;
  {
    std::lock_guard lock(mutex_);
    seen_.push_back(d);
    how = behaviour_;
  }
  changed_.notify_all();
  return how(d);
}

std::vector<delivery> peer::seen(const std::string& path_end) const {
  std::lock_guard lock(mutex_);
  std::vector<delivery> out;
  for (const auto& d : seen_)
    if (d.path.ends_with(path_end))
      out.push_back(d);
  return out;
}

delivery peer::await(const std::string& path_end, size_t count, milliseconds within) const {
  std::unique_lock lock(mutex_);
  std::optional<delivery> found;
  size_t met = 0;
  auto look = [&] {
    met = 0;
    for (const auto& d : seen_)
      if (d.path.ends_with(path_end) && ++met == count)
        found = d;
    return found.has_value();
  };
  bool came = changed_.wait_for(lock, within, look);
  check(came, "the peer got " + std::to_string(met) + " of " + std::to_string(count) + " requests to ..." + path_end +
                  " within " + std::to_string(within.count()) + " ms; in all it got " + std::to_string(seen_.size()) +
                  (seen_.empty() ? "" : ", the last to " + seen_.back().path));
  return *found;
}

http::reply json_reply(int status, const json::object& body) {
  return {status, json::serialize(body), {{"Content-Type", "application/json"}}, false};
}

std::string peer_pid_for(const std::string& consumer_pid) { return "peer-" + consumer_pid; }

void check_one_body_per_id(const std::vector<delivery>& all) {
  std::map<std::string, std::string> bodies;
  for (const auto& d : all) {
    if (d.method != "POST")
      continue;
    auto id = text_at(d.message(), "@id");
    check(!id.empty(), "a message to " + d.path + " has no @id: " + d.body);
    auto [known, fresh] = bodies.emplace(id, d.path + " " + d.body);
    check(fresh || known->second == d.path + " " + d.body,
          "the message id " + id + " came with two bodies: " + known->second + " and " + d.path + " " + d.body);
  }
}

} // namespace fondaco::e2e

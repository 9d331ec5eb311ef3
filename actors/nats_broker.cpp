#include "actors/nats_broker.hpp"

#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <nats/nats.h>

#include "actors/ports/log.hpp"

namespace fondaco::actors {

namespace {

using steady = std::chrono::steady_clock;

constexpr size_t publications_waiting_max = 10'000;
constexpr int64_t fetch_wait_ms = 500;
constexpr auto retry_after = std::chrono::seconds(1);
constexpr int64_t nanoseconds_per_ms = 1'000'000;
constexpr const char* expires_header = "Fondaco-Expires-At";

/// Frees with the function that the library names for the type.
template <auto Free> struct freeing {
  template <class T> void operator()(T* handle) const { Free(handle); }
};
using connection_ptr = std::unique_ptr<natsConnection, freeing<natsConnection_Destroy>>;
using context_ptr = std::unique_ptr<jsCtx, freeing<jsCtx_Destroy>>;
using options_ptr = std::unique_ptr<natsOptions, freeing<natsOptions_Destroy>>;
using message_ptr = std::unique_ptr<natsMsg, freeing<natsMsg_Destroy>>;
using subscription_ptr = std::unique_ptr<natsSubscription, freeing<natsSubscription_Destroy>>;
using shared_message = std::shared_ptr<natsMsg>;

fault not_now(std::string detail) { return {"broker_unavailable", std::move(detail), cure::retry}; }

std::string said(natsStatus status) { return std::string("NATS says: ") + natsStatus_GetText(status) + "."; }

void note(severity level, std::string message) {
  write_log({level, "broker", log_category::application, std::move(message), {}});
}

std::string first_line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

std::vector<std::string> split_servers(const std::string& urls) {
  std::vector<std::string> out;
  for (size_t begin = 0; begin <= urls.size();) {
    const auto end = std::min(urls.find(',', begin), urls.size());
    if (end > begin)
      out.push_back(urls.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

// Milliseconds since 1970; what is no number says nothing.
std::optional<timepoint> read_expiry(std::string_view text) {
  int64_t ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(from_epoch_ms(ms)) : std::nullopt;
}

struct publication {
  broker_message message;
  std::function<void(std::expected<void, fault>)> done;
};

struct consumer {
  std::string durable;
  std::string subject;
  broker::handler handle;
};

/// The connection and what is under way on it; shared with handlers, which may end after the broker.
class link : public std::enable_shared_from_this<link> {
public:
  explicit link(nats_options o) : options_(std::move(o)) {}

  std::expected<void, fault> open();
  bool connected() const {
    return connection_ && natsConnection_Status(connection_.get()) == NATS_CONN_STATUS_CONNECTED;
  }
  bool running() const { return running_; }
  void begin() { running_ = true; }
  void end(milliseconds within);

  void enqueue(publication p);
  void publish_all();
  void consume_all(const consumer& c);

private:
  struct flight {
    shared_message message;
    steady::time_point alive_at;
  };

  std::expected<void, fault> publish_now(const std::string& subject, const broker_message& m);
  bool make_stream(const std::string& name, const char* subjects, jsRetentionPolicy retention);
  subscription_ptr subscribe(const consumer& c);
  void deliver(const consumer& c, message_ptr m);
  void handled(const shared_message& m, const broker_message& what, delivery d);
  void bury(const broker_message& what);
  void keep_alive();
  bool sleep_a_while();
  unsigned room() const;

  nats_options options_;
  connection_ptr connection_;
  context_ptr context_;
  std::atomic<bool> running_{false};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<publication> waiting_;
  std::map<natsMsg*, flight> flights_;
};

std::expected<void, fault> link::open() {
  natsOptions* raw = nullptr;
  if (natsOptions_Create(&raw) != NATS_OK)
    return std::unexpected(not_now("The NATS client cannot be set up."));
  options_ptr o(raw);
  const auto servers = split_servers(options_.url);
  std::vector<const char*> urls;
  for (const auto& s : servers)
    urls.push_back(s.c_str());
  auto status = natsOptions_SetServers(o.get(), urls.data(), static_cast<int>(urls.size()));
  if (status == NATS_OK && !options_.credentials_file.empty())
    status = natsOptions_SetUserCredentialsFromFiles(o.get(), options_.credentials_file.c_str(), nullptr);
  if (status == NATS_OK && !options_.token_file.empty())
    status = natsOptions_SetToken(o.get(), first_line(options_.token_file).c_str());
  if (status != NATS_OK)
    return std::unexpected(
        fault{"config_invalid", "cfm.nats_url or its credentials are not usable: " + said(status), cure::fix_input});
  natsOptions_SetName(o.get(), "fondaco");
  natsOptions_SetMaxReconnect(o.get(), -1);
  natsOptions_SetReconnectWait(o.get(), 500);
  natsOptions_SetRetryOnFailedConnect(o.get(), true, [](natsConnection*, void*) {}, nullptr);
  natsConnection* connection = nullptr;
  status = natsConnection_Connect(&connection, o.get());
  connection_.reset(connection);
  if (status != NATS_OK && status != NATS_NOT_YET_CONNECTED)
    return std::unexpected(fault{"config_invalid", "cfm.nats_url cannot be used: " + said(status), cure::fix_input});
  jsOptions js;
  jsOptions_Init(&js);
  js.Wait = options_.publish_timeout_ms.count();
  jsCtx* context = nullptr;
  if (natsConnection_JetStream(&context, connection_.get(), &js) != NATS_OK)
    return std::unexpected(not_now("JetStream cannot be set up."));
  context_.reset(context);
  return {};
}

void link::end(milliseconds within) {
  std::deque<publication> dropped;
  {
    std::unique_lock lock(mutex_);
    running_ = false;
    dropped.swap(waiting_);
    changed_.notify_all();
    changed_.wait_for(lock, within, [this] { return flights_.empty(); });
  }
  for (auto& p : dropped)
    p.done(std::unexpected(not_now("The node ends.")));
}

void link::enqueue(publication p) {
  {
    std::lock_guard lock(mutex_);
    if (running_ && waiting_.size() < publications_waiting_max) {
      waiting_.push_back(std::move(p));
      changed_.notify_all();
      return;
    }
  }
  p.done(std::unexpected(not_now("Too many messages wait to be published, or the node ends.")));
}

void link::publish_all() {
  std::unique_lock lock(mutex_);
  while (running_) {
    if (waiting_.empty()) {
      changed_.wait(lock, [this] { return !running_ || !waiting_.empty(); });
      continue;
    }
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    next.done(publish_now(next.message.subject, next.message));
    lock.lock();
  }
}

std::expected<void, fault> link::publish_now(const std::string& subject, const broker_message& m) {
  if (!connected())
    return std::unexpected(not_now("NATS is not connected."));
  natsMsg* raw = nullptr;
  auto status = natsMsg_Create(&raw, subject.c_str(), nullptr, m.payload.data(), static_cast<int>(m.payload.size()));
  message_ptr message(raw);
  if (status == NATS_OK && !m.traceparent.empty())
    status = natsMsgHeader_Set(raw, "traceparent", m.traceparent.c_str());
  if (status == NATS_OK && m.expires_at)
    status = natsMsgHeader_Set(raw, expires_header, std::to_string(to_epoch_ms(*m.expires_at)).c_str());
  jsPubOptions o;
  jsPubOptions_Init(&o);
  o.MaxWait = options_.publish_timeout_ms.count();
  o.MsgId = m.id.empty() ? nullptr : m.id.c_str();
  jsErrCode code = static_cast<jsErrCode>(0);
  if (status == NATS_OK)
    status = js_PublishMsg(nullptr, context_.get(), raw, &o, &code);
  if (status == NATS_OK)
    return {};
  return std::unexpected(not_now("The message was not taken for '" + subject + "'. " + said(status)));
}

bool link::make_stream(const std::string& name, const char* subjects, jsRetentionPolicy retention) {
  jsStreamInfo* info = nullptr;
  jsErrCode code = static_cast<jsErrCode>(0);
  auto status = js_GetStreamInfo(&info, context_.get(), name.c_str(), nullptr, &code);
  jsStreamInfo_Destroy(info);
  if (status == NATS_OK)
    return true;
  if (status != NATS_NOT_FOUND)
    return false;
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  config.Name = name.c_str();
  config.Subjects = &subjects;
  config.SubjectsLen = 1;
  config.Retention = retention;
  config.Storage = js_FileStorage;
  info = nullptr;
  status = js_AddStream(&info, context_.get(), &config, nullptr, &code);
  jsStreamInfo_Destroy(info);
  return status == NATS_OK;
}

subscription_ptr link::subscribe(const consumer& c) {
  const auto dead = options_.stream + "-dead";
  if (!make_stream(options_.stream, "event.*", js_WorkQueuePolicy) || !make_stream(dead, "dead.>", js_LimitsPolicy))
    return {};
  jsSubOptions o;
  jsSubOptions_Init(&o);
  o.Stream = options_.stream.c_str();
  o.ManualAck = true;
  o.Config.AckPolicy = js_AckExplicit;
  o.Config.AckWait = options_.ack_wait_ms.count() * nanoseconds_per_ms;
  // Deliveries are counted here, so that a message ends as a dead letter and never silently.
  o.Config.MaxDeliver = -1;
  natsSubscription* sub = nullptr;
  jsErrCode code = static_cast<jsErrCode>(0);
  const auto status = js_PullSubscribe(&sub, context_.get(), c.subject.c_str(), c.durable.c_str(), nullptr, &o, &code);
  if (status != NATS_OK) {
    note(severity::warning, "The consumer '" + c.durable + "' cannot be made: " + said(status));
    return {};
  }
  return subscription_ptr(sub);
}

bool link::sleep_a_while() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, retry_after, [this] { return !running_; });
  return running_;
}

unsigned link::room() const {
  std::lock_guard lock(mutex_);
  return flights_.size() >= options_.handlers_max ? 0 : options_.handlers_max - static_cast<unsigned>(flights_.size());
}

void link::consume_all(const consumer& c) {
  subscription_ptr sub;
  while (running_) {
    if (!sub) {
      sub = connected() ? subscribe(c) : subscription_ptr{};
      if (!sub && !sleep_a_while())
        return;
      continue;
    }
    keep_alive();
    const auto free_places = room();
    if (free_places == 0) {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, milliseconds(fetch_wait_ms));
      continue;
    }
    natsMsgList list{};
    jsErrCode code = static_cast<jsErrCode>(0);
    const auto status =
        natsSubscription_Fetch(&list, sub.get(), static_cast<int>(std::min(free_places, 16u)), fetch_wait_ms, &code);
    for (int i = 0; i < list.Count; ++i) {
      deliver(c, message_ptr(list.Msgs[i]));
      list.Msgs[i] = nullptr;
    }
    natsMsgList_Destroy(&list);
    if (status != NATS_OK && status != NATS_TIMEOUT) {
      sub.reset();
      if (!sleep_a_while())
        return;
    }
  }
}

void link::deliver(const consumer& c, message_ptr m) {
  jsMsgMetaData* meta = nullptr;
  broker_message what;
  what.subject = c.subject;
  what.payload.assign(natsMsg_GetData(m.get()), static_cast<size_t>(natsMsg_GetDataLength(m.get())));
  const char* header = nullptr;
  if (natsMsgHeader_Get(m.get(), "Nats-Msg-Id", &header) == NATS_OK && header)
    what.id = header;
  header = nullptr;
  if (natsMsgHeader_Get(m.get(), "traceparent", &header) == NATS_OK && header)
    what.traceparent = header;
  header = nullptr;
  if (natsMsgHeader_Get(m.get(), expires_header, &header) == NATS_OK && header)
    what.expires_at = read_expiry(header);
  if (natsMsg_GetMetaData(&meta, m.get()) == NATS_OK)
    what.attempt = static_cast<unsigned>(meta->NumDelivered);
  jsMsgMetaData_Destroy(meta);
  shared_message shared(m.release(), [](natsMsg* p) { natsMsg_Destroy(p); });
  {
    std::lock_guard lock(mutex_);
    flights_[shared.get()] = {shared, steady::now()};
  }
  c.handle(what, [self = shared_from_this(), shared, what](delivery d) { self->handled(shared, what, d); });
}

void link::handled(const shared_message& m, const broker_message& what, delivery d) {
  if (d == delivery::again && what.attempt >= options_.deliveries_max)
    d = delivery::refused;
  switch (d) {
  case delivery::done: natsMsg_Ack(m.get(), nullptr); break;
  case delivery::again: natsMsg_NakWithDelay(m.get(), options_.again_after_ms.count(), nullptr); break;
  case delivery::refused:
    bury(what);
    natsMsg_Term(m.get(), nullptr);
    break;
  }
  std::lock_guard lock(mutex_);
  flights_.erase(m.get());
  changed_.notify_all();
}

void link::bury(const broker_message& what) {
  note(severity::error, "A message on '" + what.subject + "' cannot be acted on; it is kept in the stream '" +
                            options_.stream + "-dead'.");
  enqueue({broker_message{"dead." + what.subject, what.id, what.payload, what.traceparent, 1, {}}, [](auto) {}});
}

void link::keep_alive() {
  std::lock_guard lock(mutex_);
  for (auto& [raw, f] : flights_) {
    if (steady::now() - f.alive_at < options_.ack_wait_ms / 3)
      continue;
    natsMsg_InProgress(raw, nullptr);
    f.alive_at = steady::now();
  }
}

class nats_broker final : public broker {
public:
  explicit nats_broker(nats_options o) : link_(std::make_shared<link>(std::move(o))) {}
  ~nats_broker() override { stop(milliseconds(1000)); }

  void publish(broker_message m, std::function<void(std::expected<void, fault>)> done) override {
    if (m.payload.size() > limits::broker_payload_bytes_max) {
      done(std::unexpected(fault{"message_too_long", "A message may have at most 786432 bytes.", cure::fix_input}));
      return;
    }
    link_->enqueue({std::move(m), std::move(done)});
  }

  void consume(std::string durable, std::string subject, handler h) override {
    invariant(threads_.empty(), "consumers are known before the broker starts");
    consumers_.push_back({std::move(durable), std::move(subject), std::move(h)});
  }

  std::expected<void, fault> start() override {
    auto opened = link_->open();
    if (!opened)
      return opened;
    link_->begin();
    threads_.emplace_back([l = link_] { l->publish_all(); });
    for (const auto& c : consumers_)
      threads_.emplace_back([l = link_, c] { l->consume_all(c); });
    return {};
  }

  void stop(milliseconds within) override {
    link_->end(within);
    for (auto& t : threads_)
      t.join();
    threads_.clear();
  }

  bool connected() const override { return link_->connected(); }

private:
  std::shared_ptr<link> link_;
  std::vector<consumer> consumers_;
  std::vector<std::thread> threads_;
};

} // namespace

std::unique_ptr<broker> make_nats_broker(nats_options options) {
  return std::make_unique<nats_broker>(std::move(options));
}

} // namespace fondaco::actors

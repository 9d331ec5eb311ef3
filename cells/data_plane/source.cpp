#include "cells/data_plane/source.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "planes/codec/path.hpp"

namespace fondaco::data_plane {

namespace {

using actors::task;
using gateway::response;

constexpr size_t chunk_bytes = 256u << 10;
constexpr auto source_timeout = milliseconds(30'000);

using piece_result = std::expected<std::string_view, fault>;
using flag = std::shared_ptr<std::atomic<bool>>;

fault ended_fault() { return {"flow_ended", "The data flow was suspended or ended.", cure::stop}; }

// A file, read piece by piece in the reader pool.
class file_source final : public gateway::body_source {
public:
  file_source(cells::cell_services& s, int fd, flag ended) : services_(s), fd_(fd), ended_(std::move(ended)) {}
  ~file_source() override { ::close(fd_); }

  task<piece_result> next() override {
    if (ended_->load())
      co_return std::unexpected(ended_fault());
    auto reading = actors::in_pool(services_.pool, services_.edge, [this] {
      buffer_.resize(chunk_bytes);
      ssize_t n = 0;
      do
        n = ::read(fd_, buffer_.data(), buffer_.size());
      while (n < 0 && errno == EINTR);
      return n;
    });
    auto n = co_await std::move(reading);
    if (!n)
      co_return std::unexpected(fault{"busy", "Too many reads wait.", cure::retry});
    if (*n < 0)
      co_return std::unexpected(fault{"source_failed", "The file cannot be read.", cure::retry});
    co_return std::string_view(buffer_.data(), static_cast<size_t>(*n));
  }

private:
  cells::cell_services& services_;
  int fd_;
  flag ended_;
  std::string buffer_;
};

// Another body that ends when the flow ends.
class guarded_source final : public gateway::body_source {
public:
  guarded_source(std::shared_ptr<body_source> inner, flag ended) : inner_(std::move(inner)), ended_(std::move(ended)) {}
  task<piece_result> next() override {
    if (ended_->load())
      co_return std::unexpected(ended_fault());
    auto piece = co_await inner_->next();
    co_return piece;
  }

private:
  std::shared_ptr<body_source> inner_;
  flag ended_;
};

struct opened_file {
  int fd = -1;
  uint64_t bytes = 0;
};

// The canonical path has to lie below a root, so that neither `..` nor a link leads out.
opened_file open_below(const std::vector<std::string>& roots, const tenant& owner, const std::string& path) {
  std::error_code wrong;
  auto real = std::filesystem::canonical(path, wrong);
  if (wrong)
    return {};
  bool inside = std::any_of(roots.begin(), roots.end(), [&](const std::string& root) {
    std::error_code bad;
    auto base = std::filesystem::canonical(root + "/" + planes::path_segment(owner.id()), bad);
    if (bad)
      return false;
    auto [end, unused] = std::mismatch(base.begin(), base.end(), real.begin(), real.end());
    return end == base.end();
  });
  if (!inside)
    return {};
  int fd = ::open(real.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  struct stat about{};
  if (fd >= 0 && (::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))) {
    ::close(fd);
    fd = -1;
  }
  return {fd, static_cast<uint64_t>(about.st_size)};
}

std::string text_of(const json::object& o, std::string_view name) {
  return std::string(json::string_at(o, name).value_or(""));
}

bool is_on(const json::object& o, std::string_view name) {
  return json::string_at(o, name) == "true" || json::boolean_at(o, name).value_or(false);
}

std::string joined_path(std::string base, std::string_view more) {
  while (more.starts_with('/'))
    more.remove_prefix(1);
  if (more.empty())
    return base;
  if (base.ends_with('/'))
    base.pop_back();
  return base + "/" + std::string(more);
}

// A consumer's path, which the router has decoded once, so that it cannot add a query or leave the source's folder.
std::string encoded_path(std::string_view rest) {
  std::string out;
  while (!rest.empty()) {
    auto end = std::min(rest.find('/'), rest.size());
    auto segment = rest.substr(0, end);
    if (!segment.empty())
      out += (out.empty() ? "" : "/") + planes::path_segment(segment);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

// True if what a consumer adds could mean another place after one more decoding.
bool climbs(std::string_view rest) {
  return rest.find('%') != rest.npos || rest.find('\\') != rest.npos ||
         ("/" + std::string(rest) + "/").find("/../") != std::string::npos;
}

// Secrets in an address are sealed where they are kept; they are opened for this one request.
std::optional<std::string> secret_of(cells::cell_services& s, const tenant& owner, const std::string& value) {
  if (!value.starts_with("v1."))
    return value;
  auto opened = s.vault.open(owner, value);
  return opened ? std::optional(*opened) : std::nullopt;
}

struct source_call {
  actors::http_call call;
  bool usable = true;
};

source_call make_call(cells::cell_services& s, const tenant& owner, const json::object& address,
                      const pull_request& pull) {
  source_call out;
  auto url = joined_path(text_of(address, "baseUrl"), text_of(address, "path"));
  if (is_on(address, "proxyPath"))
    url = joined_path(std::move(url), encoded_path(pull.rest));
  auto query = text_of(address, "queryParams");
  if (is_on(address, "proxyQueryParams") && !pull.query.empty())
    query += (query.empty() ? "" : "&") + pull.query;
  if (!query.empty())
    url += (url.find('?') == std::string::npos ? "?" : "&") + query;
  out.call.url = std::move(url);
  out.call.method = pull.method;
  out.call.timeout_ms = source_timeout;
  for (const auto& member : address)
    if (member.key().starts_with("header:") && member.value().is_string())
      out.call.headers.emplace_back(std::string(member.key().substr(7)), std::string(member.value().get_string()));
  if (auto name = text_of(address, "authKey"); !name.empty()) {
    auto secret = secret_of(s, owner, text_of(address, "authCode"));
    out.usable = secret.has_value();
    out.call.headers.emplace_back(std::move(name), secret.value_or(""));
  }
  return out;
}

std::string content_type_of(const json::object& address, const actors::http_headers& headers) {
  if (auto given = text_of(address, "contentType"); !given.empty())
    return given;
  for (const auto& [name, value] : headers)
    if (name == "content-type" || name == "Content-Type")
      return value;
  return "application/octet-stream";
}

task<response> open_http(cells::cell_services& s, tenant owner, json::object address, pull_request pull, flag ended) {
  if (is_on(address, "proxyPath") && climbs(pull.rest))
    co_return pull_error(400, "The path must not hold '..', '%' or a backslash.");
  auto making =
      actors::in_pool(s.pool, s.edge, owner, [&s, owner, address, pull] { return make_call(s, owner, address, pull); });
  auto made = co_await std::move(making);
  if (!made)
    co_return pull_error(503, "Too many reads wait; ask again.");
  if (!made->usable)
    co_return pull_error(500, "The source's credentials cannot be read.");
  auto opened = co_await s.streams.open(std::move(made->call));
  if (!opened)
    co_return pull_error(502, "The source does not answer (" + std::string(actors::name_of(opened.error())) + ").");
  if (opened->status == 404)
    co_return pull_error(404, "The source has no such data.");
  if (opened->status < 200 || opened->status > 299)
    co_return pull_error(502, "The source answered " + std::to_string(opened->status) + ".");
  response r;
  r.headers.emplace_back("Content-Type", content_type_of(address, opened->headers));
  r.content_length = opened->content_length;
  r.stream = std::make_shared<guarded_source>(std::move(opened->body), std::move(ended));
  co_return r;
}

task<response> open_file(cells::cell_services& s, tenant owner, json::object address, flag ended) {
  const auto* roots = &s.settings.file_roots;
  auto opening = actors::in_pool(s.pool, s.edge, owner, [roots, owner, path = text_of(address, "path")] {
    return open_below(*roots, owner, path);
  });
  auto file = co_await std::move(opening);
  if (!file)
    co_return pull_error(503, "Too many reads wait; ask again.");
  if (file->fd < 0)
    co_return pull_error(404, "The source has no such data.");
  response r;
  actors::http_headers none;
  r.headers.emplace_back("Content-Type", content_type_of(address, none));
  r.content_length = file->bytes;
  r.stream = std::make_shared<file_source>(s, file->fd, std::move(ended));
  co_return r;
}

} // namespace

gateway::response pull_error(int status, std::string_view why) {
  json::object o;
  o["errors"] = json::array{why};
  auto r = gateway::json_response(status, json::write(o));
  if (status == 503 || status == 429)
    r.headers.emplace_back("Retry-After", "1");
  return r;
}

task<response> open_source(cells::cell_services& s, tenant owner, json::object address, pull_request pull, flag ended) {
  auto type = text_of(address, "type");
  if (type == "File")
    co_return co_await open_file(s, std::move(owner), std::move(address), std::move(ended));
  if (type == "HttpData")
    co_return co_await open_http(s, std::move(owner), std::move(address), std::move(pull), std::move(ended));
  co_return pull_error(500, "The source's address has a type that this data plane does not serve.");
}

} // namespace fondaco::data_plane

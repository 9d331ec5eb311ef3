#include "cfm/admin_client.hpp"

#include <utility>

#include "protocols/base/text.hpp"

namespace fondaco::cfm {

namespace {

constexpr size_t said_bytes_max = 400;

actors::task<actors::http_result> exchange(cfm_services& s, actors::http_call call) {
  actors::callback_awaiter<actors::http_result> waiting(
      s.edge, [&](std::function<void(actors::http_result)> done) { s.http.send(std::move(call), std::move(done)); });
  co_return co_await waiting;
}

std::string form_text(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const unsigned char c : text) {
    if (std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~')
      out += static_cast<char>(c);
    else
      out += {'%', digits[c >> 4], digits[c & 15]};
  }
  return out;
}

fault no_answer(const std::string& url, actors::exchange_errc e) {
  return {"unreachable", "There was no answer from " + url + " (" + std::string(actors::name_of(e)) + ").",
          cure::retry};
}

// What an error body says, whichever of the APIs' shapes it has.
std::string said_in(const std::string& body) {
  const auto parsed = json::parse(body);
  std::string out;
  const auto take = [&out](const json::object& o) {
    for (const char* name : {"message", "error_description", "error"})
      if (const auto text = json::string_at(o, name)) {
        out += (out.empty() ? "" : " ") + std::string(*text);
        return;
      }
  };
  if (parsed && parsed->is_object())
    take(parsed->get_object());
  if (parsed && parsed->is_array())
    for (const auto& item : parsed->get_array())
      if (item.is_object())
        take(item.get_object());
  return std::string(cut_utf8(out, said_bytes_max));
}

} // namespace

json::object admin_answer::object() const {
  auto parsed = json::parse(body);
  return parsed && parsed->is_object() ? std::move(parsed->get_object()) : json::object{};
}

actors::task<std::expected<std::string, fault>> admin_client::token_for(std::string base_url, bool fresh) {
  auto& s = services_();
  if (!fresh) {
    std::lock_guard lock(mutex_);
    if (const auto kept = tokens_.find(base_url); kept != tokens_.end() && kept->second.until > s.clock.now())
      co_return kept->second.value;
  }
  actors::http_call call;
  call.method = "POST";
  call.url = base_url + "/oauth2/token";
  call.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  call.body = "grant_type=client_credentials&client_id=" + form_text(s.settings.client_id) +
              "&client_secret=" + form_text(s.settings.client_secret);
  call.timeout_ms = s.settings.exchange_timeout_ms;
  call.answer_bytes_max = limits::admin_answer_bytes_max;
  const auto url = call.url;
  auto exchanging = exchange(s, std::move(call));
  const auto answer = co_await std::move(exchanging);
  if (!answer)
    co_return std::unexpected(no_answer(url, answer.error()));
  const auto body = json::parse(answer->body);
  const auto* o = body ? body->if_object() : nullptr;
  const auto value = o ? json::string_at(*o, "access_token") : std::nullopt;
  if (answer->status != 200 || !value)
    co_return std::unexpected(fault{"no_token",
                                    url + " gave the client '" + s.settings.client_id + "' no token: it answered " +
                                        std::to_string(answer->status) + ". " + said_in(answer->body),
                                    cure::retry});
  const milliseconds lifetime(1000 * json::integer_at(*o, "expires_in").value_or(60));
  std::string out(*value);
  std::lock_guard lock(mutex_);
  tokens_[base_url] = {out, s.clock.now() + lifetime - limits::token_reserve_ms};
  co_return out;
}

actors::task<std::expected<admin_answer, fault>> admin_client::call(admin_call c) {
  auto& s = services_();
  for (bool fresh = false;; fresh = true) {
    auto getting = token_for(c.base_url, fresh);
    const auto token = co_await std::move(getting);
    if (!token)
      co_return std::unexpected(token.error());
    actors::http_call call;
    call.method = c.method;
    call.url = c.base_url + c.path;
    call.headers = {{"Authorization", "Bearer " + *token}, {"Accept", "application/json"}};
    if (!c.idempotency_key.empty())
      call.headers.emplace_back("Idempotency-Key", c.idempotency_key);
    if (!c.body.empty()) {
      call.headers.emplace_back("Content-Type", "application/json");
      call.body = json::write(c.body);
    }
    call.timeout_ms = s.settings.exchange_timeout_ms;
    call.answer_bytes_max = limits::admin_answer_bytes_max;
    call.traceparent = c.traceparent;
    const auto url = call.url;
    auto exchanging = exchange(s, std::move(call));
    auto answer = co_await std::move(exchanging);
    if (!answer)
      co_return std::unexpected(no_answer(url, answer.error()));
    if (answer->status == 401 && !fresh)
      continue;
    co_return admin_answer{answer->status, std::move(answer->headers), std::move(answer->body)};
  }
}

std::string describe(const admin_call& c, const std::expected<admin_answer, fault>& answer) {
  if (!answer)
    return answer.error().detail;
  auto said = said_in(answer->body);
  return c.method + " " + c.base_url + c.path + " was answered " + std::to_string(answer->status) +
         (said.empty() ? "." : ": " + said);
}

} // namespace fondaco::cfm

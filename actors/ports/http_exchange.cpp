#include "actors/ports/http_exchange.hpp"

namespace fondaco::actors {

std::string_view name_of(exchange_errc e) noexcept {
  switch (e) {
  case exchange_errc::not_connected: return "not_connected";
  case exchange_errc::no_answer: return "no_answer";
  case exchange_errc::bad_answer: return "bad_answer";
  case exchange_errc::address_refused: return "address_refused";
  case exchange_errc::overloaded: return "overloaded";
  }
  return "unknown";
}

} // namespace fondaco::actors

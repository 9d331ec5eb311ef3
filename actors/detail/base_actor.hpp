#pragma once

#include <caf/all.hpp>

#include "actors/detail/context.hpp"
#include "actors/detail/messages.hpp"
#include "actors/ports/log.hpp"

namespace fondaco::actors::detail {

/// Why an entity ends that could not be read back since the store does not answer: no fault of its own.
inline constexpr auto store_is_silent = caf::sec::request_receiver_down;

/// What all our actors have in common: unexpected messages and exceptions are logged and counted, never printed.
class base_actor : public caf::event_based_actor {
public:
  base_actor(caf::actor_config& config, context_ptr context) : event_based_actor(config), context_(std::move(context)) {
    set_default_handler([this](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
      context_->counters.dead_letters.fetch_add(1);
      write_log({severity::error,
                 "actors",
                 log_category::application,
                 "an actor got a message that it does not know",
                 {{"actor", name()}}});
      return caf::make_error(caf::sec::unexpected_message);
    });
    set_exception_handler([this](caf::scheduled_actor*, std::exception_ptr& error) -> caf::error {
      write_log({severity::error,
                 "actors",
                 log_category::application,
                 "an actor stopped on an exception",
                 {{"actor", name()}, {"what", describe(error)}}});
      return caf::make_error(caf::sec::runtime_error);
    });
  }

protected:
  static std::string describe(std::exception_ptr error) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      return e.what();
    } catch (...) {
      return "not a std::exception";
    }
  }
  context_ptr context_;
};

} // namespace fondaco::actors::detail

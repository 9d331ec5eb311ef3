#include "cfm/agents/agents.hpp"

#include <exception>
#include <memory>
#include <utility>

#include "actors/ports/log.hpp"
#include "cfm/agents/activity_run.hpp"

namespace fondaco::cfm {

namespace {

struct agent {
  const char* activity_type;
  activity_agent run;
};

constexpr agent all_agents[] = {
    {"context-activity", run_context_activity},      {"edcv-activity", run_connector_activity},
    {"identityhub-activity", run_identity_activity}, {"registration-activity", run_registration_activity},
    {"siglet-activity", run_data_plane_activity},    {"onboarding-activity", run_credentials_activity},
};

void note(severity level, const activity_message& m, std::string text, std::string outcome) {
  write_log({level,
             "agents",
             log_category::application,
             std::move(text),
             {{"entity_id", m.orchestration_id},
              {"activity", m.what.id},
              {"activity_type", m.what.type},
              {"run", std::to_string(m.run)},
              {"outcome", std::move(outcome)}}});
}

const char* word_of(activity_outcome o) {
  switch (o) {
  case activity_outcome::complete: return "complete";
  case activity_outcome::schedule: return "schedule";
  case activity_outcome::retry: return "retry";
  case activity_outcome::fatal: return "fatal";
  }
  return "fatal";
}

/// The agents of a node: one client for all of them.
class agent_pool : public std::enable_shared_from_this<agent_pool> {
public:
  explicit agent_pool(services_ref services) : services_(services), admin_(services) {}

  void handle(const agent& a, const actors::broker_message& what, std::function<void(actors::delivery)> done) {
    auto message = read_activity_message(what.payload);
    if (!message) {
      write_log({severity::error,
                 "agents",
                 log_category::application,
                 "a message for an agent cannot be read: " + message.error().detail,
                 {}});
      done(actors::delivery::refused);
      return;
    }
    auto run =
        std::make_shared<activity_run>(services_(), admin_, std::move(*message), what.traceparent, what.expires_at);
    if (run->is_over()) {
      note(severity::info, run->message(), "a run of an activity came too late", "dropped");
      done(actors::delivery::done);
      return;
    }
    auto self = shared_from_this();
    auto taken = [self, run, done](activity_result r) { self->answer(*run, std::move(r), done); };
    auto failed = [self, run, done](std::exception_ptr) {
      note(severity::error, run->message(), "an activity ended by an exception", "retry");
      done(actors::delivery::again);
    };
    actors::start<activity_result>(work(a, run), std::move(taken), std::move(failed));
  }

private:
  static actors::task<activity_result> work(agent a, std::shared_ptr<activity_run> run) {
    if (run->message().what.discriminator != deploy_type && run->message().what.discriminator != dispose_type)
      co_return run->fatal("The discriminator '" + run->message().what.discriminator + "' is not supported.");
    auto running = a.run(*run);
    co_return co_await std::move(running);
  }

  void answer(const activity_run& run, activity_result r, std::function<void(actors::delivery)> done) {
    const auto& m = run.message();
    note(r.outcome == activity_outcome::fatal ? severity::warning : severity::info, m,
         r.detail.empty() ? "an activity was run" : "an activity was run: " + r.detail, word_of(r.outcome));
    actors::broker_message out;
    out.subject = subjects::result;
    out.id = m.orchestration_id + ":result:" + m.what.id + ":" + std::to_string(m.run);
    out.payload = write(r);
    services_().messages.publish(std::move(out), [done](std::expected<void, fault> published) {
      done(published ? actors::delivery::done : actors::delivery::again);
    });
  }

  services_ref services_;
  admin_client admin_;
};

} // namespace

void add_agents(actors::broker& to, services_ref s) {
  auto pool = std::make_shared<agent_pool>(std::move(s));
  for (const auto& a : all_agents) {
    const auto subject = subjects::of_activity(a.activity_type);
    to.consume(subjects::durable(subject), subject,
               [pool, &a](actors::broker_message m, std::function<void(actors::delivery)> done) {
                 pool->handle(a, m, std::move(done));
               });
  }
}

} // namespace fondaco::cfm

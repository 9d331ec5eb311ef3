// The end: everything is taken down.

#include <filesystem>
#include <fstream>

#include "tools/fondaco/journey_stages.hpp"

namespace fondaco::tools {

void journey_stages::check_gone() {
  for (const auto* m : {&acme_, &globex_, &umbrella_}) {
    const auto context = console_.try_call(world_.control(), "GET", management(*m, ""));
    const auto identity =
        console_.try_call(world_.credentials(), "GET", "/api/identity/v1beta/participants/" + m->context);
    const auto document =
        console_.http().send("GET", world_.credentials().url("protocol") + "/" + m->name + "/did.json");
    for (const auto* answer : {&context, &identity, &document})
      if (answer->status != 404)
        throw broken_journey{"something of " + m->name + " is still there: " + std::to_string(answer->status) + " " +
                             answer->body};
    for (const auto* id : {&negotiation_, &transfer_})
      if (!id->empty() && !console_.why(world_.control(), *id).empty())
        throw broken_journey{"the process " + *id + " is still there"};
  }
}

void journey_stages::dispose() {
  for (auto* m : {&acme_, &globex_, &umbrella_})
    console_.step("dispose", "operator", "disposes of " + m->name, [&] {
      console_.call(world_.cfm(), "DELETE",
                    "/api/v1alpha1/tenants/" + m->tenant + "/participant-profiles/" + m->profile);
      return console_.await("the state disposed", [&] {
        const auto s = profile_state(*m);
        if (s == "error")
          throw broken_journey{"the disposal failed: " + console_.why(world_.cfm(), m->profile)};
        return std::pair(s == "disposed", s);
      });
    });
  console_.step("gone", "operator", "looks for what is left of them", [&] {
    check_gone();
    return std::string("nothing readable");
  });
}

} // namespace fondaco::tools

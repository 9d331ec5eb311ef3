#pragma once

#include <vector>

#include "actors/detail/base_actor.hpp"

namespace fondaco::actors::detail {

/// The node's one writer to the journal, on a thread of its own: takes whatever waits as one batch (group commit).
class journal_writer final : public base_actor {
public:
  using base_actor::base_actor;
  caf::behavior make_behavior() override;
  const char* name() const override { return "journal_writer"; }

private:
  void commit();
  void arm();
  void note_outcome(const std::vector<persistence::append_result>& results);
  std::vector<append_message> waiting_;
  bool armed_ = false;
};

} // namespace fondaco::actors::detail

#pragma once

#include <cstddef>
#include <string_view>

namespace fondaco::actors {

/// Who wants to know what a runtime does, to count it; any thread calls, and a call must not block.
class runtime_observer {
public:
  virtual ~runtime_observer() = default;
  /// A batch of so many entities was appended in so many seconds.
  virtual void appended(double seconds, size_t entities) = 0;
  /// An effect of an entity of this kind ended; `failed` for now.
  virtual void effect_ended(std::string_view kind, bool failed) = 0;
  /// A command of this tenant arrived.
  virtual void commanded(std::string_view tenant_id) = 0;
  /// An entity of this kind reached another status (`FINALIZED`), durably.
  virtual void reached(std::string_view kind, std::string_view status) = 0;
};

} // namespace fondaco::actors

#include <cstdint>

#include "tests/fuzz/fuzz.hpp"

// The entry of libFuzzer; FONDACO_FUZZ_TARGET names the target that this program is built for.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fondaco::fuzz::FONDACO_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}

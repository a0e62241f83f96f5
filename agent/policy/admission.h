// Whether a result may come in: fills in what the producer left out, then checks what must hold of
// every result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "agent/base/result.h"
#include "agent/base/time.h"
#include "agent/model/check_result.h"

namespace checkrelay {

// RFC 9562 section 5.7: time in milliseconds, then random bits. Two makers with one seed make the
// same ids, so the seed must be random outside tests.
class IdMaker {
 public:
  explicit IdMaker(std::uint64_t seed) : state_(seed) {}
  [[nodiscard]] std::string make(Wall now);

 private:
  std::uint64_t state_;
};

class Admission {
 public:
  struct Options {
    std::string default_host{};
    std::size_t max_result = 64 * 1024;  // bytes of all texts together
  };
  Admission(Options options, std::uint64_t seed) : options_(std::move(options)), ids_(seed) {}
  // Error: Errc::invalid, naming the field. `id_given` tells whether the producer named the result.
  [[nodiscard]] Result<void> admit(CheckResult& r, bool& id_given, Wall now);
  [[nodiscard]] const std::string& default_host() const { return options_.default_host; }
  // Sequences in outputs that were not UTF-8 and were replaced, so far.
  [[nodiscard]] std::uint64_t mended() const { return mended_; }

 private:
  Options options_;
  IdMaker ids_;
  std::uint64_t mended_ = 0;
};

}  // namespace checkrelay

// What became of one item at one destination, as the upstream's answer says. The classes are those
// of failure handling: what the sender does next follows from the class alone.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/time.h"

namespace checkrelay {

enum class Judgement {
  delivered,       // a positive, parsed confirmation for this item
  rejected,        // this item will never be taken: dead letter
  unknown_object,  // the upstream does not know host or service: offered again slowly, then dead
                   // letter
  transient,       // try again after a pause, in order
  auth,            // credentials refused: the destination waits long
  config,  // the endpoint is not what it should be: the destination waits, no item is blamed
  held,    // the upstream asked to wait (reload, Retry-After): until `retry_after`
};
[[nodiscard]] std::string_view to_string(Judgement j);

struct Verdict {
  std::size_t item = 0;  // index within the conversation's batch
  Judgement judgement = Judgement::transient;
  std::string
      answer{};  // the upstream's words or the trouble: one line, at most 500 bytes, no secrets
  std::optional<Duration> retry_after{};  // the upstream's wish, or a minimum its contract sets
  bool local = false;  // judged without asking the upstream: says nothing of its health
};

}  // namespace checkrelay

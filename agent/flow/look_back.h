// Lets a destination's dialect look whether what was confirmed was also applied, one question at a
// time, beside deliveries and never instead of one. Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "agent/flow/environment.h"
#include "agent/port/read_back.h"
#include "agent/port/transport.h"

namespace checkrelay {

class LookBack {
 public:
  // All must outlive it. `dialect`: nullptr where it does not look.
  LookBack(ReadsBack* dialect, Carrier& carrier, const Environment& env)
      : dialect_(dialect), carrier_(carrier), env_(env) {}

  // None: there is nothing to ask for, or a question is under way.
  [[nodiscard]] std::optional<Steady> due() const;
  // Asks where that is due. `wrap` may put something around the conversation.
  using Wrap = std::function<std::unique_ptr<Conversation>(std::unique_ptr<Conversation>)>;
  void tick(Instant now, const Wrap& wrap);
  [[nodiscard]] const ReadBack* found() const {
    return dialect_ ? dialect_->read_back_found() : nullptr;
  }

 private:
  ReadsBack* dialect_;
  Carrier& carrier_;
  const Environment& env_;
  std::shared_ptr<bool> under_way_ = std::make_shared<bool>(false);  // callbacks hold it weakly
};

}  // namespace checkrelay

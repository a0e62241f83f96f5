// The tables of what is built in, as the configuration and the wiring see them.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/port/dialect.h"
#include "agent/port/option.h"
#include "agent/port/transport.h"

namespace checkrelay {

class Loop;

// A kind of intake ([[intake]] type). `open` is called on the loop thread with validated options;
// `receiver` must outlive the listener. Options that every kind has (dialects, users) are the
// configuration's business.
struct IntakeKind {
  std::string_view name{};
  std::string_view summary{};
  std::span<const OptionRow> options{};
  std::function<Result<std::unique_ptr<Listener>>(const Options&, const Options& limits, Loop&,
                                                  Receiver&)>
      open{};
};

// How a destination's conversations travel, by the framing of its dialect.
struct CarrierKind {
  Framing framing = Framing::http;
  std::span<const OptionRow> options{};
  std::function<Result<std::unique_ptr<Carrier>>(const Options&, Loop&)> open{};
};

struct Registry {
  std::vector<const Dialect*> dialects{};
  std::vector<IntakeKind> intakes{};
  std::vector<CarrierKind> carriers{};
  [[nodiscard]] const Dialect* dialect(std::string_view name) const;
  [[nodiscard]] const IntakeKind* intake(std::string_view name) const;
  [[nodiscard]] const CarrierKind* carrier(Framing framing) const;
};

}  // namespace checkrelay

// Results on their way by hand: a file that one agent's operator writes and another's reads. The
// file and its guard against damage and strangers are elsewhere; here is what commands see.
// Blocking; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/base/result.h"
#include "agent/base/secret.h"
#include "agent/base/time.h"

namespace checkrelay {

struct Parcel {
  std::uint64_t seq = 0;  // its number at the agent that it comes from
  std::string body{};     // a packed check result
};

class BundleWriter {
 public:
  virtual ~BundleWriter() = default;  // without finish() nothing stays
  [[nodiscard]] virtual Result<void> add(const Parcel& parcel) = 0;
  // Complete, synced, and only now under its name. refused: something has that name already.
  [[nodiscard]] virtual Result<void> finish() = 0;
};

// Errors: invalid (no bundle, the wrong passphrase), unsupported (a newer version), corrupt
// (damaged or not complete), unavailable.
class BundleReader {
 public:
  virtual ~BundleReader() = default;
  // None behind the last one; only then the file is known to be whole.
  [[nodiscard]] virtual Result<std::optional<Parcel>> next() = 0;
  [[nodiscard]] virtual Wall created() const = 0;
};

// An empty passphrase is none.
struct Bundles {
  std::function<Result<std::unique_ptr<BundleWriter>>(const std::string& file,
                                                      const Secret& passphrase, Wall now)>
      create{};
  std::function<Result<std::unique_ptr<BundleReader>>(const std::string& file,
                                                      const Secret& passphrase)>
      open{};
};

}  // namespace checkrelay

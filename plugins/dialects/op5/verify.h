// Whether what the API confirmed was also applied. It answers 200 once the core has the command,
// and the core drops in silence what it does not take (passive checks that are off, say), so a
// sample is looked for by the filter API. Loop thread only; no clock.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/port/read_back.h"
#include "plugins/dialects/op5/conversations.h"
#include "plugins/dialects/op5/filter.h"

namespace checkrelay::op5 {

// A confirmed result, by its subject.
struct Sample {
  Subject subject{};
  std::optional<std::int64_t> since{};  // epoch s by the server's clock; it was applied no earlier
  Steady at{};
};

class Verifier {
 public:
  explicit Verifier(std::string destination) : destination_(std::move(destination)) {}

  // `answer` confirmed a result that was sent at `sent`. Of a subject that waits already the first
  // stays; past kMostWaiting none is taken.
  void confirmed(const Subject& subject, const Message& answer, Steady sent, Instant now);
  // none = nothing waits
  [[nodiscard]] std::optional<Steady> due() const;
  // Takes the oldest, and others of its kind that are past half of kSettle: at least one, at most
  // kMostObjects.
  // REQUIRES: due() is not past `now`.
  [[nodiscard]] std::vector<Sample> next(Instant now);
  void judge(const std::vector<Sample>& samples, const std::vector<Object>& there);
  // They could not be looked at; asks no more for a while.
  void missed(const std::vector<Sample>& samples, const std::string& why, Instant now);
  [[nodiscard]] const ReadBack& found() const { return found_; }

 private:
  void lost(const Sample& sample, std::string_view why);
  void well(const Sample& sample);

  std::string destination_;
  std::vector<Sample> waiting_{};  // the oldest first
  Steady not_before_{};
  std::set<std::string> told_{};  // subjects whose loss is in the log, until one is applied
  bool away_ = false;             // reading back fails, and the log has it
  ReadBack found_{};
};

constexpr std::size_t kMostWaiting = 64;
constexpr std::size_t kMostTold = 256;
constexpr auto kSettle = std::chrono::seconds(10);    // the core needs a moment
constexpr auto kEvery = std::chrono::seconds(30);     // one question in that time
constexpr auto kAfterMiss = std::chrono::minutes(5);  // and this after one that failed
constexpr std::int64_t kSlack = 5;                    // s that clocks within the server may differ

// Asks for `samples` and tells the verifier.
[[nodiscard]] std::unique_ptr<Conversation> make_read_back(const Settings& settings,
                                                           std::shared_ptr<Verifier> verifier,
                                                           std::vector<Sample> samples);

}  // namespace checkrelay::op5

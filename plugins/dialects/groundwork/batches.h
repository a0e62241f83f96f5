// The items of one conversation, cut into batches: what is to be sent, what is on its way, and what
// is settled. Pure.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/check_result.h"
#include "agent/port/verdict.h"
#include "plugins/dialects/groundwork/conversations.h"

namespace checkrelay::groundwork {

class Batches {
 public:
  // A batch is hosts or services alone, within settings.batch_bytes, and holds no two names that
  // the server may take for one. What no item can carry is settled at once, into `settled`.
  Batches(const Settings& settings, std::span<const CheckResult> results,
          std::vector<Verdict>& settled);

  // The next batch is then the current one. False where there is none.
  bool next();
  [[nodiscard]] std::string body() const;
  [[nodiscard]] bool hosts() const { return items_[current_.front()].host; }
  [[nodiscard]] std::size_t size() const { return current_.size(); }
  [[nodiscard]] std::vector<std::string> entities() const;  // of the current one
  [[nodiscard]] std::size_t item(std::size_t place) const { return current_[place]; }

  // What becomes of the current batch. All of its items are in one of these.
  void again();                        // as it is, next
  void halve();                        // REQUIRES: size() > 1
  void at_the_end();                   // once the others have been sent
  void settle() { current_.clear(); }  // every item has its verdict
  void requeue(
      const std::vector<std::size_t>& places);  // these again, in halves; the rest is settled

  // Every item without a verdict, which then are no more.
  [[nodiscard]] std::vector<std::size_t> drain();
  [[nodiscard]] bool others() const { return !queue_.empty(); }

 private:
  struct Item {
    std::string encoded{};
    std::string entity{};
    bool host = false;
  };
  using Indices = std::vector<std::size_t>;
  void cut(bool hosts);
  void push_halves(const Indices& indices);

  const Settings& settings_;
  std::vector<Item> items_;
  Indices current_;
  std::deque<Indices> queue_;
};

}  // namespace checkrelay::groundwork

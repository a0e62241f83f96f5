// A spool directory on a real loop, with a receiver whose journal is the test's.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/runtime/loop.h"
#include "spool/directory.h"

namespace checkrelay::test {

namespace fs = std::filesystem;

// Takes everything the dialects decode; answers by itself, or when the test says so.
class SpoolReceiver : public Receiver {
 public:
  explicit SpoolReceiver(Loop& loop) : loop_(loop) {}
  [[nodiscard]] std::unique_ptr<Conversation> accept(const Peer& peer,
                                                     const InboundContext& context,
                                                     std::string& why) override;
  void submit(const Peer& peer, Submission submission,
              std::function<void(std::vector<Outcome>)> done) override;
  void inquire(const Peer&, Message, std::function<void(Message)>) override {}
  void refused(const Peer&, std::span<const Refusal> refusals) override {
    counted += refusals.size();
  }
  [[nodiscard]] bool congested() const override { return full_up; }

  void answer_waiting();  // everything that waits

  bool automatic = true;
  bool full_up = false;
  std::function<Outcome(const CheckResult&)> judge = [](const CheckResult& r) {
    return Outcome{true, r.id, Errc::invalid, {}};
  };
  std::vector<CheckResult> taken{};  // judged ok, once an id
  std::map<std::string, int> ids{};  // how often each was handed in
  std::vector<Peer> peers{};         // that were accepted
  std::size_t counted = 0;           // refusals
  std::size_t most_waiting = 0;

 private:
  struct Waiting {
    std::vector<CheckResult> results{};
    std::function<void(std::vector<Outcome>)> done{};
  };
  void answer(Waiting waiting);
  Loop& loop_;
  std::deque<Waiting> waiting_{};
};

class SpoolDirectoryTest : public testing::Test {
 protected:
  SpoolDirectoryTest();
  ~SpoolDirectoryTest() override;

  void open(const std::function<void(Options&)>& change = {});
  void close() { listener_.reset(); }
  void write(const std::string& name, std::string_view text);  // hidden first, then renamed in
  void until(const std::function<bool()>& done);               // turns the loop
  void turn(int times);                                        // for what must not happen
  [[nodiscard]] bool there(const std::string& name) const;
  [[nodiscard]] std::string text_of(const std::string& name) const;
  [[nodiscard]] std::size_t files() const;  // visible ones, without rejected/

  Loop loop_;
  std::unique_ptr<Timer> tick_;
  SpoolReceiver receiver_{loop_};
  fs::path path_;
  std::unique_ptr<Listener> listener_;
  std::string rescan_ = "1d";
};

}  // namespace checkrelay::test

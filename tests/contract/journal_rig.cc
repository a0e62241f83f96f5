#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "tests/contract/journal_contract.h"

namespace checkrelay {

using namespace std::chrono_literals;

TempDirectory::TempDirectory(Place place) {
  std::filesystem::path parent = "/dev/shm";
  if (place == Place::disk || access(parent.c_str(), W_OK) != 0)
    parent = std::filesystem::temp_directory_path();
  std::string pattern = (parent / "checkrelay-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) std::abort();
  path_ = pattern;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

JournalRig::JournalRig(Opener opener) : opener_(std::move(opener)) {
  now_.steady = Steady(1h);
  now_.wall = Wall(Duration(1'700'000'000'000'000));
  reopen();
}

JournalRig::~JournalRig() = default;

void JournalRig::reopen() {
  journal_.reset();
  journal_ = opener_([this] {
    const std::lock_guard lock(mutex_);
    wake_ = true;
    woken_.notify_one();
  });
  if (!journal_) {
    ADD_FAILURE() << "the journal did not open";
    std::abort();
  }
  journal_->poll(now_);
  if (lanes_.empty()) return;
  EXPECT_TRUE(journal_->lanes(lanes_));
  journal_->poll(now_);
}

void JournalRig::advance(Duration d) {
  now_.steady += d;
  now_.wall += d;
  journal_->poll(now_);
}

void JournalRig::set_clock(Duration by) {
  now_.wall += by;
  journal_->poll(now_);
}

void JournalRig::until(const std::function<bool()>& holds) {
  for (;;) {
    journal_->flush();
    journal_->poll(now_);
    if (holds()) return;
    std::unique_lock lock(mutex_);
    if (!woken_.wait_for(lock, 60s, [this] { return wake_; })) {
      ADD_FAILURE() << "the journal gave no answer";
      std::abort();
    }
    wake_ = false;
  }
}

template <typename T>
T JournalRig::wait_for(const std::function<void(std::function<void(T)>)>& ask) {
  std::optional<T> answer;
  ask([&answer](T value) { answer = std::move(value); });
  EXPECT_FALSE(answer) << "answers come from poll() alone";
  until([&answer] { return answer.has_value(); });
  return std::move(*answer);
}

LaneId JournalRig::lane(const std::string& name, Backlog backlog, Duration max_age, Drain drain) {
  std::erase_if(lanes_, [&](const auto& l) { return l.first == name; });
  lanes_.push_back({name, {backlog, max_age, drain}});
  auto ids = journal_->lanes(lanes_);
  EXPECT_TRUE(ids);
  journal_->poll(now_);
  return ids ? ids->back() : 0;
}

Record JournalRig::record(const std::string& subject, const std::string& body, LaneMask lanes,
                          std::uint8_t state) const {
  Record r;
  r.id = ("id-" + body).substr(0, 64);
  r.subject = subject;
  r.time = r.received = now_.wall;
  r.lanes = lanes;
  r.state = state;
  r.body = body;
  return r;
}

Result<std::vector<Stored>> JournalRig::stage(std::vector<Record> records,
                                              std::vector<Note> notes) {
  return wait_for<Result<std::vector<Stored>>>(
      [&](auto done) { journal_->stage(std::move(records), std::move(notes), done); });
}

std::map<std::uint32_t, std::string> JournalRig::notes() {
  std::map<std::uint32_t, std::string> all;
  journal_->notes([&all](std::uint32_t number, std::string_view body) {
    EXPECT_TRUE(all.emplace(number, body).second) << number << " was told twice";
  });
  return all;
}

Seq JournalRig::put(const std::string& subject, const std::string& body, LaneMask lanes,
                    std::uint8_t state) {
  auto stored = stage({record(subject, body, lanes, state)});
  EXPECT_TRUE(stored) << stored.error().what;
  return stored ? stored->front().seq : 0;
}

std::vector<Seq> JournalRig::put_states(const std::string& states, char first) {
  std::vector<Seq> seqs;
  for (char state : states) {
    const std::string body{first++, state};
    seqs.push_back(put("s", body, 1, static_cast<std::uint8_t>(state - '0')));
  }
  return seqs;
}

std::vector<Claim> JournalRig::claim(LaneId lane, std::size_t records, std::size_t bytes) {
  return wait_for<std::vector<Claim>>(
      [&](auto done) { journal_->claim(lane, records, bytes, done); });
}

std::vector<std::string> JournalRig::claim_bodies(LaneId lane, std::size_t records) {
  std::vector<std::string> bodies;
  for (Claim& c : claim(lane, records)) bodies.push_back(std::move(c.body));
  return bodies;
}

void JournalRig::settle(Seq seq, Settlement::End end, LaneId lane, const std::string& answer) {
  Settlement s;
  s.seq = seq;
  s.end = end;
  s.answer = answer;
  settle(lane, {s});
}

void JournalRig::settle(LaneId lane, std::vector<Settlement> settlements) {
  journal_->settle(lane, std::move(settlements));
  (void)claim(lane, 0);  // its answer comes after the settlement was worked off
}

void JournalRig::commit() {
  BrowseQuery nothing;
  nothing.seq = ~Seq{0} >> 1;
  (void)browse(nothing);  // what is looked at was committed
}

void JournalRig::later(Seq seq, Duration wait, bool unknown, LaneId lane) {
  Settlement s;
  s.seq = seq;
  s.end = Settlement::End::later;
  s.due = now_.steady + wait;
  s.unknown_object = unknown;
  s.answer = "not yet";
  settle(lane, {s});
}

BrowsePage JournalRig::browse(BrowseQuery query) {
  return wait_for<BrowsePage>([&](auto done) { journal_->browse(query, done); });
}

std::size_t JournalRig::retry(std::vector<Seq> seqs, std::optional<LaneId> lane) {
  return wait_for<std::size_t>([&](auto done) { journal_->retry(lane, seqs, done); });
}

std::size_t JournalRig::drop(std::vector<Seq> seqs, std::optional<LaneId> lane,
                             const std::string& why) {
  return wait_for<std::size_t>([&](auto done) { journal_->drop(lane, seqs, why, done); });
}

Result<bool> JournalRig::pause(bool paused, LaneId lane) {
  return wait_for<Result<bool>>([&](auto done) { journal_->pause(lane, paused, done); });
}

const JournalStats& JournalRig::all_stats() {
  (void)claim(0, 0);
  journal_->poll(now_);
  return journal_->stats();
}

const LaneStats& JournalRig::stats(LaneId lane) { return all_stats().lanes.at(lane); }

}  // namespace checkrelay

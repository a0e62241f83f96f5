#include "agent/flow/intake.h"

#include <utility>

#include "agent/base/text.h"
#include "agent/model/packed.h"

namespace checkrelay {
namespace {

constexpr std::uint64_t kCongested = 16U << 20U;  // bytes staged; some ten commits' worth

// No service name holds a NUL, so host and service cannot run into each other.
std::string subject_key(const Subject& s) {
  std::string key;
  key.reserve(s.host.size() + 1 + s.service.size());
  key += s.host;
  key += '\0';
  key += s.service;
  return key;
}

}  // namespace

// What a submission stages.
struct Intake::Staging {
  std::vector<Record> records{};
  std::vector<Note> notes{};
  std::vector<Mark> marks{};
};

// One submission on its way: which outcomes the commit decides.
struct Intake::Waiting {
  std::vector<Outcome> outcomes{};
  std::vector<std::uint32_t> staged{};
  std::vector<Mark> marks{};
  std::size_t records = 0;
  Done done{};

  void settle(const Result<std::vector<Stored>>& stored, ResultWatch* watch);
};

// The newest change is taken back first.
void Intake::Waiting::settle(const Result<std::vector<Stored>>& stored, ResultWatch* watch) {
  for (auto mark = marks.rbegin(); watch && mark != marks.rend(); ++mark) {
    const bool twice = stored && mark->record < stored->size() && (*stored)[mark->record].duplicate;
    if (!stored || twice) watch->not_stored(mark->change, stored.has_value());
  }
  for (std::uint32_t i : staged) {
    Outcome& o = outcomes[i];
    o.ok = stored.has_value();
    if (stored) continue;
    o.code = stored.error().code;
    o.error = stored.error().what;
    o.id.clear();
  }
  done(std::move(outcomes));
}

void Intake::configure(Admission admission, Router router) {
  mended_ += admission_.mended();
  admission_ = std::move(admission);
  router_ = std::move(router);
}

bool Intake::congested() const {
  bool congested = journal_.stats().staged > kCongested;
  told_ |= congested;
  return congested;
}

bool Intake::relieved() {
  if (!told_ || journal_.stats().staged > kCongested) return false;
  told_ = false;
  return true;
}

Result<void> Intake::admit(CheckResult& r, Instant now, Staging& staging) {
  bool id_given = false;
  if (auto ok = admission_.admit(r, id_given, now.wall); !ok) return ok;
  const LaneMask lanes = router_.route(r.subject);
  if (lanes == 0) return fail(Errc::refused, "no route takes " + quoted(to_string(r.subject)));
  if (*watch_)
    if (auto change = (*watch_)->taken(r, now, staging.notes))
      staging.marks.push_back({r.start ? kNoRecord : staging.records.size(), std::move(*change)});
  if (r.start) return {};
  Record& record = staging.records.emplace_back();
  record.id = r.id;
  record.id_given = id_given;
  record.subject = subject_key(r.subject);
  record.state = r.state;
  record.time = r.time;
  record.received = r.received;
  record.lanes = lanes;
  record.body = pack(r);
  return {};
}

void Intake::submit(std::vector<CheckResult> results, std::vector<Note> notes, Instant now,
                    Done done) {
  Waiting waiting;
  waiting.done = std::move(done);
  waiting.outcomes.resize(results.size());
  waiting.staged.reserve(results.size());
  Staging staging;
  staging.records.reserve(results.size());
  staging.notes = std::move(notes);
  for (std::size_t i = 0; i < results.size(); ++i) {
    Outcome& o = waiting.outcomes[i];
    if (auto ok = admit(results[i], now, staging); !ok) {
      o.code = ok.error().code;
      o.error = std::move(ok.error().what);
      continue;
    }
    o.id = std::move(results[i].id);
    waiting.staged.push_back(static_cast<std::uint32_t>(i));
  }
  waiting.records = staging.records.size();
  waiting.marks = std::move(staging.marks);
  // Staged even where nothing was taken: the journal answers in order, and at a later turn.
  journal_.stage(std::move(staging.records), std::move(staging.notes),
                 [w = std::move(waiting), accepted = accepted_, watch = std::weak_ptr(watch_)](
                     const Result<std::vector<Stored>>& stored) mutable {
                   if (stored) *accepted += w.records;
                   const auto alive = watch.lock();
                   w.settle(stored, alive ? *alive : nullptr);
                 });
}

}  // namespace checkrelay

// From decoded results to the journal: admission, routing, staging, and back with an outcome for
// each. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/policy/admission.h"
#include "agent/policy/freshness.h"
#include "agent/policy/routing.h"
#include "agent/port/conversation.h"
#include "agent/port/journal.h"

namespace checkrelay {

// Hears of every result that is taken, a start too, before it is staged.
class ResultWatch {
 public:
  virtual ~ResultWatch() = default;
  // What it changed; `notes` are committed with the result.
  virtual std::optional<FreshnessChange> taken(const CheckResult& result, Instant now,
                                               std::vector<Note>& notes) = 0;
  // The result was not stored: as if it had not come. `noted`: it was known before, its note is
  // stored.
  virtual void not_stored(const FreshnessChange& change, bool noted) = 0;
};

class Intake {
 public:
  using Done = std::function<void(std::vector<Outcome>)>;

  explicit Intake(Journal& journal)
      : journal_(journal), admission_({}, 0) {}  // `journal` must outlive this
  void configure(Admission admission, Router router);
  void set_watch(ResultWatch* watch) { *watch_ = watch; }  // must outlive this
  // `done` gets one outcome a result, in order, at a later turn. `notes` are committed with what is
  // taken, and also where nothing is.
  void submit(std::vector<CheckResult> results, std::vector<Note> notes, Instant now, Done done);
  void submit(std::vector<CheckResult> results, Instant now, Done done) {
    submit(std::move(results), {}, now, std::move(done));
  }
  [[nodiscard]] const std::string& default_host() const { return admission_.default_host(); }
  // So much waits for its commit that nobody should read more.
  // Once true was told, relieved() becomes true when it is over: whoever stopped reading is to be
  // told.
  [[nodiscard]] bool congested() const;
  [[nodiscard]] bool relieved();
  // Sequences that were not UTF-8 and were replaced: by decoders, which say so here, and at
  // admission.
  void note_mended(std::uint64_t more) { mended_ += more; }
  [[nodiscard]] std::uint64_t accepted() const { return *accepted_; }  // results on disk so far
  [[nodiscard]] std::uint64_t mended() const { return mended_ + admission_.mended(); }

 private:
  static constexpr std::size_t kNoRecord = ~std::size_t{0};
  struct Mark {
    std::size_t record = kNoRecord;  // of the submission; of a start: none
    FreshnessChange change{};
  };
  struct Staging;
  struct Waiting;
  // An error, or a record and what goes with it; no record for a start, which reports nothing.
  [[nodiscard]] Result<void> admit(CheckResult& r, Instant now, Staging& staging);

  Journal& journal_;
  // Callbacks hold it weakly.
  std::shared_ptr<ResultWatch*> watch_ = std::make_shared<ResultWatch*>(nullptr);
  Admission admission_;
  Router router_;
  std::shared_ptr<std::uint64_t> accepted_ = std::make_shared<std::uint64_t>(0);
  mutable bool told_ = false;  // somebody was told to stop reading
  std::uint64_t mended_ = 0;   // but for the present admission's
};

}  // namespace checkrelay

#include "spool/reading_journal.h"

#include "spool/journal.h"
#include "spool/sqlite_store.h"
#include "spool/state_lock.h"

namespace checkrelay {
namespace {

tl::unexpected<Error> only_read() {
  return fail(Errc::refused, "the journal was opened to be looked at");
}

}  // namespace

ReadingJournal::ReadingJournal(std::unique_ptr<Store> store)
    : store_(std::move(store)), desk_(*store_, DeskOptions{}) {
  Instant left{};  // what is caught up with now happened then
  if (const auto last = store_->log_row_of(~Seq{0} >> 1)) left.wall = last->at;
  desk_.clock(left);
  opened_ = desk_.restore();
  if (!opened_) return;
  while (desk_.upkeep(false)) {  // what a destination must know of its backlog; writes nothing
  }
  stats_ = desk_.stats();
}

Result<std::vector<LaneId>> ReadingJournal::lanes(
    const std::vector<std::pair<std::string, LaneOptions>>&) {
  return only_read();
}

void ReadingJournal::stage(std::vector<Record>, std::vector<Note>,
                           std::function<void(Result<std::vector<Stored>>)> done) {
  answer([done = std::move(done)] { done(only_read()); });
}

void ReadingJournal::notes(const std::function<void(std::uint32_t, std::string_view)>& each) {
  desk_.notes(each);
}

void ReadingJournal::claim(LaneId, std::size_t, std::size_t,
                           std::function<void(std::vector<Claim>)> done) {
  answer([done = std::move(done)] { done({}); });
}

void ReadingJournal::browse(BrowseQuery query, std::function<void(BrowsePage)> done) {
  answer([this, query = std::move(query), done = std::move(done)] {
    Desk::BrowseJob job;
    job.query = query;
    while (!desk_.browse(job)) {
    }
    done(std::move(job.page));
  });
}

void ReadingJournal::retry(std::optional<LaneId>, std::vector<Seq>,
                           std::function<void(std::size_t)> done) {
  answer([done = std::move(done)] { done(0); });
}

void ReadingJournal::drop(std::optional<LaneId>, std::vector<Seq>, std::string,
                          std::function<void(std::size_t)> done) {
  answer([done = std::move(done)] { done(0); });
}

void ReadingJournal::pause(LaneId, bool, std::function<void(Result<bool>)> done) {
  answer([done = std::move(done)] { done(only_read()); });
}

void ReadingJournal::poll(Instant now) {
  desk_.clock(now);
  for (auto work = std::exchange(asked_, {}); !work.empty(); work.pop_front()) work.front()();
}

std::string holder_of_state(const std::string& directory) { return state_holder(directory); }

Result<std::unique_ptr<Journal>> read_sqlite_journal(const std::string& directory) {
  SqliteStoreOptions options;
  options.directory = directory;
  auto store = SqliteStore::read(std::move(options));
  if (!store) return tl::unexpected(store.error());
  auto journal = std::make_unique<ReadingJournal>(std::move(*store));
  if (!journal->opened()) return tl::unexpected(journal->opened().error());
  return journal;
}

}  // namespace checkrelay

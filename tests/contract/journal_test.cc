// The journals that there are, through the contract suite.
#include "spool/journal.h"

#include "tests/contract/journal_contract.h"

namespace checkrelay {
namespace {

std::unique_ptr<Journal> open_sqlite(const std::string& directory, std::function<void()> wake) {
  JournalOptions options;
  options.directory = directory + "/state";
  auto journal = open_sqlite_journal(options, std::move(wake), nullptr);
  EXPECT_TRUE(journal) << journal.error().what;
  return journal ? std::move(*journal) : nullptr;
}

std::unique_ptr<Journal> open_memory(const std::string&, std::function<void()> wake) {
  return make_memory_journal({}, std::move(wake));
}

const auto kJournals = testing::Values(JournalMaker{"sqlite", true, open_sqlite},
                                       JournalMaker{"memory", false, open_memory});

std::string name_of(const testing::TestParamInfo<JournalMaker>& made) { return made.param.name; }

INSTANTIATE_TEST_SUITE_P(Journals, JournalContract, kJournals, name_of);
INSTANTIATE_TEST_SUITE_P(Journals, JournalClockContract, kJournals, name_of);
INSTANTIATE_TEST_SUITE_P(Journals, JournalChangesContract, kJournals, name_of);
INSTANTIATE_TEST_SUITE_P(Journals, JournalFreshContract, kJournals, name_of);
INSTANTIATE_TEST_SUITE_P(Journals, JournalNotesContract, kJournals, name_of);

}  // namespace
}  // namespace checkrelay

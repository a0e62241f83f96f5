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

INSTANTIATE_TEST_SUITE_P(Journals, JournalContract,
                         testing::Values(JournalMaker{"sqlite", true, open_sqlite},
                                         JournalMaker{"memory", false, open_memory}),
                         [](const auto& made) { return made.param.name; });

}  // namespace
}  // namespace checkrelay

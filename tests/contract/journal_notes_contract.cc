// What every journal must do with notes.
#include <gtest/gtest.h>

#include <map>

#include "tests/contract/journal_contract.h"

namespace checkrelay {

using Notes = std::map<std::uint32_t, std::string>;

TEST_P(JournalNotesContract, OfEachNumberTheNewestIsTold) {
  rig_.lane("a");
  ASSERT_TRUE(note({{7, "one"}, {3, "three"}}));
  ASSERT_TRUE(note({{7, "two"}, {0, std::string(1, '\0')}}));
  restart();
  EXPECT_EQ(told(), (Notes{{0, std::string(1, '\0')}, {3, "three"}, {7, "two"}}));
}

TEST_P(JournalNotesContract, WithinOneCallTheLastCounts) {
  ASSERT_TRUE(note({{7, "one"}, {7, "two"}, {8, "x"}, {8, ""}}));
  restart();
  EXPECT_EQ(told(), (Notes{{7, "two"}}));
}

TEST_P(JournalNotesContract, WhatIsForgottenIsNotTold) {
  ASSERT_TRUE(note({{7, "one"}, {8, "eight"}}));
  ASSERT_TRUE(note({{7, ""}, {9, ""}}));
  restart();
  EXPECT_EQ(told(), (Notes{{8, "eight"}}));
  ASSERT_TRUE(note({{7, "again"}}));
  restart();
  EXPECT_EQ(told(), (Notes{{7, "again"}, {8, "eight"}}));
}

TEST_P(JournalNotesContract, ANoteGoesWithItsRecords) {
  rig_.lane("a");
  const auto stored = rig_.stage({rig_.record("s", "x"), rig_.record("t", "y")}, {{1, "seen"}});
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->size(), 2U);
  EXPECT_EQ(rig_.stats().pending, 2U);
  restart();
  EXPECT_EQ(told(), (Notes{{1, "seen"}}));
}

TEST_P(JournalNotesContract, NotesAloneAnswerWithNoRecord) {
  const auto stored = rig_.stage({}, {{1, "x"}});
  ASSERT_TRUE(stored);
  EXPECT_TRUE(stored->empty());
}

TEST_P(JournalNotesContract, WhatIsTooLargeIsRefusedWhole) {
  rig_.lane("a");
  EXPECT_FALSE(
      note({{2, "fine"}, {1, std::string(kMaxNoteBytes + 1, 'x')}}, {rig_.record("s", "x")}));
  EXPECT_FALSE(note({{kMaxNotes, "x"}}));
  EXPECT_EQ(rig_.stats().pending, 0U);
  const std::string most(kMaxNoteBytes, 'x');
  EXPECT_TRUE(note({{kMaxNotes - 1, most}}));
  restart();
  EXPECT_EQ(told(), (Notes{{kMaxNotes - 1, most}}));
}

TEST_P(JournalNotesContract, ARecordThatIsRefusedTakesItsNotesWithIt) {
  Record nameless = rig_.record("s", "x");
  nameless.id.clear();
  EXPECT_FALSE(note({{1, "x"}}, {nameless}));
  restart();
  EXPECT_EQ(told(), Notes{});
}

}  // namespace checkrelay

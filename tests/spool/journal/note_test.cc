// The log of notes: what of it counts, what is cleaned, and what a kill leaves, against a map.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "spool/desk.h"
#include "spool/memory_store.h"
#include "spool/note_book.h"

namespace checkrelay {
namespace {

using Notes = std::map<std::uint32_t, std::string>;

NoteRow row_of(std::uint64_t number, const std::vector<Note>& notes, std::uint64_t first = 1) {
  NoteRow row{number, first, {}};
  begin_notes(row);
  for (const Note& n : notes) append_note(row, n.number, n.body);
  return row;
}

void add(NoteLog& log, const NoteRow& row) { log.add(row, read_notes(row).notes); }

TEST(NoteRows, ARowIsReadBack) {
  const auto row =
      row_of(9, {{1, "one"}, {kMaxNotes - 1, std::string(kMaxNoteBytes, 'x')}, {2, ""}});
  const auto read = read_notes(row);
  EXPECT_TRUE(read.placed);
  EXPECT_EQ(read.damaged, 0U);
  ASSERT_EQ(read.notes.size(), 3U);
  EXPECT_EQ(read.notes[0].body, "one");
  EXPECT_EQ(read.notes[1].number, kMaxNotes - 1);
  EXPECT_EQ(read.notes[1].body.size(), kMaxNoteBytes);
  EXPECT_TRUE(read.notes[2].body.empty());
}

// As FORMAT.md has it.
TEST(NoteRows, TheLayoutIsTheDocumented) {
  const auto row = row_of(3, {{300, "hi"}}, 2);
  ASSERT_EQ(row.data.size(), 4U + 1 + 4 + 2 + 2);
  EXPECT_EQ(row.data[4], 4);
  EXPECT_EQ(row.data.substr(9), "\xac\x02hi");
}

TEST(NoteRows, AFlippedBitCostsOneNote) {
  const auto row = row_of(9, {{1, "one"}, {2, "two"}, {3, "three"}});
  for (std::size_t bit = 0; bit < row.data.size() * 8; ++bit) {
    NoteRow bad = row;
    bad.data[bit / 8] = static_cast<char>(bad.data[bit / 8] ^ (1 << (bit % 8)));
    const auto read = read_notes(bad);
    EXPECT_NE(read.placed, bit < 32);
    EXPECT_EQ(read.damaged > 0, bit >= 32);
    for (const FramedNote& n : read.notes)
      EXPECT_EQ(n.body, (Notes{{1, "one"}, {2, "two"}, {3, "three"}})[n.number]);
  }
}

TEST(NoteRows, ARowAtAnotherPlaceDoesNotPass) {
  auto row = row_of(9, {{1, "one"}});
  row.number = 10;
  EXPECT_TRUE(read_notes(row).notes.empty());
  EXPECT_FALSE(read_notes(row).placed);
}

TEST(NoteLogs, OnlyTheNewestOfANumberIsLive) {
  NoteLog log;
  add(log, row_of(1, {{1, "a"}, {2, "b"}}));
  const auto two = log.live();
  add(log, row_of(2, {{1, "c"}}));
  EXPECT_FALSE(log.is_newest(1, 1));
  EXPECT_TRUE(log.is_newest(1, 2));
  EXPECT_TRUE(log.is_newest(2, 1));
  EXPECT_EQ(log.live(), two);
  EXPECT_EQ(log.numbers(), 2U);
  EXPECT_FALSE(log.is_newest(7, 1));
}

TEST(NoteLogs, WhatIsForgottenIsNotLive) {
  NoteLog log;
  add(log, row_of(1, {{1, "a"}}));
  add(log, row_of(2, {{1, ""}, {5000, ""}}));
  EXPECT_EQ(log.live(), 0U);
  EXPECT_EQ(log.numbers(), 0U);
  EXPECT_FALSE(log.is_newest(1, 1));
  EXPECT_FALSE(log.is_newest(1, 2));
}

// A store that may be killed at a commit: nothing of it is stored, or everything and nobody hears.
class KillStore : public MemoryStore {
 public:
  enum class End { well, lost, unheard };
  void begin(Sync) override {
    if (next == End::lost) kept_ = notes();
  }
  Result<void> commit() override {
    const End end = std::exchange(next, End::well);
    if (end == End::well) return {};
    if (end == End::lost) replace(kept_);
    return fail(Errc::unavailable, "killed");
  }
  std::map<std::uint64_t, NoteRow> notes() {
    std::map<std::uint64_t, NoteRow> all;
    scan_notes([&](const NoteRow& row) { all[row.number] = row; });
    return all;
  }
  std::size_t note_bytes() {
    std::size_t sum = 0;
    scan_notes([&](const NoteRow& row) { sum += row.data.size(); });
    return sum;
  }
  void replace(const std::map<std::uint64_t, NoteRow>& rows) {
    erase_notes(~std::uint64_t{0});
    for (const auto& [number, row] : rows) append_notes(row);
  }
  End next = End::well;

 private:
  std::map<std::uint64_t, NoteRow> kept_;
};

constexpr NoteLimits kSmall{300, 1000};

Notes read(NoteBook& book) {
  Notes all;
  book.each([&](std::uint32_t n, std::string_view body) {
    EXPECT_TRUE(all.emplace(n, body).second) << n << " was told twice";
  });
  return all;
}

struct Rig {
  KillStore store;
  std::unique_ptr<NoteBook> book;
  Notes known;
  Rig() { open(); }
  void open() {
    book = std::make_unique<NoteBook>(store, kSmall);
    book->restore();
  }
  bool commit(std::vector<Note> notes, KillStore::End end = KillStore::End::well) {
    const auto told = notes;
    book->stage(notes);
    store.next = end;
    store.begin(Sync::now);
    book->look_back();
    book->write();
    const auto ok = store.commit();
    if (ok) {
      book->committed();
    } else {
      book->failed();
    }
    if (end == KillStore::End::lost) return ok.has_value();
    for (const Note& n : told)
      if (n.body.empty()) {
        known.erase(n.number);
      } else {
        known[n.number] = n.body;
      }
    return ok.has_value();
  }
  [[nodiscard]] std::size_t live() const {
    std::size_t sum = 0;
    for (const auto& [number, body] : known) sum += body.size() + 7;
    return sum;
  }
  void check() {
    ASSERT_EQ(read(*book), known);
    ASSERT_EQ(book->log().numbers(), known.size());
    ASSERT_EQ(book->log().last(), store.newest_notes());
  }
};

TEST(NoteBooks, OneNumberThatAlwaysChangesAmongManyThatNeverDoLeavesTheLogSmall) {
  Rig rig;
  for (std::uint32_t n = 0; n < 1000; ++n) rig.commit({{n, std::string(40, 'x')}});
  std::size_t most = 0;
  for (int i = 0; i < 10000; ++i) {
    rig.commit({{7, std::to_string(i)}});
    if (i % 20 == 0) most = std::max(most, rig.store.note_bytes());
  }
  rig.check();
  EXPECT_LT(most, rig.live() * 7 / 3 + kSmall.slack + 1000);
}

TEST(NoteBooks, ACommitCleansInProportionToWhatItAppends) {
  Rig rig;
  for (std::uint32_t n = 0; n < 2000; ++n) rig.commit({{n, std::string(40, 'x')}});
  for (std::uint32_t n = 0; n < 2000; ++n) rig.commit({{n, std::string(40, 'y')}});
  auto before = rig.store.newest_notes();
  for (int i = 0; i < 5000; ++i) {
    rig.commit({{7, "now"}});
    const auto now = rig.store.newest_notes();
    ASSERT_LE(now - before, 3U);
    before = now;
  }
  rig.check();
}

TEST(NoteBooks, WhatIsForgottenStaysSoOverCleaningAndOpening) {
  Rig rig;
  for (std::uint32_t n = 0; n < 200; ++n) rig.commit({{n, std::string(40, 'x')}});
  for (std::uint32_t n = 0; n < 200; n += 2) rig.commit({{n, ""}});
  for (int i = 0; i < 5000; ++i) {
    rig.commit({{201, std::to_string(i)}});
    if (i % 100 != 0) continue;
    rig.open();
    rig.check();
  }
  EXPECT_LT(rig.store.note_bytes(), rig.live() * 7 / 3 + kSmall.slack + 1000);
}

TEST(NoteBooks, WhenEverythingIsForgottenAFewIdleStepsLeaveNothingBehind) {
  Rig rig;
  for (std::uint32_t n = 0; n < 5000; ++n) rig.commit({{n, std::string(200, 'x')}});
  for (std::uint32_t n = 0; n < 5000; ++n) rig.commit({{n, ""}});
  for (int i = 0; rig.book->excess(); ++i) {
    ASSERT_LT(i, 10);
    rig.book->grant();
    rig.commit({});
  }
  EXPECT_LT(rig.store.note_bytes(), kSmall.slack + 1000);
  rig.open();
  rig.check();
  EXPECT_TRUE(rig.book->take_reports().empty());
}

TEST(NoteBooks, RandomWorkWithKillsIsWhatAMapSays) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto any = [&](unsigned below) { return static_cast<std::uint32_t>(random() % below); };
    Rig rig;
    std::size_t most_live = 0;
    for (int step = 0; step < 600; ++step) {
      std::vector<Note> notes;
      for (auto n = any(6); n > 0; --n)
        notes.push_back({any(3) == 0 ? any(400) : any(12),
                         any(5) == 0 ? "" : std::string(1 + any(any(9) == 0 ? 900 : 60), 'n')});
      for (Note& n : notes)
        if (!n.body.empty()) n.body += std::to_string(step);
      using End = KillStore::End;
      const End end = any(8) != 0 ? End::well : any(2) == 0 ? End::lost : End::unheard;
      if (any(20) == 0) rig.book->grant();
      rig.commit(notes, end);
      if (any(6) == 0) rig.open();
      if (end != End::well) continue;
      rig.check();
      most_live = std::max(most_live, rig.live());
      ASSERT_LT(rig.store.note_bytes(), most_live * 3 + kSmall.slack + 4000);
    }
    rig.open();
    rig.check();
    ASSERT_TRUE(rig.book->take_reports().empty());
  }
}

// As a salvage may find them on pages that are not used any more.
TEST(NoteBooks, RowsThatHadBeenCleanedAwayBringNothingBack) {
  Rig rig;
  std::map<std::uint64_t, NoteRow> ever;
  for (std::uint32_t n = 0; n < 100; ++n) rig.commit({{n, std::string(40, 'x')}});
  for (std::uint32_t n = 0; n < 50; ++n) rig.commit({{n, ""}});
  for (int i = 0; i < 1500; ++i) {
    for (auto& [number, row] : rig.store.notes()) ever.emplace(number, row);
    rig.commit({{77, std::to_string(i)}});
  }
  for (auto& [number, row] : rig.store.notes()) ever.emplace(number, row);
  rig.store.replace(ever);
  rig.open();
  rig.check();
  EXPECT_TRUE(rig.book->take_reports().empty());
  for (int i = 0; i < 4000; ++i) rig.commit({{78, std::to_string(i)}});
  rig.check();
  EXPECT_LT(rig.store.note_bytes(), rig.live() * 7 / 3 + kSmall.slack + 1000);
}

TEST(NoteBooks, AMissingRowIsToldAndCostsNoOther) {
  Rig rig;
  for (std::uint32_t n = 0; n < 100; ++n) rig.commit({{n, std::string(40, 'x')}});
  auto rows = rig.store.notes();
  rows.erase(50);  // of the note 49
  rig.store.replace(rows);
  rig.open();
  EXPECT_EQ(rig.book->take_reports().size(), 1U);
  rig.known.erase(49);
  rig.check();
}

TEST(NoteBooks, ANoteThatIsDamagedLeavesTheOneBefore) {
  Rig rig;
  rig.commit({{1, "old"}, {2, "two"}});
  rig.commit({{1, "new"}, {3, "three"}});
  auto rows = rig.store.notes();
  char& bit = rows[2].data[rows[2].data.find("new")];
  bit = 'N';
  rig.store.replace(rows);
  rig.open();
  EXPECT_EQ(rig.book->take_reports().size(), 1U);
  rig.known[1] = "old";
  rig.known[3] = "three";
  rig.check();
}

TEST(NoteBooks, DamageThatCleaningMeetsIsToldAndForgotten) {
  Rig rig;
  for (std::uint32_t n = 0; n < 100; ++n) rig.commit({{n, std::string(40, 'x')}});
  auto rows = rig.store.notes();
  rows[50].data.back() = 'y';
  rig.store.replace(rows);
  std::vector<std::string> told;
  for (int i = 0; i < 1500; ++i) {
    rig.commit({{1000, std::to_string(i)}});
    for (auto& report : rig.book->take_reports()) told.push_back(std::move(report));
  }
  EXPECT_EQ(told.size(), 1U);
  rig.known.erase(49);
  rig.check();
}

}  // namespace
}  // namespace checkrelay

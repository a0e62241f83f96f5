#include "spool/directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "tests/spool/directory/fixture.h"

namespace checkrelay::test {
namespace {

constexpr std::string_view kGood = "{\"host\":\"h\",\"state\":0}\n";
constexpr std::string_view kCheckFile =
    "### Passive Check Result File ###\nfile_time=1\n\nhost_name=h\nservice_description=s\n"
    "check_type=1\nreturn_code=2\noutput=bad\n\n";

std::string result(const std::string& host) { return "{\"host\":\"" + host + "\",\"state\":0}\n"; }

TEST_F(SpoolDirectoryTest, TakesWhatLiesThereAtStart) {
  write("a", kGood);
  open();
  until([&] { return files() == 0; });
  EXPECT_EQ(receiver_.taken.size(), 1U);
}

TEST_F(SpoolDirectoryTest, TakesWhatIsRenamedIn) {
  open();
  turn(5);
  write("a", kGood);
  until([&] { return files() == 0; });
  EXPECT_EQ(receiver_.taken.size(), 1U);
}

TEST_F(SpoolDirectoryTest, ARescanFindsWhatNoEventTold) {
  rescan_ = "10ms";
  open();
  turn(5);
  // A hard link raises no event of the kinds that are watched.
  std::string outside = (path_.parent_path() / "outside").string();
  fs::rename((write("a.tmp", kGood), path_ / "a.tmp"), outside);
  fs::create_hard_link(outside, path_ / "a");
  until([&] { return files() == 0; });
  EXPECT_EQ(receiver_.taken.size(), 1U);
}

TEST_F(SpoolDirectoryTest, RemovesOnlyAfterTheCommit) {
  receiver_.automatic = false;
  write("a", kGood);
  open();
  until([&] { return receiver_.most_waiting == 1; });
  turn(5);
  EXPECT_TRUE(there("a"));
  EXPECT_FALSE(listener_->idle());
  receiver_.answer_waiting();
  EXPECT_FALSE(there("a"));
  EXPECT_TRUE(listener_->idle());
}

TEST_F(SpoolDirectoryTest, OldestFilesComeFirst) {
  for (int i = 9; i >= 0; --i) {
    std::string name = "f" + std::to_string(i);
    write(name, result(name));
    timespec times[2] = {{1'700'000'000 - i, 0}, {1'700'000'000 - i, 0}};
    utimensat(AT_FDCWD, (path_ / name).c_str(), times, 0);
  }
  open();
  until([&] { return files() == 0; });
  ASSERT_EQ(receiver_.taken.size(), 10U);
  for (std::size_t i = 0; i < 10; ++i)
    EXPECT_EQ(receiver_.taken[i].subject.host, "f" + std::to_string(9 - i));
}

TEST_F(SpoolDirectoryTest, HiddenAndTemporaryFilesAreNotTouched) {
  write(".hidden", kGood);
  write("half.tmp", kGood);
  write("seen", kGood);
  open();
  until([&] { return !there("seen"); });
  turn(5);
  EXPECT_TRUE(there(".hidden"));
  EXPECT_TRUE(there("half.tmp"));
  EXPECT_EQ(receiver_.taken.size(), 1U);
}

TEST_F(SpoolDirectoryTest, ACheckFileWaitsForItsRelease) {
  write("cAbCdEf", kCheckFile);
  open();
  turn(10);
  EXPECT_TRUE(there("cAbCdEf"));
  write("cAbCdEf.ok", "");
  until([&] { return files() == 0; });
  ASSERT_EQ(receiver_.taken.size(), 1U);
  EXPECT_EQ(receiver_.taken[0].state, 2);
}

TEST_F(SpoolDirectoryTest, KeepsWhatCannotBeTakenWithItsReasons) {
  write("a",
        "{\"host\":\"h\",\"state\":0}\n{\"host\":\"h\",\"state\":7}\nrubbish\n{\"host\":\"i\","
        "\"state\":0}\n");
  open();
  until([&] { return files() == 0; });
  EXPECT_EQ(receiver_.taken.size(), 2U);
  EXPECT_TRUE(there("rejected/a"));
  std::string why = text_of("rejected/a.why");
  EXPECT_EQ(why.find("line 2: state: \"7\" is not 0-2\nline 3: not JSON"), 0U) << why;
  EXPECT_EQ(receiver_.counted, 2U);
}

TEST_F(SpoolDirectoryTest, OnlySomeFilesAreRejectedInATurn) {
  for (int i = 0; i < 50; ++i) write(fmt::format("{:02}", i), "rubbish\n");
  open();
  std::size_t before = files(), most = 0;
  until([&] {
    most = std::max(most, before - files());
    before = files();
    return before == 0;
  });
  EXPECT_LE(most, 8U);
  EXPECT_EQ(receiver_.counted, 50U);
}

TEST_F(SpoolDirectoryTest, FileMendedWhileItWaitsToBeRejectedIsReadAgain) {
  for (int i = 0; i < 50; ++i) write(fmt::format("{:02}", i), "rubbish\n");
  open();
  until([&] { return receiver_.counted == 50; });
  ASSERT_GT(files(), 0U);
  write("49", kGood);
  until([&] { return files() == 0; });
  EXPECT_EQ(receiver_.taken.size(), 1U);
  EXPECT_FALSE(there("rejected/49"));
}

TEST_F(SpoolDirectoryTest, WhatAdmissionRefusesIsToldWithItsLine) {
  receiver_.judge = [](const CheckResult& r) {
    return Outcome{r.subject.host == "good", r.id, Errc::refused, "not yours"};
  };
  write("a", result("good") + result("bad"));
  open();
  until([&] { return files() == 0; });
  EXPECT_EQ(text_of("rejected/a.why"), "line 2: not yours\n");
  EXPECT_EQ(receiver_.counted, 0U) << "admission has counted it";
}

TEST_F(SpoolDirectoryTest, RejectedNamesAreNeverOverwritten) {
  fs::create_directory(path_ / "rejected");
  write("rejected/a", "old");
  write("a", "rubbish");
  open();
  until([&] { return files() == 0; });
  EXPECT_EQ(text_of("rejected/a"), "old");
  EXPECT_EQ(text_of("rejected/a.1"), "rubbish");
  EXPECT_FALSE(there("rejected/a.why"));
  EXPECT_TRUE(there("rejected/a.1.why"));
}

TEST_F(SpoolDirectoryTest, TheLongestNameCanBeRejected) {
  write(std::string(255, 'n'), "rubbish");
  open();
  until([&] { return files() == 0; });
  EXPECT_TRUE(there("rejected/" + std::string(240, 'n')));
}

TEST_F(SpoolDirectoryTest, WhatCannotBeMovedStaysAndIsNotReadAgain) {
  rescan_ = "10ms";
  write("rejected", "in the way");  // no directory can be made here
  open([](Options&) {});
  until([&] { return there("rejected") && receiver_.counted > 0; });
  write("a", result("good") + "rubbish\n");
  until([&] { return receiver_.taken.size() == 1; });
  turn(20);
  EXPECT_TRUE(there("a"));
  std::size_t peers = receiver_.peers.size();
  turn(20);
  EXPECT_EQ(receiver_.peers.size(), peers);
  fs::remove(path_ / "rejected");
  until([&] { return there("rejected/a"); });
  EXPECT_EQ(receiver_.taken.size(), 1U);
}

TEST_F(SpoolDirectoryTest, ARejectedFolderOfSomebodyElseIsNotUsed) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give folders away";
  fs::create_directory(path_ / "rejected");
  ASSERT_EQ(chown((path_ / "rejected").c_str(), 65534, 65534), 0);
  write("a", "rubbish");
  open();
  until([&] { return receiver_.counted == 1; });
  turn(5);
  EXPECT_TRUE(there("a"));
  EXPECT_TRUE(fs::is_empty(path_ / "rejected"));
}

TEST_F(SpoolDirectoryTest, AFullJournalLeavesTheFileAndIsAskedAgain) {
  bool full = true;
  receiver_.judge = [&full](const CheckResult& r) {
    return Outcome{!full || r.subject.host == "first", r.id, Errc::full, "full"};
  };
  write("a", result("first") + result("second"));
  open();
  until([&] { return receiver_.taken.size() == 1 && listener_->idle(); });
  EXPECT_TRUE(there("a"));
  EXPECT_FALSE(there("rejected"));
  full = false;
  until([&] { return files() == 0; });
  EXPECT_EQ(receiver_.taken.size(), 2U) << "the first was stored once: its id did not change";
}

TEST_F(SpoolDirectoryTest, ACrashBetweenCommitAndRemovalRepeatsNothing) {
  receiver_.automatic = false;
  write("a", result("h") + result("i"));
  open();
  until([&] { return receiver_.most_waiting == 1; });
  close();  // before the outcome came back
  receiver_.answer_waiting();
  EXPECT_TRUE(there("a"));
  receiver_.automatic = true;
  open();
  until([&] { return files() == 0; });
  EXPECT_EQ(receiver_.taken.size(), 2U);
  EXPECT_EQ(receiver_.ids.size(), 2U);
  for (const auto& [id, times] : receiver_.ids) EXPECT_EQ(times, 2) << id;
}

TEST_F(SpoolDirectoryTest, FilesOfTheSameContentAreDifferentResults) {
  write("a", kGood);
  write("b", kGood);
  open();
  until([&] { return files() == 0; });
  EXPECT_EQ(receiver_.taken.size(), 2U);
}

TEST_F(SpoolDirectoryTest, GivenIdsAreKept) {
  write("a", "{\"host\":\"h\",\"state\":0,\"id\":\"mine\"}");
  open();
  until([&] { return files() == 0; });
  EXPECT_EQ(receiver_.taken.at(0).id, "mine");
}

TEST_F(SpoolDirectoryTest, LinksDevicesAndPipesAreNeverRead) {
  std::string outside = (path_.parent_path() / "outside").string();
  fs::rename((write("x.tmp", kGood), path_ / "x.tmp"), outside);
  fs::create_symlink(outside, path_ / "link");
  ASSERT_EQ(mkfifo((path_ / "pipe").c_str(), 0666), 0);
  fs::create_directory(path_ / "folder");
  write("good", kGood);
  open();
  until([&] { return !there("good"); });
  turn(5);
  EXPECT_TRUE(there("link"));
  EXPECT_TRUE(there("pipe"));
  EXPECT_TRUE(there("folder"));
  EXPECT_EQ(receiver_.peers.size(), 1U);
}

TEST_F(SpoolDirectoryTest, FilesOfUsersThatAreNotAdmittedAreNeverRead) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  write("theirs", kGood);
  ASSERT_EQ(chown((path_ / "theirs").c_str(), 65534, 65534), 0);
  write("ours", kGood);
  open([](Options& o) { o.set("allow_users", std::vector<std::string>{"root"}); });
  until([&] { return !there("ours"); });
  turn(5);
  EXPECT_TRUE(there("theirs"));
  ASSERT_EQ(receiver_.peers.size(), 1U);
  EXPECT_EQ(receiver_.peers[0].uid, 0U);
}

TEST_F(SpoolDirectoryTest, UnknownNamesInTheAllowListAreAFault) {
  Options options;
  options.set("path", path_.string());
  options.set("allow_groups", std::vector<std::string>{"no-such-group"});
  auto opened = spool_intake().open(options, {}, loop_, receiver_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().what, "allow_groups: no group \"no-such-group\"");
}

TEST_F(SpoolDirectoryTest, ADirectoryThatIsReplacedIsWatchedAgain) {
  open();
  turn(5);
  fs::rename(path_, path_.parent_path() / "old");
  turn(5);
  fs::create_directory(path_);
  write("a", kGood);
  until([&] { return files() == 0; });
  write("b", kGood);
  until([&] { return files() == 0; });
  EXPECT_EQ(receiver_.taken.size(), 2U);
}

TEST_F(SpoolDirectoryTest, ReadsNothingWhileTheJournalIsBehind) {
  receiver_.full_up = true;
  write("a", kGood);
  open();
  turn(20);
  EXPECT_TRUE(receiver_.peers.empty());
  receiver_.full_up = false;
  listener_->drained();
  until([&] { return files() == 0; });
}

TEST_F(SpoolDirectoryTest, AFileThatChangesWhileItIsReadIsReadAgain) {
  receiver_.automatic = false;
  write("a", kGood);
  open();
  until([&] { return receiver_.most_waiting == 1; });
  int fd = ::open((path_ / "a").c_str(), O_WRONLY | O_APPEND);
  std::string more = result("late");
  ASSERT_EQ(::write(fd, more.data(), more.size()), static_cast<ssize_t>(more.size()));
  ::close(fd);
  receiver_.automatic = true;
  receiver_.answer_waiting();
  until([&] { return files() == 0; });
  EXPECT_EQ(receiver_.taken.back().subject.host, "late");
}

TEST_F(SpoolDirectoryTest, AFileThatVanishesIsForgotten) {
  receiver_.automatic = false;
  write("a", kGood);
  write("b", kGood);
  open();
  until([&] { return receiver_.most_waiting == 2; });
  fs::remove(path_ / "a");
  receiver_.answer_waiting();
  EXPECT_EQ(files(), 0U);
}

TEST_F(SpoolDirectoryTest, AnEmptyFileIsRemoved) {
  write("a", "");
  open();
  until([&] { return files() == 0; });
  EXPECT_FALSE(there("rejected"));
}

TEST_F(SpoolDirectoryTest, ALargeFileIsReadInBoundedSteps) {
  receiver_.automatic = false;
  std::string text;
  while (text.size() < 1'500'000) text += result("h" + std::to_string(text.size()));
  write("a", text);
  open();
  until([&] { return receiver_.most_waiting >= 16; });
  turn(20);
  EXPECT_EQ(receiver_.most_waiting, 16U);
  receiver_.automatic = true;
  receiver_.answer_waiting();
  until([&] { return files() == 0; });
  EXPECT_EQ(receiver_.taken.size(),
            static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')));
}

TEST_F(SpoolDirectoryTest, ManyFilesAreDrainedInBoundedSteps) {
  constexpr std::size_t kFiles = 5000;
  for (std::size_t i = 0; i < kFiles; ++i) write("f" + std::to_string(i), kGood);
  open();
  until([&] { return receiver_.taken.size() == kFiles && listener_->idle(); });
  EXPECT_EQ(files(), 0U);
  EXPECT_EQ(receiver_.taken.size(), kFiles);
  EXPECT_LE(receiver_.most_waiting, 256U);
}

TEST_F(SpoolDirectoryTest, FilesThatComeWhileOthersAreDrainedAreTakenToo) {
  open();
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 20; ++i)
      write("f" + std::to_string(round) + "-" + std::to_string(i), kGood);
    turn(1);
  }
  until([&] { return files() == 0; });
  EXPECT_EQ(receiver_.taken.size(), 1000U);
}

TEST_F(SpoolDirectoryTest, AfterStopNothingNewIsRead) {
  receiver_.automatic = false;
  write("a", kGood);
  open();
  until([&] { return receiver_.most_waiting == 1; });
  listener_->stop();
  write("b", kGood);
  receiver_.answer_waiting();
  turn(5);
  EXPECT_FALSE(there("a")) << "what was under way still ends";
  EXPECT_TRUE(there("b"));
  EXPECT_TRUE(listener_->idle());
}

TEST_F(SpoolDirectoryTest, ABrokenMessagePackFileIsRejected) {
  write("a",
        std::string("\x82\xa4host\xa1h\xa5state\x01\x81\xa1x\xc1", 19) + std::string(200'000, 'x'));
  open();
  until([&] { return files() == 0; });
  EXPECT_EQ(receiver_.taken.size(), 1U);
  EXPECT_NE(text_of("rejected/a.why").find("0xc1"), std::string::npos);
}

}  // namespace
}  // namespace checkrelay::test

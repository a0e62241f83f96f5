#include "plugins/transports/append_carrier.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/plugins/transports/outbound/world.h"

namespace checkrelay {
namespace {

using namespace testing_peer;

struct Directory {
  Directory() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "checkrelay-append-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~Directory() { std::filesystem::remove_all(path); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  std::string path;
};

class Append : public testing::Test {
 protected:
  Append() { open(); }
  void open() {
    Options o;
    o.set("path", path_);
    w_.carrier = std::move(make_append_carrier(o, w_.loop).value());
  }
  bool append(const std::string& lines) {
    Message m = w_.ask(Message::bytes(lines));
    if (m.kind == Message::Kind::bytes && m.body.empty()) return true;
    EXPECT_EQ(m.trouble, Trouble::io);
    EXPECT_FALSE(m.what.empty());
    return false;
  }
  static std::string content(const std::string& path) {
    std::ifstream in(path);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
  }
  void write_file(const std::string& text) const { std::ofstream(path_) << text; }

  Directory temporary_;  // outlives the loop, and so every write
  std::string directory_ = temporary_.path;
  std::string path_ = directory_ + "/results.log";
  World w_;
};

TEST_F(Append, LinesFollowEachOther) {
  EXPECT_TRUE(append("{a}\n"));
  EXPECT_TRUE(append("{b}\n{c}\n"));
  EXPECT_EQ(content(path_), "{a}\n{b}\n{c}\n");
}

TEST_F(Append, ManyConversationsKeepTheirOrder) {
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    std::string line = "{" + std::to_string(i) + "}\n";
    expected += line;
    w_.carry({Message::bytes(line)});
  }
  ASSERT_TRUE(drive(w_.loop, [&] { return w_.done == 200; }));
  EXPECT_EQ(content(path_), expected);
}

TEST_F(Append, FileIsPrivateToOwnerAndGroup) {
  append("{a}\n");
  struct stat s {};
  ASSERT_EQ(::stat(path_.c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777 & ~0640U, 0U);
}

TEST_F(Append, RenamedFileIsReopened) {
  append("{a}\n");
  std::filesystem::rename(path_, path_ + ".1");
  append("{b}\n");
  EXPECT_EQ(content(path_ + ".1"), "{a}\n");
  EXPECT_EQ(content(path_), "{b}\n");
}

TEST_F(Append, RemovedFileIsMadeAgain) {
  append("{a}\n");
  std::filesystem::remove(path_);
  append("{b}\n");
  EXPECT_EQ(content(path_), "{b}\n");
}

TEST_F(Append, TruncatedFileIsFollowed) {
  append("{a}\n");
  std::filesystem::resize_file(path_, 0);
  append("{b}\n");
  EXPECT_EQ(content(path_), "{b}\n");
}

TEST_F(Append, MissingDirectoryFailsUntilItIsThere) {
  path_ = directory_ + "/sub/results.log";
  open();
  EXPECT_FALSE(append("{a}\n"));
  std::filesystem::create_directory(directory_ + "/sub");
  EXPECT_TRUE(append("{a}\n"));
  EXPECT_EQ(content(path_), "{a}\n");
}

TEST_F(Append, TornTailIsCut) {
  write_file("{a}\n{b}\n{\"host\":\"to");
  EXPECT_TRUE(append("{c}\n"));
  EXPECT_EQ(content(path_), "{a}\n{b}\n{c}\n");
}

TEST_F(Append, TornOnlyLineIsCut) {
  write_file("{\"host\":\"to");
  EXPECT_TRUE(append("{c}\n"));
  EXPECT_EQ(content(path_), "{c}\n");
}

TEST_F(Append, LongTornTailIsCut) {
  write_file("{a}\n{" + std::string(1 << 20, 'x'));
  EXPECT_TRUE(append("{c}\n"));
  EXPECT_EQ(content(path_), "{a}\n{c}\n");
}

TEST_F(Append, ForeignFileIsLeftAlone) {
  write_file("root:x:0:0");
  EXPECT_FALSE(append("{c}\n"));
  EXPECT_EQ(content(path_), "root:x:0:0");
}

TEST_F(Append, OnlyRegularFilesAreWrittenTo) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_FALSE(append("{a}\n"));
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  EXPECT_FALSE(append("{a}\n"));
}

// A file size limit stands for the full disk: the write is cut short, then fails.
TEST_F(Append, ShortWriteLeavesNoTornLine) {
  std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_TRUE(append("{a}\n"));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 10;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_FALSE(append("{" + std::string(100, 'b') + "}\n"));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(content(path_), "{a}\n");
  EXPECT_TRUE(append("{c}\n"));
  EXPECT_EQ(content(path_), "{a}\n{c}\n");
}

TEST_F(Append, CancelEndsEverythingAtOnce) {
  for (int i = 0; i < 5; ++i) w_.carry({Message::bytes("{x}\n")});
  w_.loop.run_once();
  w_.carrier->cancel();
  EXPECT_EQ(w_.done, 5);
  EXPECT_EQ(w_.verdicts, 5U);
  EXPECT_TRUE(append("{after}\n"));
  EXPECT_TRUE(content(path_).ends_with("{after}\n"));
}

TEST_F(Append, LockThatAnotherHoldsIsTroubleNotAWait) {
  EXPECT_TRUE(append("{a}\n"));
  const int other = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::flock(other, LOCK_EX), 0);
  EXPECT_FALSE(append("{b}\n"));
  ASSERT_EQ(::flock(other, LOCK_UN), 0);
  ::close(other);
  EXPECT_TRUE(append("{b}\n"));
  EXPECT_EQ(content(path_), "{a}\n{b}\n");
}

TEST_F(Append, TwoCarriersShareAFile) {
  World other;
  Options o;
  o.set("path", path_);
  other.carrier = std::move(make_append_carrier(o, other.loop).value());
  for (int i = 0; i < 20; ++i) {
    append("{a}\n");
    other.ask(Message::bytes("{b}\n"));
  }
  EXPECT_EQ(content(path_).size(), 160U);
}

}  // namespace
}  // namespace checkrelay
